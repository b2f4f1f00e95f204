// SPDX-License-Identifier: MIT
#include "daemon/base/mutex.h"

#include <doctest/doctest.h>

#include <optional>
#include <thread>

using namespace hikyaku;

namespace {

struct Box {
  Mutex mutex;
  Condition changed;
  std::optional<int> value GUARDED_BY(mutex);

  void put(int number) {
    Lock lock(mutex);
    value = number;
    changed.notify_all();
  }
  int take() {
    Lock lock(mutex);
    while (!value) changed.wait(lock);
    return *value;
  }
};

}  // namespace

TEST_CASE("mutex: a condition hands over what another thread has put under the lock") {
  Box box;
  std::thread other([&box] { box.put(7); });
  CHECK(box.take() == 7);
  other.join();
}

TEST_CASE("mutex: waiting for a condition ends at its time") {
  Box box;
  Lock lock(box.mutex);
  const auto past = std::chrono::steady_clock::now();
  while (box.changed.wait_until(lock, past)) continue;
  CHECK_FALSE(box.value);
}

TEST_CASE("mutex: a lock that is given up lets another thread in, and is taken again") {
  Box box;
  Lock lock(box.mutex);
  lock.unlock();
  std::thread([&box] { box.put(1); }).join();
  lock.lock();
  CHECK(box.value == 1);
}

TEST_CASE(
    "mutex: a semaphore keeps what is released before it is waited for, and gives up the lock meanwhile") {
  Mutex mutex;
  Semaphore work;
  int done = 0;  // under the lock
  work.release();
  Lock lock(mutex);
  work.acquire(lock);
  std::thread other([&] {
    Lock inner(mutex);
    done = 1;
    work.release();
  });
  while (done == 0) work.acquire(lock);
  lock.unlock();
  other.join();
}

TEST_CASE("mutex: waiting for a semaphore ends at its time, with what came before") {
  Mutex mutex;
  Semaphore work;
  Lock lock(mutex);
  const auto past = std::chrono::steady_clock::now();
  while (work.acquire_until(lock, past)) continue;
  work.release();
  CHECK(work.acquire_until(lock, past + std::chrono::hours(1)));
}
