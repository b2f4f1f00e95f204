// SPDX-License-Identifier: MIT
#include "daemon/mail/intake.h"

#include <algorithm>
#include <string>

#include "doctest/doctest.h"
#include "tests/support/pieces.h"

using namespace hikyaku;
using namespace hikyaku::mail;

namespace {

constexpr WallTime kNow(std::chrono::seconds(1'790'000'000));
const std::string kDate = "Date: " + to_rfc5322_date(kNow) + "\r\n";
const std::string kMessageId = "Message-ID: <new@example.com>\r\n";
const std::string kFrom = "From: app@example.com\r\n";
const std::string kAll = kDate + kMessageId + kFrom;
// A header with nothing missing.
const std::string kComplete = "Date: today (JST)\r\nMessage-Id: <x@localhost>\r\nfrom: me@x\r\n";

IntakeOptions options(std::string_view sender = "app@example.com") {
  return {
      .domain = "example.com", .sender = std::string(sender), .message_id = "<new@example.com>", .now = kNow};
}

struct Filtered {
  std::string out;
  std::string fixed;
  unsigned received = 0;
  bool operator==(const Filtered&) const = default;
};

Filtered filter_pieces(const hikyaku::test::Pieces& pieces, std::string_view sender) {
  IntakeFilter filter(options(sender));
  Filtered filtered;
  for (std::string_view piece : pieces) filter.feed(piece, filtered.out);
  filter.finish(filtered.out);
  filtered.fixed = filter.fixed();
  filtered.received = filter.received_count();
  return filtered;
}

// Filters the text whole, and checks that every cut gives the same.
Filtered filter(std::string_view text, std::string_view sender = "app@example.com") {
  Filtered whole = filter_pieces({text}, sender);
  hikyaku::test::for_each_cut(text,
                              [&](const auto& pieces) { CHECK(filter_pieces(pieces, sender) == whole); });
  return whole;
}

}  // namespace

TEST_CASE("intake: a complete message passes byte for byte") {
  std::string message =
      kComplete + "Subject: a\r\n folded\r\n\t twice\r\n\r\nbody: x\r\n\r\n.\r\nFrom me\r\n";
  CHECK(filter(message) == Filtered{.out = message, .fixed = "", .received = 0});
}

TEST_CASE("intake: what is missing is added at the header's end") {
  Filtered filtered = filter("Subject: a\r\n\r\nbody\r\n");
  CHECK(filtered.out == "Subject: a\r\n" + kAll + "\r\nbody\r\n");
  CHECK(filtered.fixed == "date,msgid,from");
  CHECK(filter("Date: x\r\nFrom: y@z\r\n\r\n").out == "Date: x\r\nFrom: y@z\r\n" + kMessageId + "\r\n");
  CHECK(filter("DATE: x\r\nMESSAGE-ID : y\r\n\r\n").out == "DATE: x\r\nMESSAGE-ID : y\r\n" + kFrom + "\r\n");
}

TEST_CASE("intake: the first line that is no field gets a blank line before it and begins the body") {
  Filtered filtered = filter("From: a@b\r\nTo: c@d\r\nsmtp-auth test\r\nDate: no field\r\n");
  CHECK(filtered.out ==
        "From: a@b\r\nTo: c@d\r\n" + kDate + kMessageId + "\r\nsmtp-auth test\r\nDate: no field\r\n");
  CHECK(filtered.fixed == "blankline,date,msgid");
}

TEST_CASE("intake: a message without any header is all body") {
  CHECK(filter("hello\r\nworld\r\n").out == kAll + "\r\nhello\r\nworld\r\n");
  CHECK(filter("\r\nhello\r\n").out == kAll + "\r\nhello\r\n");
  CHECK(filter("\r\nhello\r\n").fixed == "date,msgid,from");
  CHECK(filter("\xe3\x81\x82: x\r\n").out == kAll + "\r\n\xe3\x81\x82: x\r\n");
  CHECK(filter(": x\r\n").out == kAll + "\r\n: x\r\n");
  CHECK(filter("Dear Sir : x\r\n").out == kAll + "\r\nDear Sir : x\r\n");
}

TEST_CASE("intake: an initial continuation line is body, one after a field is not") {
  CHECK(filter(" Subject: a\r\n").out == kAll + "\r\n Subject: a\r\n");
  CHECK(filter("Subject: a\r\n \r\n b\r\n\r\nc\r\n").out == "Subject: a\r\n \r\n b\r\n" + kAll + "\r\nc\r\n");
}

TEST_CASE("intake: an empty message still gets a header and the blank line") {
  CHECK(filter("") == Filtered{.out = kAll + "\r\n", .fixed = "blankline,date,msgid,from", .received = 0});
}

TEST_CASE("intake: a header without a body gets the blank line") {
  CHECK(filter(kComplete) == Filtered{.out = kComplete + "\r\n", .fixed = "blankline", .received = 0});
}

TEST_CASE("intake: an mbox line is dropped at the very start only") {
  Filtered filtered = filter("From app@example.com Thu Jan  1 00:00:00 1970\r\n" + kComplete + "\r\nx\r\n");
  CHECK(filtered.out == kComplete + "\r\nx\r\n");
  CHECK(filtered.fixed == "mbox");
  CHECK(filter("From x 0\r\n folded\r\n").out == kAll + "\r\n folded\r\n");
  CHECK(filter("From x 0\r\nFrom y 0\r\n").out == kAll + "\r\nFrom y 0\r\n");
  CHECK(filter("A: b\r\nFrom y 0\r\n").out == "A: b\r\n" + kAll + "\r\nFrom y 0\r\n");
  CHECK(filter("From : a@b\r\n\r\n").out == "From : a@b\r\n" + kDate + kMessageId + "\r\n");
  CHECK(filter("Fromage x\r\n").out == kAll + "\r\nFromage x\r\n");
}

TEST_CASE("intake: the null sender writes as MAILER-DAEMON, odd local parts are quoted") {
  CHECK(filter("\r\n", "").out == kDate + kMessageId + "From: MAILER-DAEMON@example.com\r\n\r\n");
  CHECK(filter("\r\n", "a..b@c.example").out == kDate + kMessageId + "From: \"a..b\"@c.example\r\n\r\n");
}

TEST_CASE("intake: Received fields are counted in the header, in any case, and nowhere else") {
  CHECK(filter("Received: a\r\n\tReceived: no\r\nreceived : b\r\nReceived-SPF: c\r\n\r\nReceived: d\r\n")
            .received == 2);
}

TEST_CASE("intake: an incomplete last line is not lost") {
  CHECK(filter("Subject: a").out == "Subject: a\r\n" + kAll + "\r\n");
  CHECK(filter("Subject").out == kAll + "\r\nSubject");
  CHECK(filter("Subject ").out == kAll + "\r\nSubject ");
  CHECK(filter("\r\nbody").out == kAll + "\r\nbody");
}

TEST_CASE("intake: a line of one mebibyte passes, as a field and as body") {
  std::string x(1 << 20, 'x');
  auto run = [](const std::string& text) {
    return filter_pieces(hikyaku::test::pieces_of(text, 4096), "a@b").out;
  };
  CHECK(run(kComplete + "A: " + x + "\r\n\r\n") == kComplete + "A: " + x + "\r\n\r\n");
  CHECK(run(kComplete + x + ": a\r\n") == kComplete + "\r\n" + x + ": a\r\n");
  CHECK(run(kComplete + "A" + std::string(1 << 20, ' ') + "\r\n").size() == kComplete.size() + (1 << 20) + 5);
}

TEST_CASE("intake: a million fields pass, and what they hold is not kept") {
  IntakeFilter filter(options());
  std::string out;
  std::size_t size = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    filter.feed("Received: x\r\n", out);
    size += out.size();
    out.clear();
  }
  CHECK(size == 13'000'000);
  CHECK(filter.received_count() == 1'000'000);
  CHECK_FALSE(filter.is_in_body());
}

TEST_CASE("intake: names without a domain get it in the fields of addresses, folds or not, and it is told") {
  std::string header = "Date: x\r\nMessage-ID: <y@z>\r\n";
  Filtered filtered =
      filter(header + "From: root (Cron Daemon)\r\nTo: a,\r\n b@c,\r\n\td\r\nX: e\r\n\r\nTo: root\r\n");
  CHECK(filtered.out == header +
                            "From: root@example.com (Cron Daemon)\r\nTo: a@example.com,\r\n b@c,\r\n"
                            "\td@example.com\r\nX: e\r\n\r\nTo: root\r\n");
  CHECK(filtered.fixed == "domain");
  CHECK(filter("From: a").out == "From: a@example.com\r\n" + kDate + kMessageId + "\r\n");
  CHECK(filter("From: a").fixed == "blankline,date,msgid,domain");
  CHECK(filter("Cc: a\r\nbody\r\n").out == "Cc: a@example.com\r\n" + kAll + "\r\nbody\r\n");
}

TEST_CASE("intake: a field of addresses that is longer than anyone needs passes as it came") {
  auto field = [](std::size_t length) { return "To: root, " + std::string(length - 16, 'x') + "@y.z\r\n"; };
  auto run = [](const std::string& text) {
    IntakeFilter filter(options());
    std::string out;
    for (auto piece : hikyaku::test::pieces_of(text, 4096)) filter.feed(piece, out);
    filter.finish(out);
    return out;
  };
  std::string just_fits = field(kLongestAddressField + 3);
  CHECK(run(kComplete + just_fits) == kComplete + "To: root@example.com, " + just_fits.substr(10) + "\r\n");
  for (std::size_t length : {kLongestAddressField + 4, std::size_t{1} << 22})
    CHECK(run(kComplete + field(length)) == kComplete + field(length) + "\r\n");
}

TEST_CASE("intake: a hidden host's name is replaced in the fields of senders only, and it is told") {
  IntakeOptions hiding = options();
  hiding.masquerade = {.hosts = {"web1"}, .domain = "example.com"};
  IntakeFilter filter(hiding);
  std::string out;
  filter.feed(
      kDate +
          "Message-ID: <1@web1>\r\nFrom: A <a@web1>\r\nTo: b@web1\r\nReply-To:\r\n c@WEB1\r\n\r\na@web1\r\n",
      out);
  filter.finish(out);
  CHECK(out == kDate +
                   "Message-ID: <1@web1>\r\nFrom: A <a@example.com>\r\nTo: b@web1\r\nReply-To:\r\n "
                   "c@example.com\r\n\r\na@web1\r\n");
  CHECK(filter.fixed() == "masquerade");
}

TEST_CASE("intake: what another hikyaku hands over passes as it is, and its hops are counted") {
  const std::string message = "Received: from x\r\nFrom: root\r\nTo: anna@web1.lan\r\n\r\nhi\r\n";
  IntakeOptions as_it_is = options();
  as_it_is.as_it_is = true;
  as_it_is.masquerade = {.hosts = {"web1.lan"}, .domain = "example.com"};
  IntakeFilter intake(as_it_is);
  std::string out;
  intake.feed(message, out);
  intake.finish(out);
  CHECK(out == message);
  CHECK(intake.fixed().empty());
  CHECK(intake.received_count() == 1);
}
