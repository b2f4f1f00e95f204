// SPDX-License-Identifier: MIT
// The daemon as a whole, but for what needs a process of its own (tests/interop, tests/crash do that).
#include "daemon/app/daemon.h"

#include "daemon/io/socket_stream.h"
#include "daemon/tryout/app_dialogue.h"
#include "tests/unit/app/daemon_rig.h"

using namespace hikyaku;
using namespace hikyaku::app;

namespace {

constexpr const char* kMessage = "Subject: x\r\n\r\nhi\r\n";

Task<std::string> greeting_of(io::Loop& loop, Endpoint at) {
  auto stream = co_await io::connect_tcp(loop, at, loop.within(10s));
  REQUIRE(stream);
  io::LineReader reader(**stream);
  auto line = co_await reader.line(1000, loop.within(10s));
  co_return line ? line->text : line.error().text;
}

Task<std::string> submit(io::Loop& loop, io::StreamPtr stream) {
  tryout::AppDialogue app(*stream, loop.within(10s), [](std::string_view) {});
  auto queued = co_await app.submit({"a@example.com", "b@example.com", kMessage});
  co_return queued ? *queued : queued.error().text;
}

Task<void> nothing() { co_return; }

Task<void> submit_over_tcp(DaemonRig& rig) {
  auto stream = co_await io::connect_tcp(rig.loop, rig.address, rig.loop.within(10s));
  REQUIRE(stream);
  auto reply = co_await submit(rig.loop, std::move(*stream));
  CHECK(reply.starts_with("250 2.0.0"));
}

Task<void> submit_over_unix(DaemonRig& rig) {
  std::string path = rig.place.file("run/submit.sock");
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0666);
  auto stream = co_await io::connect_unix(rig.loop, path, rig.loop.within(10s));
  REQUIRE(stream);
  auto reply = co_await submit(rig.loop, std::move(*stream));
  CHECK(reply.starts_with("250 2.0.0"));
  CHECK(rig.has(cat("client=\"unix uid=", std::to_string(::getuid()), "\"")));
}

Task<void> run_a_second_one(DaemonRig& rig) {
  auto daemon = rig.make();
  Exit exit = co_await daemon->run();
  CHECK(static_cast<int>(exit) == 69);
}

Task<void> reload_twice(DaemonRig& rig) {
  rig.configure("hostname: two.example.com\ndomain: two.example.com\nhostnames: x\n");
  tell_ourselves(SIGHUP);
  co_await rig.until_it_says("reload failed");
  CHECK(rig.has("hikyaku.yaml:9:1: hostnames: "));
  auto before = co_await greeting_of(rig.loop, rig.address);
  CHECK(before.starts_with("220 one.example.com "));
  rig.configure("hostname: two.example.com\ndomain: two.example.com\nmemory: 32MiB\n");
  tell_ourselves(SIGHUP);
  co_await rig.until_it_says("reloaded");
  auto after = co_await greeting_of(rig.loop, rig.address);
  CHECK(after.starts_with("220 two.example.com "));
  CHECK(rig.has("needs a restart to change: memory"));
}

Task<std::string> asked_over_http(io::Loop& loop, Endpoint at) {
  auto stream = co_await io::connect_tcp(loop, at, loop.within(20s));
  REQUIRE(stream);
  auto written = co_await (*stream)->write("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", loop.within(20s));
  CHECK(written);
  std::string answer;
  std::array<char, 4096> piece;
  for (;;) {
    auto got = co_await (*stream)->read_some(piece, loop.within(20s));
    if (!got) co_return answer;
    answer.append(piece.data(), *got);
  }
}

// Another daemon, whose metrics would have the first one's port.
Task<void> run_beside(DaemonRig& rig, std::string port) {
  for (const char* name : {"spool2", "run2"}) ::mkdir(rig.place.file(name).c_str(), 0700);
  rig.change_loaded = [&](system::Loaded& loaded) {
    loaded.settings.metrics = Endpoint::parse(port);
    loaded.settings.spool.directory = rig.place.file("spool2");
    loaded.settings.runtime_directory = rig.place.file("run2");
  };
  rig.lines.clear();
  auto second = rig.make();
  std::optional<Exit> exit;
  io::Nursery nursery(rig.loop);
  nursery.spawn(run_into(*second, exit));
  co_await rig.until_it_says("started version=");
  CHECK(rig.has(cat("`metrics`: cannot listen on ", port, ": Address already in use; nobody can ask")));
  tell_ourselves(SIGTERM);
  co_await nursery.drained({});
  CHECK(exit == Exit::ok);
}

// Begins a message that it does not end, and waits until it is cut off.
Task<void> dawdle(io::Loop& loop, io::StreamPtr stream) {
  auto written =
      co_await stream->write("EHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n", {});
  CHECK(written);
  io::LineReader reader(*stream);
  for (;;) {
    auto line = co_await reader.line(1000, loop.within(20s));
    if (!line) CHECK(line.error().kind == IoErrorKind::eof);
    if (!line) co_return;
    if (line->text.starts_with("354")) tell_ourselves(SIGTERM);
  }
}

}  // namespace

TEST_CASE("app: a daemon takes mail, stops when told to, and has it still at its next start") {
  DaemonRig rig;
  CHECK(rig.loop.run(run_around(rig, submit_over_tcp(rig))) == Exit::ok);
  CHECK(rig.has("started version="));
  CHECK(rig.has("queued=0"));
  CHECK(rig.has("stopping: SIGTERM"));
  CHECK(rig.has("stopped queued=1"));
  rig.lines.clear();
  CHECK(rig.loop.run(run_around(rig, nothing())) == Exit::ok);
  CHECK(rig.has(" queued=1"));
}

TEST_CASE("app: local programs hand in mail over the Unix socket, and the log knows who") {
  DaemonRig rig;
  CHECK(rig.loop.run(run_around(rig, submit_over_unix(rig))) == Exit::ok);
  CHECK(::access(rig.place.file("run/submit.sock").c_str(), F_OK) != 0);
}

TEST_CASE("app: a second daemon on the same spool leaves with 69, and the first goes on") {
  DaemonRig rig;
  auto both = [](DaemonRig& place) -> Task<void> {
    co_await run_a_second_one(place);
    co_await submit_over_unix(place);
  };
  CHECK(rig.loop.run(run_around(rig, both(rig))) == Exit::ok);
  CHECK(rig.has("another daemon holds the spool"));
}

TEST_CASE("app: during a start the control socket is there before anything else, and afterwards it is gone") {
  DaemonRig rig;
  auto daemon = rig.make();
  auto watch = [](DaemonRig& place) -> Task<void> {
    bool is_there = false;
    while (!is_there && !place.has("started version=")) {
      auto stream =
          co_await io::connect_unix(place.loop, place.place.file("run/control.sock"), place.loop.within(10s));
      is_there = stream.has_value();
      co_await io::sleep_until(place.loop, place.loop.within(0s));
    }
    CHECK(is_there);
    CHECK_FALSE(place.has("started version="));
    tell_ourselves(SIGTERM);
  };
  std::optional<Exit> exit;
  io::Nursery nursery(rig.loop);
  nursery.spawn(run_into(*daemon, exit));
  nursery.spawn(watch(rig));
  rig.loop.run([](io::Nursery& both) -> Task<void> { co_await both.drained({}); }(nursery));
  CHECK(exit == Exit::ok);
  CHECK(::access(rig.place.file("run/control.sock").c_str(), F_OK) != 0);
}

TEST_CASE("app: a reload changes everything or nothing, and names what needs a restart") {
  DaemonRig rig;
  CHECK(rig.loop.run(run_around(rig, reload_twice(rig))) == Exit::ok);
}

TEST_CASE("app: metrics have a port of their own, and a daemon whose port is taken does without") {
  DaemonRig rig;
  rig.configure("metrics: 127.0.0.1:0\n");
  auto work = [](DaemonRig& place) -> Task<void> {
    const std::string said = "metrics are told on ";
    co_await place.until_it_says(said);
    auto line = std::ranges::find_if(place.lines, [&](const auto& each) { return each.contains(said); });
    const std::string at = line->substr(line->find(said) + said.size());
    auto answer = co_await asked_over_http(place.loop, Endpoint::parse(at).value());
    CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(answer.contains("\nhikyaku_recipients_delivered_total{smarthost=\"127.0.0.1\"} 0\n"));
    CHECK(answer.contains("\nhikyaku_queue_mails{state=\"active\"} 0\n"));
    co_await run_beside(place, at);
  };
  CHECK(rig.loop.run(run_around(rig, work(rig))) == Exit::ok);
}

TEST_CASE("app: a second signal does not wait for a client that takes its time") {
  DaemonRig rig;
  auto work = [](DaemonRig& place) -> Task<void> {
    auto stream = co_await io::connect_tcp(place.loop, place.address, place.loop.within(10s));
    REQUIRE(stream);
    io::Nursery client(place.loop);
    client.spawn(dawdle(place.loop, std::move(*stream)));
    co_await place.until_it_says("stopping");
    tell_ourselves(SIGTERM);
    co_await client.drained({});
  };
  CHECK(rig.loop.run(run_around(rig, work(rig))) == Exit::ok);
}

TEST_CASE("app: a spool that cannot be opened ends the start with 73 and says which") {
  DaemonRig rig;
  ::rmdir(rig.place.file("spool").c_str());
  auto daemon = rig.make();
  CHECK(static_cast<int>(rig.loop.run(daemon->run())) == 73);
  CHECK(::access(rig.place.file("run/control.sock").c_str(), F_OK) != 0);
  CHECK(rig.has(rig.place.file("spool")));
}
