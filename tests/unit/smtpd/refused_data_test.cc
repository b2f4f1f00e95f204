// SPDX-License-Identifier: MIT
// No line of a message becomes a command, also where its DATA was refused and the client talks on all the
// same.
#include "daemon/base/text.h"
#include "daemon/io/wait.h"
#include "doctest/doctest.h"
#include "tests/support/peers/smtpd_rig.h"
#include "tests/support/pieces.h"

using namespace hikyaku;

namespace {

const std::string kRefused = "EHLO a.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b y.test>\r\nDATA\r\n";
const std::string kForged =
    "MAIL FROM:<evil@x.test>\r\nRCPT TO:<v@y.test>\r\nDATA\r\nSubject: x\r\n\r\nz\r\n.\r\n";

Task<std::string> talk(test::SmtpdRig& rig, test::Pieces pieces, Duration pause) {
  test::TestClient client = rig.connect();
  for (std::string_view piece : pieces) {
    if (pause > Duration::zero()) co_await io::sleep_until(rig.loop, rig.loop.within(pause));
    co_await client.send(std::string(piece));
  }
  co_await client.finish();
  std::string replies = co_await client.rest();
  co_await rig.nursery.drained({});
  co_return replies;
}

// Of a client that writes these pieces, a pause before each, and never waits for a reply.
void check_nothing_stored(const test::Pieces& pieces, Duration pause) {
  test::SmtpdRig rig;
  std::string replies = rig.loop.run(talk(rig, pieces, pause));
  CAPTURE(replies);
  REQUIRE(rig.sink.mails().empty());
  REQUIRE(replies.find("354") == replies.npos);
  REQUIRE(replies.find("\r\n421 4.5.0 ") != replies.npos);
}

}  // namespace

TEST_CASE("smtpd: behind a refused DATA no line of the message becomes a mail, wherever the writes are cut") {
  for (std::string ahead : {"", "From: a@x.test\r\n\r\n", "RSET\r\n", "EHLO x\r\n", "RSET\r\nNOOP\r\n\r\n"}) {
    std::string all = kRefused + ahead + kForged + "QUIT\r\n.\r\n";
    CAPTURE(printable(ahead));
    test::for_each_cut(all, [](const test::Pieces& pieces) {
      for (Duration pause : {0ms, 1ms, 900ms}) check_nothing_stored(pieces, pause);
    });
    check_nothing_stored(test::pieces_of(all, 1), 100ms);
    for (std::size_t size : {1UZ, 7UZ, 64UZ}) check_nothing_stored(test::pieces_of(all, size), 0ms);
  }
}

TEST_CASE("smtpd: a message that begins with QUIT behind a refused DATA ends the session") {
  test::SmtpdRig rig;
  std::string replies = rig.loop.run(talk(rig, {kRefused, "QUIT\r\n" + kForged}, 10ms));
  CHECK(replies.ends_with("221 2.0.0 Bye\r\n"));
  CHECK(rig.sink.mails().empty());
}
