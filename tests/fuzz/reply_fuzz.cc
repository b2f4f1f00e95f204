// SPDX-License-Identifier: MIT
// What a smarthost says: replies, capabilities, failures and the notice made of them. Never crashes, keeps
// its bounds, lets no line end and no control out into a log or into a notice's fields. Of an input so much
// counts as reaches every bound, and the first replies in it, each with one kind of failure that follows from
// the input's size: thousands of inputs a second.
#include <algorithm>
#include <string>

#include "daemon/base/text.h"
#include "daemon/mail/diagnosis.h"
#include "daemon/mail/dsn.h"
#include "daemon/mail/smtp_reply.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/notices.h"

using namespace hikyaku;
using namespace hikyaku::mail;

namespace {

constexpr std::size_t kMostBytes = 1200;  // 128 lines, or 1024 bytes of text
constexpr std::size_t kMostReplies = 2;
constexpr std::size_t kKinds = static_cast<std::size_t>(FailureKind::other) + 1;

void check_line(std::string_view text, std::size_t limit, const char* what) {
  check(text.size() <= limit && is_valid_utf8(text), what);
  check(std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; }), what);
}

void try_notice(const Failure& failure, std::string_view original) {
  BounceRequest request;
  request.hostname = request.domain = "example.com";
  request.token = "k3j4h5g6f7d8s9a0";
  request.sender = "shop@example.com";
  request.envid = original.substr(0, 100);
  request.recipients = {{{.address = "bob@example.org", .notify = {}, .orcpt = {}}, failure}};
  request.recipients[0].recipient.orcpt = cat("rfc822;", original.substr(0, 500));
  request.original = original;
  request.full = original.size() % 2 == 0;
  test::check_canonical(make_bounce(request));
}

void try_reply(Reply reply, std::string_view original) {
  check(reply.code >= 200 && reply.code < 600 && !reply.lines.empty(), "an impossible reply");
  check(reply.lines.size() <= kMaxReplyLines, "a reply keeps too many lines");
  check(!reply.status || reply.status->status_class == reply.code / 100, "a status of another class");
  check_line(to_text(reply), kMaxReplyText, "a reply as text");
  check(parse_ehlo(reply).mechanisms.size() <= 64, "too many mechanisms");
  Failure failure;
  failure.host = "smtp.example.com";
  failure.detail = original;
  failure.reply = std::move(reply);
  failure.kind = static_cast<FailureKind>(original.size() % kKinds);
  check_line(diagnose(failure), kMaxDiagnosis, "a diagnosis");
  try_notice(failure, original);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = test::as_text(data, std::min(size, kMostBytes));
  ReplyParser parser;
  std::size_t replies = 0;
  for (const std::string_view line : split(text, '\n')) {
    if (parser.feed(line) != ReplyParser::State::complete) continue;
    if (replies++ == kMostReplies) break;
    try_reply(parser.take(), text);
  }
  return 0;
}
