// SPDX-License-Identifier: MIT
#include "smtpc/exchange.h"

#include "daemon/io/memory_stream.h"
#include "daemon/io/nursery.h"
#include "doctest/doctest.h"
#include "tests/support/peers/scripted_peer.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;
using hikyaku::test::ScriptedPeer;

namespace {

using Answer = Result<mail::Reply, ExchangeError>;

struct ExchangeRig {
  ManualClock clock;
  io::Loop loop{clock};
  io::MemoryPairOptions pair;
  std::string problem;

  // Plays the script against what `talk` does with an exchange.
  void run(const std::string& script, const std::function<Task<void>(Exchange&)>& talk) {
    loop.run(play(script, talk));
  }

  // One NOOP, and the answer that came of it.
  Answer ask(const std::string& script) {
    Answer answer;
    run(script, [&](Exchange& exchange) -> Task<void> { answer = co_await exchange.ask("NOOP", 5min); });
    return answer;
  }

 private:
  Task<void> play(const std::string& script, const std::function<Task<void>(Exchange&)>& talk) {
    ScriptedPeer peer(loop, script);
    io::Nursery nursery(loop);
    auto ends = io::make_memory_pair(loop, pair);
    nursery.spawn(peer.play(std::move(ends.second)));
    {
      Exchange exchange(loop, std::move(ends.first), nullptr);
      co_await talk(exchange);
    }
    [[maybe_unused]] auto drained = co_await nursery.drained({});
    problem = peer.problem();
  }
};

}  // namespace

TEST_CASE("smtpc: a reply arrives whole however its bytes are cut") {
  for (std::size_t largest_read : {SIZE_MAX, std::size_t{1}, std::size_t{3}}) {
    ExchangeRig rig;
    rig.pair.largest_read = largest_read;
    auto answer = rig.ask("C: NOOP\nR: 250-first\\r\\n250-\\r\\n250 2.0.0 last\\r\\n");
    REQUIRE(answer);
    CHECK(answer->code == 250);
    CHECK(answer->lines == std::vector<std::string>{"first", "", "2.0.0 last"});
    CHECK(rig.problem == "");
  }
}

TEST_CASE("smtpc: a lone LF ends a reply line, too") {
  ExchangeRig rig;
  auto answer = rig.ask("C: NOOP\nR: 250-a\\n250 b\\n");
  REQUIRE(answer);
  CHECK(answer->lines.size() == 2);
}

TEST_CASE("smtpc: what is no reply is a protocol error and ends the exchange") {
  for (const char* nonsense :
       {"25\\r\\n", "999 x\\r\\n", "2500 ok\\r\\n", "abc\\r\\n", "250-a\\r\\n550 b\\r\\n", "\\r\\n",
        "100 x\\r\\n", "\\0\\r\\n", "250_x\\r\\n"}) {
    INFO(std::string(nonsense));
    ExchangeRig rig;
    Answer answer;
    bool broken = false;
    rig.run(std::string("C: NOOP\nR: ") + nonsense, [&](Exchange& exchange) -> Task<void> {
      answer = co_await exchange.ask("NOOP", 5min);
      broken = exchange.is_broken();
    });
    REQUIRE_FALSE(answer);
    CHECK_FALSE(answer.error().io);
    CHECK(answer.error().text.starts_with("not a reply: "));
    CHECK(broken);
  }
}

TEST_CASE("smtpc: a flood is cut at 64 KiB") {
  std::string many_lines = "C: NOOP\n";
  for (int i = 0; i < 20'000; ++i) many_lines += "S: 250-x\n";
  std::string one_line = "C: NOOP\nS: 250 " + std::string(200'000, 'x') + "\n";
  for (const std::string& script : {many_lines, one_line}) {
    ExchangeRig rig;
    auto answer = rig.ask(script);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().text == "an endless reply");
  }
}

TEST_CASE("smtpc: a reply that drips has one deadline for all of it") {
  std::string script = "C: NOOP\n";
  for (int i = 0; i < 10; ++i) script += "R: 250-x\\r\\n\nSLEEP 60\n";
  ExchangeRig rig;
  Instant begin = rig.clock.now();
  auto answer = rig.ask(script);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().io == IoErrorKind::timeout);
  CHECK(rig.clock.now() - begin >= 5min);
}

TEST_CASE("smtpc: a reply before its command is never taken for the command's") {
  ExchangeRig rig;
  Answer first, second;
  rig.run("C: NOOP\nR: 250 ok\\r\\n250 and again\\r\\n", [&](Exchange& exchange) -> Task<void> {
    first = co_await exchange.ask("NOOP", 5min);
    second = co_await exchange.ask("RSET", 5min);
  });
  CHECK(first);
  REQUIRE_FALSE(second);
  CHECK(second.error().text == "an unexpected reply: \"250 and again\\x0d\\x0a\"");
  CHECK(rig.problem == "");  // RSET was not sent
}

TEST_CASE("smtpc: a 421 before the command is the answer to it, and the end") {
  ExchangeRig rig;
  rig.pair.largest_read = 1;
  rig.run("C: NOOP\nR: 250 ok\\r\\n421 bye\\r\\n\nCLOSE", [&](Exchange& exchange) -> Task<void> {
    auto first = co_await exchange.ask("NOOP", 5min);
    CHECK(first);
    auto second = co_await exchange.ask("RSET", 5min);
    REQUIRE(second);
    CHECK(second->code == 421);
    CHECK(exchange.has_ended());
  });
  CHECK(rig.problem == "");
}

TEST_CASE("smtpc: what the peer said before it went counts, although writing failed") {
  ExchangeRig rig;
  rig.run("S: 554 go away\nCLOSE", [&](Exchange& exchange) -> Task<void> {
    auto slept = co_await sleep_until(rig.loop, rig.loop.within(1s));
    CHECK(slept == io::Woken::timeout);
    auto greeting = co_await exchange.reply(5min);
    REQUIRE(greeting);
    CHECK(greeting->code == 554);
    auto sent = co_await exchange.send("QUIT\r\n", 5min);
    CHECK(sent);  // the error is kept until nothing can be heard
    CHECK(exchange.has_write_failed());
    auto none = co_await exchange.reply(5min);
    REQUIRE_FALSE(none);
    CHECK(none.error().io == IoErrorKind::reset);
  });
}

TEST_CASE("smtpc: hanging up and silence are different errors") {
  ExchangeRig rig;
  auto closed = rig.ask("C: NOOP\nR: 250-half\\r\\n\nCLOSE");
  REQUIRE_FALSE(closed);
  CHECK(closed.error().io == IoErrorKind::eof);
  auto silent = rig.ask("C: NOOP\nSLEEP 301");
  REQUIRE_FALSE(silent);
  CHECK(silent.error().io == IoErrorKind::timeout);
}
