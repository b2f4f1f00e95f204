// SPDX-License-Identifier: MIT
#include "daemon/base/clock.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace hikyaku {
namespace {

std::string format(const char* pattern, const std::tm& time) {
  std::array<char, 64> text{};
  return std::string(text.data(), std::strftime(text.data(), text.size(), pattern, &time));
}

std::time_t seconds_of(WallTime time) {
  return static_cast<std::time_t>(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
}

}  // namespace

Instant SystemClock::now() const {
  auto since = std::chrono::steady_clock::now().time_since_epoch();
  return Instant(std::chrono::duration_cast<Duration>(since));
}

WallTime SystemClock::wall() const {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

bool ManualClock::jump_to(Instant when) {
  if (!jumps_) return false;
  if (when > now_) advance(when - now_);
  return true;
}

void ManualClock::advance(Duration by) {
  now_ += by;
  wall_ += by;
}

std::string to_rfc3339(WallTime time) {
  std::time_t seconds = seconds_of(time);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return format("%Y-%m-%dT%H:%M:%SZ", utc);
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  std::string copy(text);
  std::tm utc{};
  const char* end = ::strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return WallTime(std::chrono::seconds(::timegm(&utc)));
}

// Day and month names are written out here: strftime's %a and %b follow the locale, RFC 5322 does not.
std::string to_rfc5322_date(WallTime time) {
  static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::time_t seconds = seconds_of(time);
  std::tm local{};
  localtime_r(&seconds, &local);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %d %s", kDays[static_cast<std::size_t>(local.tm_wday)],
                local.tm_mday, kMonths[static_cast<std::size_t>(local.tm_mon)]);
  return std::string(text.data()) + format(" %Y %H:%M:%S %z", local);
}

std::string to_text(Duration duration) {
  using namespace std::chrono;
  std::array<char, 32> text{};
  long long all = duration_cast<seconds>(duration).count();
  auto print = [&](const char* pattern, auto... values) {
    std::snprintf(text.data(), text.size(), pattern, values...);
  };
  if (all < 60) {
    print("%.1fs", static_cast<double>(duration.count()) / 1e6);
  } else if (all < 3600) {
    all % 60 == 0 ? print("%lldm", all / 60) : print("%lldm%llds", all / 60, all % 60);
  } else if (all < 86400) {
    all % 3600 < 60 ? print("%lldh", all / 3600) : print("%lldh%lldm", all / 3600, all % 3600 / 60);
  } else {
    all % 86400 < 3600 ? print("%lldd", all / 86400) : print("%lldd%lldh", all / 86400, all % 86400 / 3600);
  }
  return text.data();
}

}  // namespace hikyaku
