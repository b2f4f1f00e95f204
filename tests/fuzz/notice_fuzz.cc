// SPDX-License-Identifier: MIT
// Notices of every kind from any envelope, replies and content: canonical lines, the fields of the header and
// of the status that belong there and no other, the parts that there are. Lines of the input are, in turn:
// sender, envid, host, a recipient, its ORCPT, a reply; the rest is the content.
#include <algorithm>
#include <span>
#include <string>

#include "daemon/base/text.h"
#include "daemon/mail/dsn.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/notices.h"

using namespace hikyaku;
using namespace hikyaku::mail;

namespace {

constexpr std::string_view kToken = "k3j4h5g6f7d8s9a0";
constexpr std::string_view kHeader[] = {"Date",         "From",         "To",
                                        "Subject",      "Message-ID",   "Auto-Submitted",
                                        "MIME-Version", "Content-Type", "Content-Transfer-Encoding"};
constexpr std::string_view kStatus[] = {"Original-Envelope-Id",
                                        "Reporting-MTA",
                                        "Arrival-Date",
                                        "Original-Recipient",
                                        "Final-Recipient",
                                        "Action",
                                        "Status",
                                        "Remote-MTA",
                                        "Diagnostic-Code",
                                        "Last-Attempt-Date",
                                        "Will-Retry-Until"};

// What the parser of commands lets through: no controls, valid UTF-8.
std::string clean(std::string_view text) {
  std::string kept;
  for (char c : text.substr(0, 255))
    if (static_cast<unsigned char>(c) >= ' ' && c != 0x7f) kept += c;
  return is_valid_utf8(kept) ? kept : printable(kept).substr(0, 255);
}

void check_fields(std::string_view text, std::span<const std::string_view> known, const char* what) {
  for (std::string_view line : split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || is_blank(line.front())) continue;
    const auto name = line.substr(0, line.find(':'));
    check(name.size() < line.size() && std::ranges::find(known, name) != known.end(), what);
  }
}

// The real token is random: no mail that is returned has it. NULs in it are dropped from what is returned.
bool has_token(std::string text) {
  std::erase(text, '\0');
  return text.find(kToken) != std::string::npos;
}

void check_notice(const BounceRequest& request) {
  const std::string notice = make_bounce(request);
  test::check_canonical(notice);
  const std::string mark = cat("\r\n--=_", kToken);
  std::vector<std::size_t> marks;
  for (auto at = notice.find(mark); at != notice.npos; at = notice.find(mark, at + 1)) marks.push_back(at);
  check(marks.size() == 4 || has_token(request.original), "a notice has other parts");
  if (marks.size() != 4) return;
  const std::string_view all = notice;
  check_fields(all.substr(0, marks[0]), kHeader, "a field in the header that is not ours");
  const auto status = all.substr(marks[1], marks[2] - marks[1]);
  check_fields(status.substr(status.find("\r\n\r\n") + 4), kStatus, "a field in the status that is not ours");
  check(is_ascii(status), "the status is not ASCII");
  check(all.substr(0, marks[0]).find("\r\n\r\n") == all.npos, "the header ends too early");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = test::as_text(data, size);
  auto next = [&rest] {
    const auto end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return line;
  };
  BounceRequest request;
  request.token = kToken;
  request.id = "0000000000abc";
  request.sender = clean(next());
  request.envid = clean(next());
  request.hostname = request.domain = clean(next());
  if (request.sender.empty() || request.hostname.empty()) return 0;
  while (request.recipients.size() < 30 && !rest.empty()) {
    ReportedRecipient reported;
    reported.recipient.address = clean(next());
    if (reported.recipient.address.empty()) break;
    reported.recipient.orcpt = clean(next());
    std::string_view reply = next();
    reported.failure.kind =
        static_cast<FailureKind>(reply.size() % (static_cast<std::size_t>(FailureKind::other) + 1));
    reported.failure.host = request.hostname;
    reported.failure.detail = reply;
    reported.failure.reply = parse_reply(cat("550 ", reply));
    request.recipients.push_back(std::move(reported));
  }
  if (request.recipients.empty()) return 0;
  request.original = rest;
  for (NoticeKind kind : {NoticeKind::failure, NoticeKind::delay, NoticeKind::relayed}) {
    request.kind = kind;
    request.full = kind == NoticeKind::failure && size % 2 == 0;
    check_notice(request);
  }
  return 0;
}
