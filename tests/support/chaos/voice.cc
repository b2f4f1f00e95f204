// SPDX-License-Identifier: MIT
#include "tests/support/chaos/voice.h"

#include <utility>

namespace hikyaku::test {
namespace {

constexpr Duration kSilences[] = {1s, 30s, 4min, 6min, 9min, 11min, 1h};
constexpr Duration kDrips[] = {10ms, 700ms, 4s, 20s};
constexpr Duration kMute = 2h;                 // no client stays so long
constexpr std::size_t kEndless = 1024 * 1024;  // no client reads so much

}  // namespace

Task<bool> ChaosVoice::say(Manner manner, std::string reply, std::optional<std::size_t> entry) {
  if (merges_ && (manner == Manner::whole)) {
    waiting_ += reply;
    if (entry) entries_.push_back(*entry);
    co_return true;
  }
  auto flushed = co_await flush();
  if (!flushed) co_return false;
  if (entry) entries_.push_back(*entry);
  auto said = co_await say_now(manner, reply);
  if (is_reply(manner)) tell(said);
  entries_.clear();
  co_return said;
}

Task<bool> ChaosVoice::flush() {
  if (waiting_.empty()) co_return true;
  auto written = co_await write(std::exchange(waiting_, {}));
  tell(written);
  co_return written;
}

void ChaosVoice::tell(bool is_written) {
  for (std::size_t entry : std::exchange(entries_, {}))
    ledger_.tell(entry, is_written && !talked_nonsense_ ? Told::yes : Told::perhaps);
}

Task<bool> ChaosVoice::say_now(Manner manner, const std::string& reply) {
  bool goes_on = false;
  switch (manner) {
    case Manner::whole: goes_on = co_await write(reply); break;
    case Manner::split: goes_on = co_await split(reply); break;
    case Manner::late:
      co_await rest_long();
      goes_on = co_await write(reply);
      break;
    case Manner::dripped: goes_on = co_await drip(reply); break;
    case Manner::cut: co_await write(std::string_view(reply).substr(0, dice_.below(reply.size() - 1))); break;
    case Manner::garbled: goes_on = co_await garble(); break;
    case Manner::endless: goes_on = co_await say_for_ever(); break;
    case Manner::silent: break;
    case Manner::mute: co_await rest(kMute); break;
  }
  co_return goes_on;
}

Task<bool> ChaosVoice::split(const std::string& reply) {
  std::size_t at = dice_.below(reply.size());
  auto written = co_await write(std::string_view(reply).substr(0, at));
  co_await rest(std::chrono::milliseconds(dice_.below(2000)));
  if (written) written = co_await write(std::string_view(reply).substr(at));
  co_return written;
}

Task<bool> ChaosVoice::drip(const std::string& reply) {
  Duration pause = kDrips[dice_.below(std::size(kDrips))];
  for (char byte : reply) {
    co_await rest(pause);
    auto written = co_await write({&byte, 1});
    if (!written) co_return false;
  }
  co_return true;
}

// Some hang up then, some go on as if nothing had been.
Task<bool> ChaosVoice::garble() {
  talked_nonsense_ = true;
  auto written = co_await write(garbage(dice_));
  co_return written&& dice_.chance(50);
}

// With or without line ends.
Task<bool> ChaosVoice::say_for_ever() {
  talked_nonsense_ = true;
  std::string some = std::string(1000, 'x') + (dice_.chance(50) ? "\r\n250-" : "");
  auto written = co_await write("250-");
  for (endless_bytes_ = 0; written && endless_bytes_ < kEndless; endless_bytes_ += some.size())
    written = co_await write(some);
  co_return written;
}

Task<void> ChaosVoice::rest(Duration time) {
  rested_ += time;
  co_await io::sleep_until(loop_, loop_.within(time));
}

// Not at the very microsecond of anybody's deadline.
Task<void> ChaosVoice::rest_long() {
  co_await rest(kSilences[dice_.below(std::size(kSilences))] + std::chrono::milliseconds(dice_.below(900)) +
                7us);
}

Task<bool> ChaosVoice::write(std::string_view bytes) {
  auto written = co_await stream_.write(bytes, {});
  co_return written.has_value();
}

}  // namespace hikyaku::test
