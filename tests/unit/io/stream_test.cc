// SPDX-License-Identifier: MIT
// What every stream promises, over TCP, Unix sockets, memory and TLS alike; and the line reader on top.
#include "daemon/io/stream.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "daemon/io/line_reader.h"
#include "daemon/io/listener.h"
#include "daemon/io/loop.h"
#include "daemon/io/memory_stream.h"
#include "daemon/io/nursery.h"
#include "daemon/io/resolver.h"
#include "daemon/io/socket_stream.h"

using namespace hikyaku;
using namespace hikyaku::io;

namespace {

std::string temporary_directory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "hikyaku-io-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  return pattern;
}

struct Pair {
  StreamPtr client, server;
};

Task<void> accept_into(Listener& listener, StreamPtr& server) {
  auto accepted = co_await listener.accept({});
  REQUIRE(accepted);
  server = std::move(*accepted);
}

Task<Pair> connected(Loop& loop, Listener& listener, Task<Result<StreamPtr, IoError>> connecting) {
  Nursery nursery(loop);
  Pair pair;
  nursery.spawn(accept_into(listener, pair.server));
  auto client = co_await std::move(connecting);
  REQUIRE(client);
  pair.client = std::move(*client);
  auto drained = co_await nursery.drained({});
  CHECK(drained == Woken::ready);
  co_return pair;
}

Task<void> write_all(Stream& stream, std::string bytes) {
  auto written = co_await stream.write(bytes, {});
  CHECK(written.has_value());
  auto shut = co_await stream.shut_down({});
  CHECK(shut.has_value());
}

Task<std::string> read_all(Stream& stream) {
  std::string all;
  std::vector<char> chunk(70000);
  for (;;) {
    auto got = co_await stream.read_some(chunk, {});
    if (!got) {
      CHECK(got.error().kind == IoErrorKind::eof);
      co_return all;
    }
    all.append(chunk.data(), *got);
  }
}

// 3 MiB one way, more than any buffer between; then the other end of the conversation.
Task<void> behaves_as_a_stream(Loop& loop, Pair pair) {
  Nursery nursery(loop);
  std::string big(3 << 20, 'x');
  for (std::size_t i = 0; i < big.size(); i += 1000) big[i] = static_cast<char>(i % 251);
  nursery.spawn(write_all(*pair.client, big));
  auto received = co_await read_all(*pair.server);
  CHECK(received == big);
  nursery.spawn(write_all(*pair.server, "pong"));
  auto answer = co_await read_all(*pair.client);
  CHECK(answer == "pong");
  auto drained = co_await nursery.drained({});
  CHECK(drained == Woken::ready);
}

Task<void> times_out_and_cancels(Loop& loop, Pair pair) {
  char byte;
  auto late = co_await pair.client->read_some({&byte, 1}, loop.within(1ms));
  REQUIRE_FALSE(late);
  CHECK(late.error().kind == IoErrorKind::timeout);
  Cancel cancel;
  cancel.request();
  auto cancelled = co_await pair.client->read_some({&byte, 1}, {kNever, &cancel});
  REQUIRE_FALSE(cancelled);
  CHECK(cancelled.error().kind == IoErrorKind::cancelled);
}

Task<void> over_tcp(Loop& loop) {
  auto listener = Listener::listen_tcp(loop, *Endpoint::parse("127.0.0.1:0"));
  REQUIRE(listener);
  Endpoint at = *(*listener)->local();
  Pair pair = co_await connected(loop, **listener, connect_tcp(loop, at, {}));
  CHECK(pair.client->peer() == at);
  CHECK(pair.server->local() == at);
  CHECK(pair.server->peer() == pair.client->local());
  co_await behaves_as_a_stream(loop, std::move(pair));
  Pair other = co_await connected(loop, **listener, connect_tcp(loop, at, {}));
  co_await times_out_and_cancels(loop, std::move(other));
}

Task<void> over_unix(Loop& loop, std::string directory) {
  auto listener = Listener::listen_unix(loop, directory + "/s", 0600);
  REQUIRE(listener);
  struct stat info{};
  CHECK((::stat((directory + "/s").c_str(), &info) == 0 && (info.st_mode & 0777) == 0600));
  Pair pair = co_await connected(loop, **listener, connect_unix(loop, directory + "/s", {}));
  CHECK_FALSE(pair.server->peer());
  co_await behaves_as_a_stream(loop, std::move(pair));
}

Task<void> over_memory(Loop& loop) {
  MemoryPair pair = make_memory_pair(
      loop, {.capacity = 1000, .largest_read = 7, .first_address = {}, .second_address = {}, .uid = {}});
  co_await behaves_as_a_stream(loop, {std::move(pair.first), std::move(pair.second)});
  MemoryPair other = make_memory_pair(loop);
  co_await times_out_and_cancels(loop, {std::move(other.first), std::move(other.second)});
}

Task<void> reads_lines(Loop& loop) {
  MemoryPair pair = make_memory_pair(
      loop, {.capacity = SIZE_MAX, .largest_read = 3, .first_address = {}, .second_address = {}, .uid = {}});
  auto written = co_await pair.first->write(std::string("one\r\ntwo\nthr\ree\r\n\r\nrest", 23), {});
  REQUIRE(written);
  LineReader reader(*pair.second);
  for (auto [text, end] : {std::pair{"one", LineEnd::crlf},
                           {"two", LineEnd::lf},
                           {"thr\ree", LineEnd::crlf},
                           {"", LineEnd::crlf}}) {
    auto line = co_await reader.line(100, {});
    REQUIRE(line);
    CHECK(line->text == text);
    CHECK(line->end == end);
  }
  auto some = co_await reader.some({});
  REQUIRE(some);
  CHECK(some->starts_with("r"));
  reader.consume(1);
}

Task<void> refuses_long_lines(Loop& loop) {
  MemoryPair pair = make_memory_pair(loop);
  auto written = co_await pair.first->write(std::string(50000, 'x') + "\r\nnext\r\n", {});
  REQUIRE(written);
  LineReader reader(*pair.second);
  auto line = co_await reader.line(512, {});
  REQUIRE_FALSE(line);
  CHECK(line.error().kind == IoErrorKind::too_long);
  auto skipped = co_await reader.skip_line(1 << 20, {});
  CHECK(skipped.has_value());
  auto next = co_await reader.line(512, {});
  REQUIRE(next);
  CHECK(next->text == "next");
}

// Gives all it is asked for, and once only a byte; keeps how much it was asked for.
class Tap final : public Stream {
 public:
  Task<Result<std::size_t, IoError>> read_some(std::span<char> into, Until) override {
    asked.push_back(into.size());
    std::ranges::fill(into, 'x');
    co_return asked.size() == 7 ? 1 : into.size();
  }
  Task<Result<void, IoError>> write(std::string_view, Until) override { co_return Result<void, IoError>{}; }
  Task<Result<void, IoError>> shut_down(Until) override { co_return Result<void, IoError>{}; }
  std::optional<Endpoint> peer() const override { return std::nullopt; }
  std::optional<Endpoint> local() const override { return std::nullopt; }

  std::vector<std::size_t> asked;
};

Task<void> asks_for_twice_as_much(Loop&) {
  Tap tap;
  LineReader reader(tap);
  for (int i = 0; i < 8; ++i) {
    auto some = co_await reader.some({});
    REQUIRE(some);
    reader.consume(some->size());
  }
  CHECK(tap.asked == std::vector<std::size_t>{4096, 8192, 16384, 32768, 65536, 131072, 262144, 4096});
}

// Ten readers that get all they ask for; gives the longest block that each has asked for.
Task<void> shares_large_blocks(Loop&) {
  constexpr std::size_t kReaders = 10, kMostLarge = 8;
  std::vector<Tap> taps(kReaders);
  std::vector<LineReader> readers;
  for (Tap& tap : taps) readers.emplace_back(tap);
  for (int i = 0; i < 6; ++i)
    for (LineReader& reader : readers) {
      auto some = co_await reader.some({});
      REQUIRE(some);
      reader.consume(some->size());
    }
  auto is_large = [](const Tap& tap) { return tap.asked.back() > 65536; };
  CHECK(std::ranges::count_if(taps, is_large) == kMostLarge);
  readers.pop_back();
  readers.erase(readers.begin());  // it had one
  for (LineReader& reader : readers) {
    auto some = co_await reader.some({});
    REQUIRE(some);
  }
  CHECK(std::ranges::count_if(taps, [](const Tap& tap) { return tap.asked.back() >= 131072; }) ==
        kMostLarge + 1);
}

Task<void> bounds_the_whole_line(Loop& loop) {
  MemoryPair pair = make_memory_pair(loop);
  LineReader reader(*pair.second);
  Nursery nursery(loop);
  auto drip = [](Loop& l, Stream& stream) -> Task<void> {
    for (int i = 0; i < 100; ++i) {
      auto written = co_await stream.write("x", {});
      if (!written) co_return;
      co_await sleep_until(l, l.within(10s));
    }
  };
  nursery.spawn(drip(loop, *pair.first));
  Instant start = loop.now();
  auto line = co_await reader.line(512, loop.within(1min));
  REQUIRE_FALSE(line);
  CHECK(line.error().kind == IoErrorKind::timeout);
  CHECK(loop.now() == start + 1min);
  pair.second.reset();
  auto drained = co_await nursery.drained({});
  CHECK(drained == Woken::ready);
}

Task<IoErrorKind> connect_error(Loop& loop, Endpoint to) {
  auto stream = co_await connect_tcp(loop, to, loop.within(5s));
  co_return stream ? IoErrorKind::system : stream.error().kind;
}

}  // namespace

TEST_CASE("stream: TCP carries bytes both ways, half-closes, times out and is cancelled") {
  SystemClock clock;
  Loop loop(clock);
  loop.run(over_tcp(loop));
}

TEST_CASE("stream: so does a Unix socket, with the mode that was asked for") {
  SystemClock clock;
  Loop loop(clock);
  std::string directory = temporary_directory();
  loop.run(over_unix(loop, directory));
  CHECK_FALSE(std::filesystem::exists(directory + "/s"));
  std::filesystem::remove_all(directory);
}

TEST_CASE("stream: so does memory, however small its pieces") {
  ManualClock clock;
  Loop loop(clock);
  loop.run(over_memory(loop));
}

TEST_CASE("line reader: lines end with CR LF or LF, and what follows stays") {
  ManualClock clock;
  Loop loop(clock);
  loop.run(reads_lines(loop));
}

TEST_CASE("line reader: a line that is too long is refused and can be skipped") {
  ManualClock clock;
  Loop loop(clock);
  loop.run(refuses_long_lines(loop));
}

TEST_CASE("line reader: the room for blocks grows with what comes and shrinks when little does") {
  ManualClock clock;
  Loop loop(clock);
  loop.run(asks_for_twice_as_much(loop));
}

TEST_CASE("line reader: all readers together have a few blocks beyond 64 KiB, and give them back") {
  ManualClock clock;
  Loop loop(clock);
  loop.run(shares_large_blocks(loop));
}

TEST_CASE("line reader: a deadline holds for the whole line, not for each byte") {
  ManualClock clock;
  Loop loop(clock);
  loop.run(bounds_the_whole_line(loop));
}

TEST_CASE("listener: an address that is taken is told apart, and so is a refused connection") {
  SystemClock clock;
  Loop loop(clock);
  Endpoint at;
  {
    auto first = Listener::listen_tcp(loop, *Endpoint::parse("127.0.0.1:0"));
    REQUIRE(first);
    at = *(*first)->local();
    auto second = Listener::listen_tcp(loop, at);
    REQUIRE_FALSE(second);
    CHECK(second.error().kind == IoErrorKind::address_in_use);
    CHECK(second.error().text.find(at.to_text()) != std::string::npos);
  }
  CHECK(loop.run(connect_error(loop, at)) == IoErrorKind::refused);
}

TEST_CASE("resolver: an address is itself, localhost is known, a name under .invalid is not") {
  SystemClock clock;
  Loop loop(clock);
  SystemResolver resolver(loop);
  auto literal = loop.run(resolver.resolve("::1", {}));
  REQUIRE(literal);
  CHECK(literal->front().to_text() == "::1");
  auto local = loop.run(resolver.resolve("localhost", {}));
  REQUIRE(local);
  CHECK(local->front().is_loopback());
  auto unknown = loop.run(resolver.resolve("no-such-host.invalid", {}));
  REQUIRE_FALSE(unknown);
  bool told =
      unknown.error().kind == IoErrorKind::no_such_name || unknown.error().kind == IoErrorKind::lookup_failed;
  CHECK(told);
  CHECK(SystemResolver::outstanding() == 0);
}
