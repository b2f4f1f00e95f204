// SPDX-License-Identifier: MIT
#include "daemon/sendmail/drop_session.h"

#include "daemon/base/text.h"
#include "daemon/mail/drop_format.h"
#include "doctest/doctest.h"
#include "tests/unit/sendmail/drop_place.h"
#include "tests/unit/sendmail/given_input.h"
#include "tests/unit/sendmail/talker.h"

using namespace hikyaku;
using namespace hikyaku::sendmail;

namespace {

struct Session {
  std::string codes;  // of the replies, the greeting's left out
  std::vector<std::string> files;
  std::string content;  // behind the first line, if there is one file
};

Session play_fd(int fd, DropSession::Manner manner, const TakeOutput& hear = {}) {
  test::DropPlace place;
  DaemonInfo info;
  info.max_size = 1000;
  info.max_recipients = 2;
  auto drop = DropDirectory::open(place.path());
  REQUIRE(drop.has_value());
  std::string output;
  DropSession(
      info, *drop, fd, [&](std::string_view bytes) { return output += bytes, !hear || hear(bytes); }, manner)
      .run();
  Session played{{}, place.names(), {}};
  for (std::string_view line : split(output, '\n'))
    if (line.size() > 3 && line[3] == ' ') played.codes += cat(line.substr(0, 3), " ");
  CHECK(played.codes.starts_with("220 "));
  played.codes.erase(0, 4);
  if (played.files.size() == 1) played.content = place.content().substr(mail::kDropHeader);
  return played;
}

// A caller that does not wait for replies: all is there from the start.
Session play_session(std::string_view input, DropSession::Manner manner = {}) {
  test::GivenInput given(input);
  return play_fd(given.fd(), manner);
}

Session play_session(std::vector<test::Talker::Write> writes, DropSession::Manner manner) {
  test::Talker talker(std::move(writes));
  return play_fd(talker.fd(), manner, [&talker](std::string_view bytes) { return talker.hear(bytes); });
}

constexpr DropSession::Manner kBatch{.is_batch = true};
constexpr std::string_view kRefused = "MAIL FROM:<a@b>\r\nRCPT TO:<c d>\r\nDATA\r\n";
constexpr std::string_view kForged = "MAIL FROM:<evil@b>\r\nRCPT TO:<v@d>\r\nDATA\r\nx\r\n";
constexpr std::string_view kGood = "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\ngood\r\n.\r\n";

}  // namespace

TEST_CASE("drop session: a mail is left as it was spoken") {
  auto played = play_session(
      "EHLO x\r\nMAIL FROM:<a@b> RET=HDRS\r\nRCPT TO:<c@d> NOTIFY=NEVER\r\nDATA\r\nA: "
      "b\r\n\r\n..x\r\n.\r\nQUIT\r\n");
  CHECK(played.codes == "250 250 250 354 250 221 ");
  CHECK(played.content ==
        "MAIL FROM:<a@b> RET=HDRS\r\nRCPT TO:<c@d> NOTIFY=NEVER\r\nBDAT 00000000000000000012 LAST\r\nA: "
        "b\r\n\r\n.x\r\n");
}

TEST_CASE("drop session: several mails are several files, and a client that speaks LF is served") {
  std::string mail = "MAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\nx\n.\n";
  auto played = play_session(cat("HELO x\n", mail, mail, "QUIT\n"));
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
    auto played = play_session(row.input);
    CHECK(played.codes == row.codes);
    CHECK(played.files.empty());
  }
}

TEST_CASE("drop session: NUL and too much are refused at the end of the data") {
  using namespace std::string_view_literals;
  std::string begin = "MAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\n";
  auto nul = play_session(cat(begin, "a\0b\r\n.\r\nNOOP\r\n"sv));
  CHECK(nul.codes == "250 250 354 554 250 ");
  CHECK(nul.files.empty());
  auto big = play_session(cat(begin, std::string(200'000, 'x'), "\r\n.\r\nNOOP\r\n"));
  CHECK(big.codes == "250 250 354 552 250 ");
  CHECK(big.files.empty());
}

TEST_CASE("drop session: lines have an end") {
  CHECK(play_session(cat("NOOP ", std::string(3000, 'x'), "\r\nNOOP\r\n")).codes == "500 250 ");
  CHECK(play_session(std::string(300'000, 'x')).codes == "421 ");
}

TEST_CASE("drop session: SMTPUTF8 holds for the recipients of its mail only") {
  auto played = play_session(
      "MAIL FROM:<a@b> SMTPUTF8\r\nRCPT TO:<\xc3\xbc@b>\r\nRSET\r\nMAIL FROM:<a@b>\r\nRCPT "
      "TO:<\xc3\xbc@b>\r\n");
  CHECK(played.codes == "250 250 250 250 553 ");
}

TEST_CASE("drop session: a line that ends in LF alone ends no data once the caller has spoken CR LF") {
  auto played = play_session(
      "HELO x\r\nMAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\nx\n.\nMAIL FROM:<evil@b>\n\r\n.\r\nQUIT\n");
  CHECK(played.codes == "250 250 250 354 250 221 ");
  REQUIRE(played.files.size() == 1);
  CHECK(played.content.ends_with("\r\nx\r\n.\r\nMAIL FROM:<evil@b>\r\n\r\n"));
  CHECK(play_session("HELO x\nMAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\r\nx\n.\nQUIT\n\r\n.\r\n").codes ==
        "250 250 250 354 250 ");
}

TEST_CASE(
    "drop session: of a caller that waits for no reply, the message behind a refused DATA is swallowed") {
  for (DropSession::Manner manner : {DropSession::Manner{}, kBatch}) {
    for (std::string_view ahead : {"", "RSET\r\n", "From: a@b\r\n\r\n"}) {
      auto played = play_session(cat(kRefused, ahead, kForged, ".\r\n", kGood, "QUIT\r\n"), manner);
      CHECK(played.codes == "250 501 503 554 250 250 354 250 221 ");
      REQUIRE(played.files.size() == 1);
      CHECK(played.content.ends_with("\r\ngood\r\n"));
    }
    CHECK(play_session("DATA now\r\nMAIL FROM:<a@b>\r\n.\r\nNOOP\r\n", manner).codes == "501 554 250 ");
    CHECK(play_session("DATA\nMAIL FROM:<a@b>\n.\nNOOP\n", manner).codes == "503 554 250 ");
    CHECK(play_session("DATA\r\n..\r\nNOOP\n.\nNOOP\r\n.\r\nNOOP\r\n", manner).codes == "503 554 250 ");
  }
}

TEST_CASE("drop session: wherever the writes are cut, no line behind a refused DATA becomes a mail") {
  for (std::string_view ahead : {"", "RSET\r\n", "S: x\r\n"}) {
    std::string body = cat(ahead, kForged, ".\r\n");
    for (std::size_t at = 1; at < body.size(); ++at) {
      std::string_view bytes = body;
      CAPTURE(at);
      auto played = play_session(
          {{"220", kRefused}, {"503", bytes.substr(0, at)}, {"503", bytes.substr(at)}, {"554", kGood}},
          {.unasked = std::chrono::minutes(5)});
      REQUIRE(played.codes.find(" 554 250 250 354 250 ") != played.codes.npos);
      REQUIRE(played.files.size() == 1);
      REQUIRE(played.content.ends_with("\r\ngood\r\n"));
    }
  }
}

TEST_CASE("drop session: a caller that waits for the refusal of its DATA goes on") {
  std::string_view good = kGood;
  std::size_t data = good.find("good");
  auto played = play_session({{"220", kRefused},
                              {"503", "RSET\r\n"},
                              {"250 2.0.0", good.substr(0, data)},
                              {"354", good.substr(data)}},
                             {.unasked = std::chrono::milliseconds(10)});
  CHECK(played.codes == "250 501 503 250 250 250 354 250 ");
  CHECK(played.files.size() == 1);
}

TEST_CASE("drop session: a batch whose input ends inside a message says so, for nobody else would") {
  CHECK(play_session("MAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\nhalf\r\n", kBatch).codes ==
        "250 250 354 451 ");
}
