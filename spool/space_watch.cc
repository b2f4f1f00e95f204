// SPDX-License-Identifier: MIT
#include "spool/space_watch.h"

#include <algorithm>
#include <utility>

#include "daemon/base/error.h"

namespace hikyaku::spool {

using mail::SinkError;

namespace {

constexpr Duration kMaxAge = 1s;
constexpr int kCalmLooks = 5;  // without trouble, before it is called over; more where it has come back soon
constexpr int kMostCalmLooks = 600;
constexpr Duration kSoon = 10min;
constexpr Duration kReminder = 24h;       // between two lines about a trouble that lasts
constexpr Duration kBetweenKinds = 1min;  // … about one that changes its looks

// A file of no more than a block tells whether files can be made and written.
Result<void, DiskError> try_to_write(Disk& disk) {
  constexpr std::string_view kTrial = "trial";
  (void)disk.unlink(kTrial);
  auto file = disk.create(kTrial);
  if (!file) return std::unexpected(file.error());
  auto done = write_all(**file, std::string(4096, '\0'), 0);
  if (done) done = (*file)->flush();
  (void)disk.unlink(kTrial);
  return done;
}

}  // namespace

SpaceWatch::SpaceWatch(io::Loop& loop, Disk& disk, Workers& workers, const SpoolOptions& options,
                       std::function<bool()> takes_mail)
    : loop_(loop),
      disk_(disk),
      workers_(workers),
      options_(options),
      takes_mail_(std::move(takes_mail)),
      seen_(disk.space()),
      seen_at_(loop.now()),
      has_looked_(loop),
      nursery_(loop) {}

std::optional<SinkError> SpaceWatch::reason_to_refuse(std::uint64_t size) {
  look_again();
  auto trouble = judge(size);
  return trouble ? std::optional(to_sink_error(*trouble)) : std::nullopt;
}

// A mere lack of room shows in the write itself.
std::optional<SinkError> SpaceWatch::reason_to_refuse_notice() {
  look_again();
  return seen_ ? std::nullopt : std::optional(to_sink_error(seen_.error()));
}

std::optional<Trouble> SpaceWatch::judge(std::uint64_t size) const {
  return seen_ ? trouble_with(*seen_, options_.min_free, size) : trouble_with(seen_.error(), DiskSpace());
}

std::optional<Trouble> SpaceWatch::trouble() const {
  auto trouble = judge(0);
  for (const auto& failure : failures_)
    if (!trouble && failure) trouble = trouble_with(*failure, *seen_);
  return trouble;
}

void SpaceWatch::note_failure(Part part, const DiskError& error) {
  failure(part) = error;
  tell_of_trouble();
}

// The simulated disk answers at once and is asked each time: what it does must depend on the calls alone.
void SpaceWatch::look_again() {
  if (options_.committer == CommitterMode::inline_on_loop) see(disk_.space());
  if (is_old()) begin_to_watch();
}

bool SpaceWatch::is_old() const { return loop_.now() - seen_at_ >= kMaxAge; }

// A disk that does not answer keeps nobody waiting for long.
Task<void> SpaceWatch::looked(io::Until until) {
  look_again();
  if (is_old()) co_await has_looked_.wait(until);
}

void SpaceWatch::see(Result<DiskSpace, DiskError> now) {
  seen_ = std::move(now);
  seen_at_ = loop_.now();
  tell_of_trouble();
  has_looked_.notify();
}

Task<void> SpaceWatch::look() {
  auto now = co_await workers_.run([&] { return disk_.space(); });
  see(std::move(now));
}

void SpaceWatch::begin_to_watch() {
  if (is_watching_ || cancel_.is_requested()) return;
  is_watching_ = true;
  nursery_.spawn(watch());
}

// While mail is refused there may be no request that starts a check, and a request must not get an old
// answer.
Task<void> SpaceWatch::watch() {
  co_await look();
  for (int calm = 0; reported_ && !cancel_.is_requested();) {
    co_await io::sleep_until(loop_, loop_.within(kMaxAge, &cancel_));
    co_await look();
    co_await try_again();
    calm = trouble() ? 0 : calm + 1;
    if (calm >= calm_wanted_) tell_of_end();
  }
  is_watching_ = false;
}

// A failure must not stand only because no mail has been sent since.
Task<void> SpaceWatch::try_again() {
  if (takes_mail_()) note_success(Part::log);
  if (!failure(Part::large)) co_return;
  auto written = co_await workers_.run([&] { return try_to_write(disk_); });
  if (written) note_success(Part::large);
}

void SpaceWatch::tell_of_trouble() {
  auto now = trouble();
  if (!now) return;
  Duration rest = reported_ == now->kind ? kReminder : kBetweenKinds;
  if (reported_ && loop_.now() - told_at_ < rest) return;
  if (!reported_) {
    bool comes_back = calm_wanted_ > 0 && loop_.now() - ended_at_ < kSoon;
    calm_wanted_ = comes_back ? std::min(4 * calm_wanted_, kMostCalmLooks) : kCalmLooks;
  }
  reported_ = now->kind;
  told_at_ = loop_.now();
  if (on_trouble_) on_trouble_(now);
  begin_to_watch();
}

void SpaceWatch::tell_of_end() {
  reported_.reset();
  ended_at_ = loop_.now();
  if (on_trouble_) on_trouble_(std::nullopt);
}

// Trouble found before a listener was set is reported now.
void SpaceWatch::set_on_trouble(OnTrouble on_trouble) {
  on_trouble_ = std::move(on_trouble);
  reported_.reset();
  tell_of_trouble();
}

Task<void> SpaceWatch::close() {
  cancel_.request();
  io::Woken drained = co_await nursery_.drained({});
  check(drained == io::Woken::ready, "watching the disk ends when it is told to");
}

}  // namespace hikyaku::spool
