// SPDX-License-Identifier: MIT
// Bodies on their way in and out when memory is short.
#include "spool/incoming.h"

#include <memory>
#include <vector>

#include "tests/unit/spool/spool_fixture.h"

namespace hikyaku::spool {
namespace {

std::string content_numbered(int number, std::size_t size) {
  std::string bytes(size, 0);
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<char>((i * 7 + static_cast<std::size_t>(number)) % 251);
  return bytes;
}

struct IncomingFixture : SpoolFixture {
  io::Nursery nursery{loop};

  IncomingFixture() {
    options.segment_size = 4_MiB;
    REQUIRE(start() == std::nullopt);
  }
  ~IncomingFixture() {
    stalled.clear();
    stop();
  }

  // Begins so many bodies and leaves them unfinished.
  void stall(int many, std::size_t size) {
    for (int i = 0; i < many; ++i) {
      auto writer = spool->begin();
      REQUIRE(writer);
      stalled.push_back(std::move(*writer));
      nursery.spawn(filling(stalled.back().get(), content_numbered(i, size)));
    }
  }
  static Task<void> filling(mail::MailWriter* writer, std::string content) {
    for (std::size_t at = 0; at < content.size(); at += 10'000) {
      auto written = co_await writer->write(std::string_view(content).substr(at, 10'000));
      CHECK(written);
    }
  }
  std::size_t files() const { return disk->list("large")->size(); }

  std::vector<std::unique_ptr<mail::MailWriter>> stalled;
};

TEST_CASE_FIXTURE(IncomingFixture,
                  "memory: a small message comes in within a second, however many large ones stall") {
  stall(64, 100'000);
  const std::size_t before = files();
  const Instant start = loop.now();
  auto id = accept("small");
  CHECK(content(id) == "small");
  CHECK(loop.now() == start);  // large ones cannot take what is guaranteed to it
  stall(200, 3000);            // but others like itself can
  id = accept("small, too");
  CHECK(loop.now() - start <= 2s);
  CHECK(files() > before);
  loop.run(nursery.drained({}));
  for (std::size_t i = 0; i < stalled.size(); ++i) {
    REQUIRE(loop.run(stalled[i]->commit(some_envelope())));
    bool is_large = i < 64;
    CHECK(content(stalled[i]->id()) ==
          content_numbered(static_cast<int>(is_large ? i : i - 64), is_large ? 100'000 : 3000));
  }
  stalled.clear();
}

TEST_CASE_FIXTURE(IncomingFixture,
                  "memory: a body that was written out while it stalled goes on, or goes without a trace") {
  stall(300, 3000);
  loop.run(nursery.drained({}));
  REQUIRE(files() > 0);
  std::string whole = content_numbered(0, 3000) + content_numbered(9, 200'000);
  loop.run(filling(stalled[0].get(), content_numbered(9, 200'000)));
  REQUIRE(loop.run(stalled[0]->commit(some_envelope())));
  CHECK(content(stalled[0]->id()) == whole);
  stalled.clear();
  CHECK(files() == 1);
  restart();
  CHECK(content(queued().front()) == whole);
}

TEST_CASE_FIXTURE(IncomingFixture,
                  "memory: a full disk under a body that is written out refuses it with its next piece") {
  disk->set_capacity(0);
  stall(1, 3000);
  loop.run(nursery.drained({}));
  auto writer = std::move(stalled.front());
  stalled.clear();
  for (int i = 0; i < 300; ++i) {
    auto other = spool->begin();
    REQUIRE(other);
    stalled.push_back(std::move(*other));
    nursery.spawn(
        [](mail::MailWriter* with) -> Task<void> { (void)co_await with->write("a"); }(stalled.back().get()));
  }
  loop.run(nursery.drained({}));
  auto refused = loop.run(writer->write("more"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == mail::SinkErrorKind::no_space);
}

// Content of four pieces that the cache does not hold.
struct PiecesFixture : SpoolFixture {
  std::string body = content_numbered(1, 200'000);
  mail::MailId id;

  PiecesFixture() {
    options.segment_size = 1_MiB;
    options.memory = 4_MiB;
    REQUIRE(start() == std::nullopt);
    id = accept(body);
    restart();
    REQUIRE(disk->list("large")->empty());
  }
  std::string next(mail::ContentReader& reader) {
    auto piece = loop.run(reader.next());
    return piece ? std::string(*piece) : "error: " + std::string(piece.error().text);
  }
};

TEST_CASE_FIXTURE(PiecesFixture, "memory: a message is read in pieces of 64 KiB, however it is stored") {
  auto reader = *spool->open(id);
  std::size_t pieces = 0;
  std::string all;
  for (std::string piece = next(*reader); !piece.empty(); piece = next(*reader), ++pieces) {
    CHECK(piece.size() <= 64_KiB .bytes);
    all += piece;
  }
  CHECK(pieces == 4);
  CHECK(all == body);
  REQUIRE(loop.run(reader->rewind()));
  CHECK(next(*reader) == body.substr(0, 64_KiB .bytes));
}

TEST_CASE_FIXTURE(PiecesFixture, "memory: a message that is copied elsewhere while it is read comes whole") {
  auto reader = *spool->open(id);
  std::string all = next(*reader) + next(*reader);
  const std::string first = disk->list("log")->front();
  for (int i = 0; i < 40; ++i) CHECK(finish(accept(std::string(200'000, 'p'))));
  REQUIRE(disk->list("log")->front() != first);
  for (std::string piece = next(*reader); !piece.empty(); piece = next(*reader)) all += piece;
  CHECK(all == body);
}

TEST_CASE_FIXTURE(PiecesFixture,
                  "memory: damage in a message that is read in pieces is noticed before the last") {
  const std::string path = "log/" + disk->list("log")->front();
  const std::string log = disk->content(path);
  disk->corrupt(path, log.find(body.substr(0, 1000)) + 100'000, "x");
  auto reader = *spool->open(id);
  std::string all = next(*reader) + next(*reader) + next(*reader);
  CHECK(all.size() < body.size());
  CHECK(next(*reader).find("damaged") != std::string::npos);
}

}  // namespace
}  // namespace hikyaku::spool
