// SPDX-License-Identifier: MIT
#include "tests/crash/passing/passing.h"

#include <stdexcept>
#include <utility>
#include <vector>

#include "daemon/base/text.h"
#include "daemon/io/nursery.h"

namespace hikyaku::crash {
namespace {

constexpr std::int64_t kSegment = 1 << 20;
constexpr std::size_t kWriters = 100;
constexpr std::uint64_t kLegs = 12;
constexpr std::size_t kQueues[] = {0, 3000, 0, 300};  // the first: each message ends as soon as it is there
constexpr unsigned kWatchEvery = 100;
constexpr unsigned kDeferStayerEvery = 500;
constexpr unsigned kDeferEvery = 8;
constexpr unsigned kVerifyEvery = 50;
constexpr std::int64_t kRecordOverhead = 120;  // header and envelope, a little less than they take
constexpr Duration kSettled = 20s;
constexpr Duration kGlance = 5ms;

template <class T>
T demand(T result) {
  if (!result) throw std::runtime_error(result.error().text);
  return result;
}

std::string content_of(std::uint64_t number) {
  static const std::string noise = [] {
    std::mt19937_64 dice(7);
    std::string letters;
    while (letters.size() < 16'000) letters += std::to_string(dice()) + "\r\n";
    return letters;
  }();
  std::string head = cat("From: a@src.example\r\nSubject: ", std::to_string(number), "\r\n\r\n");
  return head + noise.substr(number % 9000, 200 + number * 7919 % 4000) + "\r\n";
}

std::int64_t live_bytes(const std::string& content) {
  return static_cast<std::int64_t>(content.size()) + kRecordOverhead;
}

mail::Envelope some_envelope() {
  mail::Envelope envelope;
  envelope.sender = "a@src.example";
  envelope.recipients.push_back({"b@dest.example", {}, {}});
  return envelope;
}

}  // namespace

// So many messages, so many of them queued at a time.
struct Passing::Leg {
  std::uint64_t messages = 0;
  std::size_t queue = 0;
  std::uint64_t begun = 0;
  std::vector<Message> queued;

  Message take(std::size_t place) {
    std::swap(queued[place], queued.back());
    Message taken = std::move(queued.back());
    queued.pop_back();
    return taken;
  }
};

Passing::Passing(const std::string& directory) : directory_(directory) {
  disk_ = std::move(*demand(spool::open_disk(directory)));
  open();
  stayer_ = loop_.run(accept(0));
}

Passing::~Passing() {
  if (spool_ != nullptr) close();
}

void Passing::open() {
  const spool::SpoolOptions options{.min_free = {0}, .segment_size = {kSegment}};
  spool_ = std::move(*demand(loop_.run(spool::Spool::open(loop_, *disk_, options))));
}

void Passing::close() {
  loop_.run(spool_->close());
  spool_.reset();
}

void Passing::pass(std::uint64_t messages) {
  for (std::uint64_t leg = 0; leg < kLegs; ++leg) {
    travel(messages / kLegs, kQueues[leg % std::size(kQueues)]);
    rest();
    if (leg % 3 == 2) close(), open();
  }
  loop_.run(check_stayer());
}

void Passing::travel(std::uint64_t messages, std::size_t queue) {
  Leg leg{.messages = messages, .queue = queue, .queued = {}};
  loop_.run(carry(leg));
  if (!trouble_.empty()) throw std::runtime_error(trouble_);
  if (on_the_way_.excess > kSegment)
    throw std::runtime_error("log/ grew by more than a segment beyond the bound");
}

Task<void> Passing::carry(Leg& leg) {
  io::Nursery nursery(loop_, [this](const std::string& what) { trouble_ = what; });
  for (std::size_t i = 0; i < kWriters; ++i) nursery.spawn(write_on(leg));
  co_await nursery.drained({});
  while (!leg.queued.empty() && trouble_.empty()) {
    for (std::size_t i = 0; i < kWriters && !leg.queued.empty(); ++i) nursery.spawn(end(leg.take(0)));
    co_await nursery.drained({});
  }
}

Task<void> Passing::write_on(Leg& leg) {
  while (leg.begun++ < leg.messages && trouble_.empty()) {
    auto message = co_await accept(++accepted_);
    if (message.number % kDeferEvery == 0) co_await defer(message);
    if (message.number % kDeferStayerEvery == 0) co_await defer(stayer_);
    leg.queued.push_back(std::move(message));
    if (leg.queued.size() > leg.queue) co_await end(leg.take(dice_() % leg.queued.size()));
    if (leg.begun % kWatchEvery == 0) on_the_way_.take(sizes(), kSegment);
  }
}

Task<Passing::Message> Passing::accept(std::uint64_t number) {
  const std::string content = content_of(number);
  auto writer = demand(spool_->begin());
  auto written = co_await (*writer)->write(content);
  demand(std::move(written));
  auto committed = co_await (*writer)->commit(some_envelope());
  demand(std::move(committed));
  live_ += live_bytes(content);
  Message message{.id = (*writer)->id(), .number = number, .progress = {}};
  message.progress.recipients.resize(1);
  co_return message;
}

Task<void> Passing::defer(Message& message) {
  ++message.progress.attempts;
  message.progress.reason = cat("deferred for the ", std::to_string(message.progress.attempts), "th time");
  auto recorded = co_await spool_->record(message.id, message.progress, mail::MayGo::no);
  demand(std::move(recorded));
}

Task<void> Passing::end(Message message) {
  if (message.number % kVerifyEvery == 0) co_await verify(message);
  live_ -= live_bytes(content_of(message.number));
  auto ended = co_await spool_->finish(message.id);
  demand(std::move(ended));
}

Task<void> Passing::verify(Message message) {
  auto loaded = co_await spool_->load(message.id);
  if (demand(std::move(loaded))->progress != message.progress) throw std::runtime_error("another progress");
  auto reader = demand(spool_->open(message.id));
  std::string content;
  for (;;) {
    auto piece = co_await (*reader)->next();
    const std::string_view bytes = *demand(std::move(piece));
    if (bytes.empty()) break;
    content += bytes;
  }
  if (content != content_of(message.number)) throw std::runtime_error("another content");
}

Sizes Passing::sizes() const { return {.bytes = blocks_in(directory_ + "/log"), .live = live_}; }

void Passing::rest() {
  loop_.run(settle());
  at_rest_.take(sizes(), kSegment);
  if (at_rest_.excess > 0)
    throw std::runtime_error(cat("at rest log/ has ", std::to_string(sizes().bytes), " bytes for ",
                                 std::to_string(live_), " live ones: more than the bound allows"));
}

// What is still to be copied and set free is, soon. A file that is just being renamed may be missed by a look
// at the directory, so several in a row have to agree.
Task<void> Passing::settle() {
  const Instant end = loop_.now() + kSettled;
  for (int agreeing = 0; agreeing < 3 && loop_.now() < end;) {
    co_await io::sleep_until(loop_, loop_.within(kGlance));
    agreeing = sizes().excess(kSegment) > 0 ? 0 : agreeing + 1;
  }
}

Task<void> Passing::check_stayer() {
  if (spool_->entries().size() != 1) throw std::runtime_error("the stayer is not alone");
  co_await verify(stayer_);
}

}  // namespace hikyaku::crash
