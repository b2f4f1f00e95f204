// SPDX-License-Identifier: MIT
// A spool on the simulated disk, opened and closed around a test's body, and the few steps that most tests
// take.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "daemon/io/loop.h"
#include "spool/spool.h"
#include "tests/support/disk/sim_disk.h"

namespace hikyaku::spool {

inline SpoolOptions small_options() {
  return {
      .min_free = {0}, .segment_size = 64_KiB, .memory = 1_MiB, .committer = CommitterMode::inline_on_loop};
}

inline mail::Envelope some_envelope(std::string sender = "app@example.com") {
  mail::Envelope envelope;
  envelope.sender = std::move(sender);
  envelope.recipients = {{.address = "user@example.net", .notify = {}, .orcpt = {}}};
  return envelope;
}

struct SpoolFixture {
  ManualClock clock;
  io::Loop loop{clock};
  std::unique_ptr<test::SimDisk> disk = std::make_unique<test::SimDisk>();
  SpoolOptions options = small_options();
  std::unique_ptr<Spool> spool;

  ~SpoolFixture() { stop(); }

  std::optional<SpoolErrorKind> start() {
    auto opened = loop.run(Spool::open(loop, *disk, options));
    if (!opened) return opened.error().kind;
    spool = std::move(*opened);
    return std::nullopt;
  }
  void stop() {
    if (spool == nullptr) return;
    loop.run(spool->close());
    spool.reset();
  }
  void restart() {
    stop();
    REQUIRE(start() == std::nullopt);
  }
  // As after kill -9 (nothing) or a power cut (its seed).
  void crash(std::optional<std::uint64_t> cut_seed) {
    auto survivor = cut_seed ? disk->after_cut(*cut_seed) : disk->after_kill();
    disk->cut_power_at(disk->steps() + 1);
    stop();
    disk = std::move(survivor);
    REQUIRE(start() == std::nullopt);
  }

  Task<Result<mail::MailId, mail::SinkError>> accepting(std::string content, mail::Envelope envelope) {
    return writing(spool->begin(), std::move(content), std::move(envelope));
  }
  Task<Result<mail::MailId, mail::SinkError>> writing(
      Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> writer, std::string content,
      mail::Envelope envelope) {
    if (!writer) co_return std::unexpected(writer.error());
    for (std::size_t at = 0; at < content.size(); at += 10'000) {
      auto written = co_await (*writer)->write(std::string_view(content).substr(at, 10'000));
      if (!written) co_return std::unexpected(written.error());
    }
    auto done = co_await (*writer)->commit(std::move(envelope));
    if (!done) co_return std::unexpected(done.error());
    co_return (*writer)->id();
  }
  Result<mail::MailId, mail::SinkError> try_accept(std::string content,
                                                   std::string sender = "app@example.com") {
    return loop.run(accepting(std::move(content), some_envelope(std::move(sender))));
  }
  Result<mail::MailId, mail::SinkError> try_notice(std::size_t size) {
    return loop.run(writing(spool->begin_notice({}), std::string(size, 'n'), some_envelope("")));
  }
  mail::MailId accept(std::string content) {
    auto id = try_accept(std::move(content));
    REQUIRE(id);
    return *id;
  }

  void pass(Duration time) {
    loop.run([](io::Loop& loop, Duration time) -> Task<void> {
      co_await io::sleep_until(loop, loop.within(time));
    }(loop, time));
  }

  Task<Result<std::string, mail::SourceError>> reading(mail::MailId id) {
    auto reader = spool->open(id);
    if (!reader) co_return std::unexpected(reader.error());
    std::string all;
    for (;;) {
      auto piece = co_await (*reader)->next();
      if (!piece) co_return std::unexpected(piece.error());
      if (piece->empty()) co_return all;
      all += *piece;
    }
  }
  Result<std::string, mail::SourceError> read(mail::MailId id) { return loop.run(reading(id)); }
  std::string content(mail::MailId id) {
    auto all = read(id);
    return all ? *all : "error: " + all.error().text;
  }
  bool finish(mail::MailId id) { return loop.run(spool->finish(id)).has_value(); }
  bool record(mail::MailId id, mail::Progress progress) {
    return loop.run(spool->record(id, std::move(progress), mail::MayGo::yes)).has_value();
  }
  std::vector<mail::MailId> queued() const {
    std::vector<mail::MailId> ids;
    for (const mail::QueueEntry& entry : spool->entries()) ids.push_back(entry.id);
    return ids;
  }
};

}  // namespace hikyaku::spool
