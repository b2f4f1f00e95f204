// SPDX-License-Identifier: MIT
// Deadlines, shutting down, and the last moments of a connection.
#include "doctest/doctest.h"
#include "tests/support/peers/smtpd_rig.h"

using namespace hikyaku;

namespace {

const std::string kFields = "From: a@x.test\r\nDate: today\r\nMessage-ID: <1@x.test>\r\n";
const std::string kPaths = "MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\n";
const std::string kTimedOut = "421 4.4.2 Timed out waiting for you, closing";
const std::string kShuttingDown = "421 4.3.2 Shutting down, try again soon";

Task<void> skip_replies(test::TestClient& client, int count) {
  for (int i = 0; i < count; ++i) std::string reply = co_await client.reply();
}

// Begins a session and reads the greeting; what `send` is answered with, too.
Task<void> begin(test::TestClient& client, std::string send, int replies) {
  co_await skip_replies(client, 1);
  co_await client.send(std::move(send));
  co_await skip_replies(client, replies);
}

// One byte every ten seconds until the server has had enough; how long that took.
Task<Duration> drip(test::SmtpdRig& rig, test::TestClient& client) {
  Instant start = rig.loop.now();
  for (bool is_open = true; is_open && rig.loop.now() - start < 24h;) {
    co_await io::sleep_until(rig.loop, rig.loop.within(10s));
    is_open = co_await client.send("x");
  }
  co_return rig.loop.now() - start;
}

Task<void> ended(test::SmtpdRig& rig, test::TestClient& client, std::string last) {
  std::string said = co_await client.reply();
  CHECK(said == last);
  co_await client.finish();
  std::string rest = co_await client.rest();
  CHECK(rest == "");
  co_await rig.nursery.drained({});
}

void run(test::SmtpdRig& rig, Task<void> (*test)(test::SmtpdRig&, test::TestClient)) {
  rig.loop.run(test(rig, rig.connect()));
}

}  // namespace

TEST_CASE("smtpd: a silent client is told 421 4.4.2 after the command's deadline") {
  test::SmtpdRig rig;
  run(rig, [](test::SmtpdRig& r, test::TestClient client) -> Task<void> {
    co_await begin(client, "NOOP\r\n", 1);
    Instant start = r.loop.now();
    co_await ended(r, client, kTimedOut);
    CHECK(r.loop.now() - start == 5min);
  });
}

TEST_CASE("smtpd: the deadline is the command's, not each byte's") {
  test::SmtpdRig rig;
  run(rig, [](test::SmtpdRig& r, test::TestClient client) -> Task<void> {
    co_await begin(client, "NOOP\r\nNO", 1);
    Duration took = co_await drip(r, client);
    CHECK(took >= 5min);
    CHECK(took <= 5min + 20s);
    co_await ended(r, client, kTimedOut);
  });
}

TEST_CASE("smtpd: a message that drips is cut off, and nothing of it is left") {
  test::SmtpdRig rig;
  run(rig, [](test::SmtpdRig& r, test::TestClient client) -> Task<void> {
    co_await begin(client, kPaths + "DATA\r\n", 3);
    Duration took = co_await drip(r, client);
    CHECK(took >= 3min);
    CHECK(took <= 3min + 20s);
    co_await ended(r, client, kTimedOut);
    CHECK(r.sink.open_writers() == 0);
  });
}

TEST_CASE("smtpd: a chunk that does not come is waited for as long as a block") {
  test::SmtpdRig rig;
  run(rig, [](test::SmtpdRig& r, test::TestClient client) -> Task<void> {
    co_await begin(client, kPaths + "BDAT 100 LAST\r\nhalf", 2);
    Instant start = r.loop.now();
    co_await ended(r, client, kTimedOut);
    CHECK(r.loop.now() - start == 3min);
  });
}

TEST_CASE("smtpd: time in which the spool was busy is not held against the client") {
  test::SmtpdRig rig;
  rig.sink.hold_writes();
  run(rig, [](test::SmtpdRig& r, test::TestClient client) -> Task<void> {
    co_await begin(client, kPaths + "DATA\r\n", 3);
    co_await client.send(kFields + "\r\n" + std::string(20'000, 'x'));
    co_await io::sleep_until(r.loop, r.loop.within(1h));
    r.sink.release();
    co_await io::sleep_until(r.loop, r.loop.within(2min));
    co_await client.send("\r\n.\r\nQUIT\r\n");
    std::string queued = co_await client.reply();
    CHECK(queued == "250 2.0.0 Ok: queued as 0000000000001");
    co_await ended(r, client, "221 2.0.0 Bye");
  });
}

TEST_CASE("smtpd: a message that is too big gives its place in the spool back at once") {
  test::SmtpdRig rig;
  rig.options.limits.max_size = 1000;
  run(rig, [](test::SmtpdRig& r, test::TestClient client) -> Task<void> {
    co_await begin(client, kPaths + "DATA\r\n", 3);
    CHECK(r.sink.open_writers() == 1);
    co_await client.send(std::string(1001, 'x'));
    co_await io::sleep_until(r.loop, r.loop.within(1s));
    CHECK(r.sink.open_writers() == 0);
    co_await client.send("\r\n.\r\n");
    std::string refused = co_await client.reply();
    CHECK(refused.starts_with("552 5.3.4 "));
  });
  rig.loop.run(rig.nursery.drained({}));
}

TEST_CASE("smtpd: a client that reads nothing does not hold the session for ever") {
  test::SmtpdRig rig;
  rig.wire.capacity = 16;
  run(rig, [](test::SmtpdRig& r, test::TestClient) -> Task<void> {
    Instant start = r.loop.now();
    co_await r.nursery.drained({});
    CHECK(r.loop.now() - start == 5min);
  });
}

TEST_CASE("smtpd: 250 comes when commit has returned and not before") {
  test::SmtpdRig rig;
  rig.sink.hold_commits();
  run(rig, [](test::SmtpdRig& r, test::TestClient client) -> Task<void> {
    co_await begin(client, kPaths + "DATA\r\n", 3);
    co_await client.send(kFields + "\r\n.\r\nQUIT\r\n");
    co_await io::sleep_until(r.loop, r.loop.within(1h));
    CHECK(r.sink.mails().empty());
    CHECK(r.observer.lines.empty());
    r.sink.release();
    std::string queued = co_await client.reply();
    CHECK(queued == "250 2.0.0 Ok: queued as 0000000000001");
    co_await ended(r, client, "221 2.0.0 Bye");
  });
}

TEST_CASE("smtpd: told to stop, an idle session says 421 4.3.2 at once") {
  test::SmtpdRig rig;
  run(rig, [](test::SmtpdRig& r, test::TestClient client) -> Task<void> {
    co_await begin(client, "EHLO a\r\n", 1);
    r.stop.soft.request();
    Instant start = r.loop.now();
    co_await ended(r, client, kShuttingDown);
    CHECK(r.loop.now() - start < 1s);
  });
}

TEST_CASE("smtpd: told to stop before the client's first word, it says so too") {
  test::SmtpdRig rig;
  run(rig, [](test::SmtpdRig& r, test::TestClient client) -> Task<void> {
    co_await skip_replies(client, 1);
    r.stop.soft.request();
    co_await ended(r, client, kShuttingDown);
  });
}

TEST_CASE("smtpd: told to stop, a transaction that was begun may end, and no other begins") {
  test::SmtpdRig rig;
  run(rig, [](test::SmtpdRig& r, test::TestClient client) -> Task<void> {
    co_await begin(client, "MAIL FROM:<a@x.test>\r\n", 1);
    r.stop.soft.request();
    co_await client.send("RCPT TO:<b@y.test>\r\nDATA\r\n");
    co_await skip_replies(client, 2);
    co_await client.send(kFields + "\r\n.\r\nMAIL FROM:<c@x.test>\r\nRCPT TO:<d@y.test>\r\n");
    std::string queued = co_await client.reply();
    CHECK(queued == "250 2.0.0 Ok: queued as 0000000000001");
    co_await ended(r, client, kShuttingDown);
    CHECK(r.sink.mails().size() == 1);
  });
}

TEST_CASE("smtpd: when the grace is over, a message under way is broken off without a trace") {
  test::SmtpdRig rig;
  run(rig, [](test::SmtpdRig& r, test::TestClient client) -> Task<void> {
    co_await begin(client, kPaths + "DATA\r\n" + kFields, 3);
    r.stop.soft.request();
    co_await io::sleep_until(r.loop, r.loop.within(1min));
    CHECK(r.nursery.size() == 1);
    r.stop.hard.request();
    co_await r.nursery.drained({});
    CHECK(r.sink.open_writers() == 0);
    CHECK(r.sink.mails().empty());
  });
}

TEST_CASE("smtpd: after 221 a client may write on for a moment without being reset") {
  test::SmtpdRig rig;
  run(rig, [](test::SmtpdRig& r, test::TestClient client) -> Task<void> {
    co_await begin(client, "QUIT\r\n", 1);
    std::string rest = co_await client.rest();  // the FIN
    CHECK(rest == "");
    bool taken = co_await client.send("QUIT\r\nMAIL FROM:<a@x.test>\r\n");
    CHECK(taken);
    co_await io::sleep_until(r.loop, r.loop.within(3s));
    CHECK(r.nursery.size() == 0);
    taken = co_await client.send("more");
    CHECK_FALSE(taken);
  });
}

TEST_CASE("smtpd: who floods after 221 is cut off") {
  test::SmtpdRig rig;
  run(rig, [](test::SmtpdRig& r, test::TestClient client) -> Task<void> {
    co_await begin(client, "QUIT\r\n", 1);
    Instant start = r.loop.now();
    co_await client.send(std::string(1'000'000, 'x'));
    co_await r.nursery.drained({});
    CHECK(r.loop.now() - start < 1s);
  });
}

TEST_CASE("smtpd: a client that is gone before the replies still has its message delivered") {
  test::SmtpdRig rig;
  rig.wire.largest_read = 50;  // so that the server has to write between two reads
  run(rig, [](test::SmtpdRig& r, test::TestClient client) -> Task<void> {
    co_await client.send("HELO a\r\n" + kPaths + "DATA\r\n" + kFields + "\r\n.\r\nQUIT\r\n");
    {
      io::StreamPtr gone = client.take_stream();
    }
    co_await r.nursery.drained({});
    CHECK(r.sink.mails().size() == 1);
  });
}
