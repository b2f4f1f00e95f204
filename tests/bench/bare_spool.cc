// SPDX-License-Identifier: MIT
#include "tests/bench/bare_spool.h"

#include <stdexcept>
#include <utility>

#include "daemon/io/nursery.h"

namespace hikyaku::bench {
namespace {

constexpr std::size_t kSize = 2048;

std::string make_content() {
  std::string content = "X-Number: 0\r\nFrom: a@src.example\r\nTo: b@dest.example\r\nSubject: bench\r\n\r\n";
  while (content.size() + 80 < kSize) content += std::string(78, 'X') + "\r\n";
  return content + std::string(kSize - content.size() - 2, 'X') + "\r\n";
}

mail::Envelope some_envelope() {
  mail::Envelope envelope;
  envelope.sender = "a@src.example";
  envelope.recipients.push_back({"b@dest.example", {}, {}});
  return envelope;
}

// Of eight kinds, each with an address of its own in it, as they come.
std::string some_reason(mail::MailId id) {
  constexpr std::string_view kTroubles[] = {
      "the mailbox of <{}> is over quota",        "the smarthost asks to try again later",
      "the smarthost is slow with mail for <{}>", "the smarthost takes no more recipients like <{}> today",
      "greylisted: <{}> is to be tried later",    "the connection broke off before the reply",
      "<{}> cannot be verified at the moment",    "the smarthost has no room for mail to <{}>"};
  std::string reason(kTroubles[id.value % std::size(kTroubles)]);
  if (const auto at = reason.find("{}"); at != reason.npos)
    reason.replace(at, 2, "r" + to_text(id) + "@dest.example");
  return reason;
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

Task<void> BareSpool::defer_one(mail::MailId id, Duration wait) {
  mail::Progress progress;
  progress.recipients = {{mail::RecipientState::pending, "450 4.2.0 <b@dest.example>: try again later"}};
  progress.attempts = 1;
  progress.next_wait = wait;
  progress.reason = some_reason(id);
  progress.smarthost = "sink";
  auto recorded = co_await spool_->record(id, progress, mail::MayGo::yes);
  demand(std::move(recorded));
}

void BareSpool::empty() {
  for_all([this](mail::MailId id) { return end(id); });
}

void BareSpool::defer(Duration wait) {
  for_all([this, wait](mail::MailId id) { return defer_one(id, wait); });
}

void BareSpool::for_all(std::function<Task<void>(mail::MailId)> what) {
  loop_.run(for_these(spool_->entries(), std::move(what)));
}

// A thousand at a time: each has a frame while it waits.
Task<void> BareSpool::for_these(std::vector<mail::QueueEntry> entries,
                                std::function<Task<void>(mail::MailId)> what) {
  io::Nursery nursery(loop_);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    nursery.spawn(what(entries[i].id));
    if (i % 1000 == 999) co_await nursery.drained({});
  }
  co_await nursery.drained({});
}

}  // namespace hikyaku::bench
