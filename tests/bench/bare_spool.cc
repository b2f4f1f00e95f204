// SPDX-License-Identifier: MIT
#include "tests/bench/bare_spool.h"

#include <stdexcept>
#include <utility>

#include "daemon/io/nursery.h"

namespace hikyaku::bench {
namespace {

constexpr std::size_t kSize = 2048;

std::string make_content() {
  std::string content = "From: a@src.example\r\nTo: b@dest.example\r\nSubject: bench\r\n\r\n";
  while (content.size() + 80 < kSize) content += std::string(78, 'X') + "\r\n";
  return content + std::string(kSize - content.size() - 2, 'X') + "\r\n";
}

mail::Envelope some_envelope() {
  mail::Envelope envelope;
  envelope.sender = "a@src.example";
  envelope.recipients.push_back({"b@dest.example", {}, {}});
  return envelope;
}

template <class T>
T demand(T result) {
  if (!result) throw std::runtime_error(result.error().text);
  return result;
}

}  // namespace

Yield& Yield::operator+=(const Yield& other) {
  messages += other.messages;
  seconds += other.seconds;
  spent.records += other.spent.records;
  spent.batches += other.spent.batches;
  spent.flushes += other.spent.flushes;
  spent.bytes += other.spent.bytes;
  return *this;
}

struct BareSpool::Order {
  std::uint64_t messages = UINT64_MAX;
  Instant end = kNever;
  Fate fate = Fate::stay;
  io::Nursery ending;  // of messages
  std::uint64_t begun = 0;
  std::uint64_t acknowledged = 0;
};

BareSpool::BareSpool(const std::string& directory) : content_(make_content()) {
  disk_ = std::move(*demand(spool::open_disk(directory)));
  spool_ = std::move(*demand(loop_.run(spool::Spool::open(loop_, *disk_, {}))));
}

BareSpool::~BareSpool() { loop_.run(spool_->close()); }

Yield BareSpool::take_for(double seconds, std::size_t writers, Fate fate) {
  auto time = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
  Order order{.end = loop_.now() + time, .fate = fate, .ending = io::Nursery(loop_)};
  return carry_out(order, writers);
}

Yield BareSpool::take(std::uint64_t messages, std::size_t writers) {
  Order order{.messages = messages, .ending = io::Nursery(loop_)};
  return carry_out(order, writers);
}

Yield BareSpool::carry_out(Order& order, std::size_t writers) {
  const spool::SpoolCounters before = spool_->counters();
  const Instant began = loop_.now();
  loop_.run(run(order, writers));
  const spool::SpoolCounters after = spool_->counters();
  return {.messages = order.acknowledged,
          .seconds = std::chrono::duration<double>(loop_.now() - began).count(),
          .spent = {.records = after.records - before.records,
                    .batches = after.batches - before.batches,
                    .flushes = after.flushes - before.flushes,
                    .bytes = after.bytes - before.bytes}};
}

Task<void> BareSpool::run(Order& order, std::size_t writers) {
  io::Nursery nursery(loop_);
  for (std::size_t i = 0; i < writers; ++i) nursery.spawn(write_on(order));
  co_await nursery.drained({});
  co_await order.ending.drained({});
}

Task<void> BareSpool::write_on(Order& order) {
  while (order.begun++ < order.messages && loop_.now() < order.end) {
    auto writer = demand(spool_->begin());
    auto written = co_await (*writer)->write(content_);
    demand(std::move(written));
    auto committed = co_await (*writer)->commit(some_envelope());
    demand(std::move(committed));
    ++order.acknowledged;
    if (order.fate == Fate::end) order.ending.spawn(end((*writer)->id()));
  }
}

Task<void> BareSpool::end(mail::MailId id) {
  auto ended = co_await spool_->finish(id);
  demand(std::move(ended));
}

Task<void> BareSpool::end_all(std::vector<mail::QueueEntry> entries) {
  io::Nursery nursery(loop_);
  for (const mail::QueueEntry& entry : entries) nursery.spawn(end(entry.id));
  co_await nursery.drained({});
}

void BareSpool::empty() { loop_.run(end_all(spool_->entries())); }

}  // namespace hikyaku::bench
