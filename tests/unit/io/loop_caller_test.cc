// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "daemon/io/work.h"

using namespace hikyaku;
using io::LoopCaller;

namespace {

constexpr std::chrono::milliseconds kLong{600'000};

struct CallerRig {
  SystemClock clock;
  io::Loop loop{clock};
  LoopCaller caller{loop};
  std::thread::id loop_thread = std::this_thread::get_id();

  // Runs the loop until `other` has returned on its own thread, and then closes.
  void run_beside(const std::function<void()>& other) {
    io::Event ended(loop);
    bool has_ended = false;
    std::thread thread([&] {
      other();
      loop.post([&] {
        has_ended = true;
        ended.notify();
      });
    });
    loop.run(waiting(ended, has_ended));
    thread.join();
    loop.run(caller.close());
  }
  static Task<void> waiting(io::Event& ended, bool& has_ended) {
    while (!has_ended) co_await ended.wait({});
  }
};

}  // namespace

TEST_CASE("caller: a question is answered on the loop's thread") {
  CallerRig rig;
  rig.run_beside([&] {
    auto thread = rig.caller.call<std::thread::id>(
        []() -> Task<std::thread::id> { co_return std::this_thread::get_id(); }, kLong);
    CHECK(thread == rig.loop_thread);
    CHECK(std::this_thread::get_id() != rig.loop_thread);
  });
}

TEST_CASE("caller: a question may wait for something, and others are answered meanwhile") {
  CallerRig rig;
  io::Event opened(rig.loop);
  bool is_open = false;
  std::optional<int> first;
  rig.run_beside([&] {
    std::thread waits([&] {
      first = rig.caller.call<int>(
          [&]() -> Task<int> {
            while (!is_open) co_await opened.wait({});
            co_return 1;
          },
          kLong);
    });
    auto second = rig.caller.call<int>(
        [&]() -> Task<int> {
          is_open = true;
          opened.notify();
          co_return 2;
        },
        kLong);
    CHECK(second == 2);
    waits.join();
  });
  CHECK(first == 1);
}

TEST_CASE("caller: who has waited long enough goes without an answer, and the task ends unheard") {
  CallerRig rig;
  io::Event opened(rig.loop);
  bool is_open = false;
  bool has_ended = false;
  rig.run_beside([&] {
    auto answer = rig.caller.call<int>(
        [&]() -> Task<int> {
          while (!is_open) co_await opened.wait({});
          has_ended = true;
          co_return 1;
        },
        std::chrono::milliseconds(1));
    CHECK_FALSE(answer);
    rig.loop.post([&] {
      is_open = true;
      opened.notify();
    });
  });
  CHECK(has_ended);
}

TEST_CASE("caller: closing sends away who waits, cancels what waits, and refuses what comes later") {
  CallerRig rig;
  io::Event began(rig.loop);
  bool has_begun = false;
  std::optional<io::Woken> woken;
  std::thread asking([&] {
    auto answer = rig.caller.call<int>(
        [&]() -> Task<int> {
          has_begun = true;
          began.notify();
          woken = co_await io::sleep_until(rig.loop, {kNever, &rig.caller.cancel()});
          co_return 1;
        },
        kLong);
    CHECK_FALSE(answer);
    CHECK_FALSE(rig.caller.call<int>([]() -> Task<int> { co_return 1; }, kLong));
  });
  rig.loop.run(CallerRig::waiting(began, has_begun));
  rig.loop.run(rig.caller.close());
  asking.join();
  CHECK(woken == io::Woken::cancelled);
}

TEST_CASE("caller: closing races with a crowd that asks, and everybody comes home") {
  for (int round = 1; round <= 20; ++round) {
    CallerRig rig;
    io::Event asked(rig.loop);
    bool is_enough = false;
    int answered = 0;
    auto question = [&]() -> Task<int> {
      is_enough = ++answered >= round;
      asked.notify();
      co_return 7;
    };
    std::vector<std::thread> crowd;
    for (int i = 0; i < 8; ++i)
      crowd.emplace_back([&] {
        while (rig.caller.call<int>(question, kLong) == 7) continue;
      });
    rig.loop.run(CallerRig::waiting(asked, is_enough));
    rig.loop.run(rig.caller.close());
    for (std::thread& one : crowd) one.join();
    CHECK(answered >= round);
  }
}
