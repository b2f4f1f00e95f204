// SPDX-License-Identifier: MIT
// Time comes from a Clock that tests can move. Two kinds never mix: Instant (steady, for deadlines and
// waiting) and WallTime (for people and for headers; may jump at any time).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hikyaku {

using Duration = std::chrono::microseconds;
using namespace std::chrono_literals;

struct SteadyTime {
  using duration = Duration;
  using rep = Duration::rep;
  using period = Duration::period;
  using time_point = std::chrono::time_point<SteadyTime>;
  static constexpr bool is_steady = true;
};
using Instant = SteadyTime::time_point;
using WallTime = std::chrono::sys_time<Duration>;

inline constexpr Instant kNever = Instant::max();

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  virtual WallTime wall() const = 0;
  // A simulated clock moves to `when`, the next timer, because nothing else is to be done. A real one returns
  // false.
  virtual bool jump_to(Instant when) = 0;
};

class SystemClock final : public Clock {
 public:
  Instant now() const override;
  WallTime wall() const override;
  bool jump_to(Instant) override { return false; }
};

// Stands still until it is moved. With `jumps` the event loop moves it to the next timer whenever it is idle,
// so that a simulated day passes in no time; without, only advance() does.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(bool jumps = true) : jumps_(jumps) {}
  Instant now() const override { return now_; }
  WallTime wall() const override { return wall_; }
  bool jump_to(Instant when) override;
  void advance(Duration by);                      // both times
  void set_wall(WallTime wall) { wall_ = wall; }  // a jump of the wall clock alone

 private:
  bool jumps_;
  Instant now_{std::chrono::hours(1)};
  WallTime wall_{std::chrono::seconds(1'790'000'000)};  // 2026-09-21
};

// "2026-11-22T03:14:04Z" (RFC 3339, UTC, whole seconds).
std::string to_rfc3339(WallTime time);
// What to_rfc3339() writes; nullopt: it is something else.
std::optional<WallTime> parse_rfc3339(std::string_view text);
// "Sun, 22 Nov 2026 03:14:04 +0000" (RFC 5322 3.3), in the machine's time zone.
std::string to_rfc5322_date(WallTime time);
// "3.4s", "12m", "4h30m", "5d": for people, two units at most.
std::string to_text(Duration duration);

}  // namespace hikyaku
