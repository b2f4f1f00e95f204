// SPDX-License-Identifier: MIT
#include "daemon/sendmail/drop_session.h"

#include "daemon/base/text.h"
#include "daemon/mail/drop_format.h"
#include "daemon/sendmail/batch.h"
#include "doctest/doctest.h"
#include "tests/unit/sendmail/drop_place.h"
#include "tests/unit/sendmail/given_input.h"

using namespace hikyaku;
using namespace hikyaku::sendmail;

namespace {

struct Played {
  std::string codes;  // of the replies, the greeting's left out
  std::vector<std::string> files;
  std::string content;  // behind the first line, if there is one file
};

Played play(std::string_view input) {
  test::DropPlace place;
  test::GivenInput given(input);
  Places places;
  places.max_size = 1000;
  places.max_recipients = 2;
  auto drop = DropDirectory::open(place.path());
  REQUIRE(drop.has_value());
  std::string output;
  DropSession(places, *drop, given.fd(), [&output](std::string_view bytes) {
    return output += bytes, true;
  }).run();
  Played played{{}, place.names(), {}};
  for (std::string_view line : split(output, '\n'))
    if (line.size() > 3 && line[3] == ' ') played.codes += cat(line.substr(0, 3), " ");
  CHECK(played.codes.starts_with("220 "));
  played.codes.erase(0, 4);
  if (played.files.size() == 1) played.content = place.content().substr(mail::kDropHeader);
  return played;
}

}  // namespace

TEST_CASE("drop session: a mail is left as it was spoken") {
  auto played = play(
      "EHLO x\r\nMAIL FROM:<a@b> RET=HDRS\r\nRCPT TO:<c@d> NOTIFY=NEVER\r\nDATA\r\nA: "
      "b\r\n\r\n..x\r\n.\r\nQUIT\r\n");
  CHECK(played.codes == "250 250 250 354 250 221 ");
  CHECK(played.content ==
        "MAIL FROM:<a@b> RET=HDRS\r\nRCPT TO:<c@d> NOTIFY=NEVER\r\nBDAT 00000000000000000012 LAST\r\nA: "
        "b\r\n\r\n.x\r\n");
}

TEST_CASE("drop session: several mails are several files, and a client that speaks LF is served") {
  std::string mail = "MAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\nx\n.\n";
  auto played = play(cat("HELO x\n", mail, mail, "QUIT\n"));
  CHECK(played.codes == "250 250 250 354 250 250 250 354 250 221 ");
  CHECK(played.files.size() == 2);
}

TEST_CASE("drop session: what is out of order or wrong is told, and leaves nothing") {
  struct Row {
    const char* input;
    const char* codes;
  };
  for (const Row& row :
       {Row{"RCPT TO:<a@b>\r\nDATA\r\n", "503 503 "}, Row{"MAIL FROM:<a@b>\r\nDATA\r\n", "250 503 "},
        Row{"MAIL FROM:<a@b>\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\n", "250 503 503 "},
        Row{"MAIL FROM:<a@b>\r\nRSET\r\nRCPT TO:<a@b>\r\n", "250 250 503 "},
        Row{"MAIL FROM:<a@b>\r\nEHLO x\r\nRCPT TO:<a@b>\r\n", "250 250 503 "},
        Row{"MAIL FROM:<a b>\r\n", "501 "}, Row{"MAIL FROM:<a@b> SIZE=1001\r\n", "552 "},
        Row{"MAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nRCPT TO:<a@b>\r\nRCPT TO:<a@b>\r\n", "250 250 250 452 "},
        Row{"NOOP\r\nVRFY x\r\nHELP\r\nXYZ\r\nSTARTTLS\r\nAUTH PLAIN\r\n", "250 252 214 500 502 502 "},
        Row{"BDAT 5 LAST\r\nxxxxx", "502 "}, Row{"GET / HTTP/1.0\r\nMAIL FROM:<a@b>\r\n", "554 "},
        Row{"MAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\nhalf a message\r\n", "250 250 354 "}, Row{"", ""}}) {
    CAPTURE(row.input);
    auto played = play(row.input);
    CHECK(played.codes == row.codes);
    CHECK(played.files.empty());
  }
}

TEST_CASE("drop session: NUL and too much are refused at the end of the data") {
  using namespace std::string_view_literals;
  std::string begin = "MAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\n";
  auto nul = play(cat(begin, "a\0b\r\n.\r\nNOOP\r\n"sv));
  CHECK(nul.codes == "250 250 354 554 250 ");
  CHECK(nul.files.empty());
  auto big = play(cat(begin, std::string(200'000, 'x'), "\r\n.\r\nNOOP\r\n"));
  CHECK(big.codes == "250 250 354 552 250 ");
  CHECK(big.files.empty());
}

TEST_CASE("drop session: lines have an end") {
  CHECK(play(cat("NOOP ", std::string(3000, 'x'), "\r\nNOOP\r\n")).codes == "500 250 ");
  CHECK(play(std::string(300'000, 'x')).codes == "421 ");
}

TEST_CASE("drop session: SMTPUTF8 holds for the recipients of its mail only") {
  auto played = play(
      "MAIL FROM:<a@b> SMTPUTF8\r\nRCPT TO:<\xc3\xbc@b>\r\nRSET\r\nMAIL FROM:<a@b>\r\nRCPT "
      "TO:<\xc3\xbc@b>\r\n");
  CHECK(played.codes == "250 250 250 250 553 ");
}

TEST_CASE("batch: the first bad reply is what counts, in any cut") {
  BatchReplies good;
  good.take("220 x\r\n250-a\r\n250 b\r\n354 go\r\n");
  CHECK(good.verdict().has_value());
  BatchReplies bad;
  for (char c : std::string_view("250 a\r\n550 5.1.1 \x1bno\r\n451 later\r\n")) bad.take({&c, 1});
  REQUIRE_FALSE(bad.verdict().has_value());
  CHECK(bad.verdict().error().kind == Exit::bad_data);
  CHECK(bad.verdict().error().text.find('\x1b') == std::string::npos);
  BatchReplies later;
  later.take("451 later\n");
  CHECK(later.verdict().error().kind == Exit::temporary);
}
