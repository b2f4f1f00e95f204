// SPDX-License-Identifier: MIT
#include "daemon/mail/dsn.h"

#include <algorithm>

#include "daemon/base/text.h"
#include "doctest/doctest.h"

using namespace hikyaku;
using namespace hikyaku::mail;

namespace {

Failure refusal(std::string_view reply) {
  Failure failure;
  failure.kind = FailureKind::recipient_refused;
  failure.stage = Stage::rcpt;
  failure.concerns = Concerns::recipient;
  failure.host = "smtp.example.com";
  failure.port = 587;
  failure.recipient = "bob@example.org";
  failure.reply = parse_reply(reply);
  REQUIRE(failure.reply.has_value());
  return failure;
}

BounceRequest request() {
  BounceRequest made;
  made.hostname = "app1.example.com";
  made.domain = "example.com";
  made.id = "0000000000abc";
  made.token = "k3j4h5g6f7d8s9a0";
  made.sender = "shop@example.com";
  made.arrival = WallTime{std::chrono::seconds(1'790'000'000)};
  made.now = made.arrival + 5min;
  made.recipients = {
      {{.address = "bob@example.org", .notify = {}, .orcpt = {}}, refusal("550 5.1.1 unknown user")}};
  made.original = "From: shop@example.com\r\nSubject: hello\r\n\r\nSecret body\r\n";
  return made;
}

bool says(const std::string& text, std::string_view what) { return text.find(what) != text.npos; }

// What holds for every notice, however odd the input.
void check_canonical(const std::string& notice) {
  CHECK(notice.ends_with("\r\n"));
  CHECK(notice.find('\0') == notice.npos);
  for (std::size_t i = 0; i < notice.size(); ++i) {
    if (notice[i] == '\n') REQUIRE((i > 0 && notice[i - 1] == '\r'));
    if (notice[i] == '\r') REQUIRE((i + 1 < notice.size() && notice[i + 1] == '\n'));
  }
  for (const std::string_view line : split(notice, '\n')) CHECK(line.size() <= kMaxLine + 1);
}

// The texts between the boundaries: preamble (the header), human, status, returned, end.
std::vector<std::string> parts_of(const std::string& notice) {
  std::vector<std::string> parts;
  const std::string mark = "\r\n--=_k3j4h5g6f7d8s9a0";
  std::size_t at = 0;
  for (std::size_t next; (next = notice.find(mark, at)) != notice.npos; at = next + mark.size())
    parts.push_back(notice.substr(at, next - at));
  parts.push_back(notice.substr(at));
  REQUIRE(parts.size() == 5);
  return parts;
}

}  // namespace

TEST_CASE("dsn: a bounce is a multipart/report from MAILER-DAEMON to the sender") {
  const std::string notice = make_bounce(request());
  check_canonical(notice);
  CHECK(is_ascii(notice));
  const std::string header = parts_of(notice)[0];
  CHECK(says(header, "From: Mail Delivery System <MAILER-DAEMON@example.com>\r\n"));
  CHECK(says(header, "To: <shop@example.com>\r\n"));
  CHECK(says(header, "Subject: Undelivered mail: bob@example.org\r\n"));
  CHECK(says(header, "Auto-Submitted: auto-replied\r\n"));
  CHECK(says(header, "MIME-Version: 1.0\r\n"));
  CHECK(says(header, "Date: "));
  CHECK(says(header, "k3j4h5g6f7d8s9a0@example.com>\r\n"));
  CHECK(
      says(header, "multipart/report; report-type=delivery-status;\r\n boundary=\"=_k3j4h5g6f7d8s9a0\"\r\n"));
  CHECK_FALSE(says(header, "8bit"));
  CHECK(parts_of(notice)[4] == "--\r\n");
}

TEST_CASE("dsn: plain words come first: to whom, why, and the exact reply") {
  BounceRequest with_lines = request();
  with_lines.recipients[0].failure = refusal("550-5.1.1 unknown user\r\n550 5.1.1 see https://x");
  const std::string human = parts_of(make_bounce(with_lines))[1];
  CHECK(says(human, "Content-Type: text/plain; charset=us-ascii\r\n"));
  CHECK(says(human, "could not be delivered"));
  CHECK(says(human, "  <bob@example.org>\r\n"));
  CHECK(says(human, "smtp.example.com:587 refused the recipient"));
  CHECK(says(human, "      550-5.1.1 unknown user\r\n      550 5.1.1 see https://x\r\n"));
  CHECK(says(human, "0000000000abc"));
}

TEST_CASE("dsn: the status part has the fields of RFC 3464") {
  BounceRequest full = request();
  full.envid = "QQ314159";
  full.recipients[0].recipient.orcpt = "rfc822;robert@example.org";
  const std::string status = parts_of(make_bounce(full))[2];
  CHECK(status.starts_with(
      "\r\nContent-Type: message/delivery-status\r\n\r\nOriginal-Envelope-Id: QQ314159\r\n"));
  CHECK(says(status, "Reporting-MTA: dns; app1.example.com\r\nArrival-Date: "));
  CHECK(says(
      status,
      "\r\n\r\nOriginal-Recipient: rfc822; robert@example.org\r\nFinal-Recipient: rfc822; bob@example.org\r\n"
      "Action: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; smtp.example.com\r\n"
      "Diagnostic-Code: smtp; 550 5.1.1 unknown user\r\nLast-Attempt-Date: "));
}

TEST_CASE("dsn: one notice names all recipients") {
  BounceRequest several = request();
  several.recipients.push_back(
      {{.address = "eve@example.org", .notify = {}, .orcpt = {}}, refusal("550 5.2.2 full")});
  several.recipients.push_back(
      {{.address = "zoe@example.org", .notify = {}, .orcpt = {}}, refusal("554 no")});
  const auto parts = parts_of(make_bounce(several));
  CHECK(says(parts[0], "Subject: Undelivered mail: bob@example.org and 2 others\r\n"));
  for (const char* address : {"bob", "eve", "zoe"}) {
    CHECK(says(parts[1], cat("<", address, "@example.org>")));
    CHECK(says(parts[2], cat("Final-Recipient: rfc822; ", address, "@example.org")));
  }
  CHECK(says(parts[2], "Status: 5.2.2\r\n"));
  CHECK(says(parts[2], "Status: 5.0.0\r\n"));
}

TEST_CASE("dsn: a failure without a reply has no Remote-MTA and says what happened") {
  BounceRequest silent = request();
  silent.recipients[0].failure.reply.reset();
  silent.recipients[0].failure.kind = FailureKind::connect_timed_out;
  silent.recipients[0].failure.concerns = Concerns::smarthost;
  const auto parts = parts_of(make_bounce(silent));
  CHECK_FALSE(says(parts[2], "Remote-MTA"));
  CHECK(says(parts[2], "Diagnostic-Code: X-Hikyaku; no answer from"));
  CHECK(says(parts[2], "Status: 5.4.1\r\n"));
  CHECK(says(parts[1], "until the message expired"));
}

TEST_CASE("dsn: the header is returned, the body only on request and if it is not too large") {
  BounceRequest asked = request();
  std::string returned = parts_of(make_bounce(asked))[3];
  CHECK(returned ==
        "\r\nContent-Type: text/rfc822-headers\r\n\r\nFrom: shop@example.com\r\nSubject: hello\r\n");
  asked.full = true;
  returned = parts_of(make_bounce(asked))[3];
  CHECK(returned == "\r\nContent-Type: message/rfc822\r\n\r\n" + asked.original);
  asked.original += std::string(kMaxReturnedContent, 'x');
  CHECK(says(parts_of(make_bounce(asked))[3], "text/rfc822-headers"));
  CHECK_FALSE(says(make_bounce(asked), "Secret body"));
}

TEST_CASE("dsn: an endless or missing header is cut at a whole line") {
  BounceRequest odd = request();
  odd.original.clear();
  while (odd.original.size() < 2 * kMaxReturnedHeader) odd.original += "X-Field: 0123456789\n";
  const std::string notice = make_bounce(odd);
  check_canonical(notice);
  CHECK(parts_of(notice)[3].ends_with("X-Field: 0123456789\r\n"));
  CHECK(notice.size() < kMaxReturnedHeader * 5 / 4);
  for (const std::string& original : {std::string(), std::string("\r\nbody"), std::string(200'000, '\0')}) {
    odd.original = original;
    CHECK(parts_of(make_bounce(odd))[3] == "\r\nContent-Type: text/rfc822-headers\r\n\r\n");
  }
}

TEST_CASE("dsn: 8-bit content is declared, 8-bit replies are encoded") {
  BounceRequest eight = request();
  eight.original = "Subject: \xe6\x97\xa5\r\n\r\n";
  const auto parts = parts_of(make_bounce(eight));
  CHECK(says(parts[0], "Content-Transfer-Encoding: 8bit\r\n"));
  CHECK(says(parts[3], "Content-Transfer-Encoding: 8bit\r\n\r\nSubject: \xe6\x97\xa5\r\n"));

  BounceRequest reply = request();
  reply.recipients[0].failure = refusal("550 \xe6\x97\xa5\xe6\x9c\xac");
  const std::string notice = make_bounce(reply);
  CHECK(is_ascii(notice));
  CHECK(says(parts_of(notice)[1], "charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"));
  CHECK(says(parts_of(notice)[1], "550 =E6=97=A5=E6=9C=AC"));
  CHECK(says(parts_of(notice)[2], "Diagnostic-Code: smtp; 550 \\x{65E5}\\x{672C}\r\n"));
}

TEST_CASE("dsn: an internationalised address has its own type") {
  BounceRequest wide = request();
  wide.recipients[0].recipient = {.address = "us\xc3\xa9r@example.org", .notify = {}, .orcpt = {}};
  const std::string notice = make_bounce(wide);
  CHECK(is_ascii(notice));
  CHECK(says(notice, "Final-Recipient: utf-8; us\\x{E9}r@example.org\r\n"));
}

TEST_CASE("dsn: a hostile smarthost and a hostile sender cannot break the notice") {
  BounceRequest hostile = request();
  std::string flood;
  for (int i = 0; i < 300; ++i)
    flood += cat("550-x\rAction: delivered", std::string_view("\0\x9b\x1b", 3), "\r\n");
  hostile.recipients[0].failure = refusal(cat(flood, "550 ", std::string(50'000, 'y')));
  hostile.recipients[0].recipient.orcpt = "rfc822;a\r\nAction: delivered";
  hostile.envid = "x\r\nAction: delivered";
  hostile.original =
      cat("Subject: ", std::string(5000, 'z'), "\rX: y\n--=_guess\n", std::string_view("\0", 1), "\nbody");
  for (const bool full : {false, true}) {
    hostile.full = full;
    const std::string notice = make_bounce(hostile);
    check_canonical(notice);
    CHECK(says(parts_of(notice)[2], "Action: failed\r\n"));
    CHECK_FALSE(says(notice, "\nAction: delivered"));
    CHECK(parts_of(notice)[2].size() < 4096);
    CHECK(notice.size() < 20'000);
  }
}

TEST_CASE("dsn: a thousand recipients make a notice of bounded size") {
  BounceRequest many = request();
  many.recipients.assign(1000, many.recipients[0]);
  const std::string notice = make_bounce(many);
  CHECK(notice.size() < 1'000'000);
  CHECK(says(notice, "and 999 others\r\n"));
}

TEST_CASE("dsn: a delay notice says that nothing is to be done") {
  BounceRequest late = request();
  late.kind = NoticeKind::delay;
  late.time_left = 5 * 24h;
  late.recipients[0].failure = refusal("451 4.7.1 greylisted");
  const auto parts = parts_of(make_bounce(late));
  CHECK(says(parts[0], "Subject: Delayed mail: bob@example.org\r\n"));
  CHECK(says(parts[1], "has not been delivered yet"));
  CHECK(says(parts[2], "Action: delayed\r\nStatus: 4.7.1\r\n"));
  CHECK(says(parts[2], "Will-Retry-Until: "));
}

TEST_CASE("dsn: who wanted to hear of success hears that the mail went where nobody sends notices") {
  BounceRequest relayed = request();
  relayed.kind = NoticeKind::relayed;
  relayed.envid = "order-17";
  relayed.recipients[0].recipient.orcpt = "rfc822;shop+bob@example.com";
  relayed.recipients[0].failure = {};
  relayed.recipients[0].failure.host = "smtp.example.com";
  relayed.recipients[0].failure.reply = parse_reply("250 2.6.0 queued as 4F1");
  relayed.recipients.push_back(relayed.recipients[0]);
  relayed.recipients[1].recipient.address = "eve@example.org";
  relayed.recipients[1].failure.reply = parse_reply("250 thanks");
  const std::string notice = make_bounce(relayed);
  check_canonical(notice);
  const auto parts = parts_of(notice);
  CHECK(says(parts[0], "Subject: Mail handed on: bob@example.org and 1 other\r\n"));
  CHECK(says(parts[0], "report-type=delivery-status"));
  CHECK(says(parts[1], "has been passed on to the next mail system"));
  CHECK(says(parts[1], "<bob@example.org>\r\n    smtp.example.com has accepted it:\r\n"));
  CHECK(says(parts[1], "250 2.6.0 queued as 4F1\r\n"));
  CHECK_FALSE(says(parts[1], "could not be delivered"));
  CHECK(says(parts[2], "Original-Envelope-Id: order-17\r\n"));
  CHECK(says(parts[2],
             "Original-Recipient: rfc822; shop+bob@example.com\r\n"
             "Final-Recipient: rfc822; bob@example.org\r\nAction: relayed\r\nStatus: 2.6.0\r\n"
             "Remote-MTA: dns; smtp.example.com\r\n"
             "Diagnostic-Code: smtp; 250 2.6.0 queued as 4F1\r\n"));
  CHECK(says(parts[2], "eve@example.org\r\nAction: relayed\r\nStatus: 2.0.0\r\n"));
  CHECK_FALSE(says(notice, "Secret body"));
}

TEST_CASE("dsn: the postmaster's copy says so, is for the postmaster, and has the header only") {
  BounceRequest made = request();
  made.postmaster = "postmaster@example.com";
  const std::string copy = make_bounce(made);
  check_canonical(copy);
  CHECK(says(copy,
             "\r\nTo: <postmaster@example.com>\r\nSubject: For the postmaster: Undelivered mail: "
             "bob@example.org\r\n"));
  CHECK(says(copy, "This is the postmaster's copy of a notice to <shop@example.com>, whose"));
  CHECK(says(copy, "550 5.1.1 unknown user"));
  CHECK(says(copy, "calls the message 0000000000abc"));
  CHECK(says(copy, "Subject: hello"));
  CHECK_FALSE(says(copy, "Secret body"));
  CHECK_FALSE(says(copy, "our message"));
  CHECK_FALSE(says(copy, "To: <shop@example.com>"));
}

TEST_CASE("dsn: what has no sender is reported to the postmaster") {
  BounceRequest made = request();
  made.postmaster = "postmaster@example.com";
  made.sender.clear();
  const std::string report = make_bounce(made);
  check_canonical(report);
  CHECK(says(report, "A message from <> could not be delivered"));
  CHECK(says(report, "To: <postmaster@example.com>\r\n"));
}

TEST_CASE("dsn: only those are reported whose sender wants it") {
  Envelope envelope;
  envelope.sender = "shop@example.com";
  const Notify notifies[] = {{}, {.never = true}, {.success = true}, {.failure = true}, {.delay = true}};
  for (const Notify& notify : notifies) envelope.recipients.push_back({"a@example.org", notify, ""});
  const std::vector<std::size_t> all{0, 1, 2, 3, 4};
  using Places = std::vector<std::size_t>;
  CHECK(recipients_to_report(envelope, all, NoticeKind::failure) == Places{0, 3});
  CHECK(recipients_to_report(envelope, all, NoticeKind::delay) == Places{0, 4});
  CHECK(recipients_to_report(envelope, all, NoticeKind::relayed) == Places{2});
  CHECK(recipients_to_report(envelope, {1, 3}, NoticeKind::failure) == Places{3});
  envelope.sender.clear();
  CHECK(recipients_to_report(envelope, all, NoticeKind::failure).empty());
  CHECK(recipients_to_report(envelope, all, NoticeKind::relayed).empty());
}
