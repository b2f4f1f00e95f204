// SPDX-License-Identifier: MIT
// A mutex, its lock, a condition variable and a semaphore, with the attributes from which Clang checks at compile time
// that guarded data is touched under the lock only (-Wthread-safety, an error in our builds). With other
// compilers the attributes are empty. The analysis does not look into lambdas: wait in a loop, without a
// predicate, and copy what a lambda needs. It skips constructors and destructors.
//
//   Mutex mutex_;
//   std::vector<int> queue_ GUARDED_BY(mutex_);
//   int take() REQUIRES(mutex_);  // the caller holds the lock
#pragma once

#include <semaphore.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define HIKYAKU_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define HIKYAKU_THREAD_ATTRIBUTE(x)
#endif

#define CAPABILITY(name) HIKYAKU_THREAD_ATTRIBUTE(capability(name))
#define SCOPED_CAPABILITY HIKYAKU_THREAD_ATTRIBUTE(scoped_lockable)
#define GUARDED_BY(mutex) HIKYAKU_THREAD_ATTRIBUTE(guarded_by(mutex))
#define REQUIRES(...) HIKYAKU_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define ACQUIRE(...) HIKYAKU_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define RELEASE(...) HIKYAKU_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))

namespace hikyaku {

class CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;

 private:
  friend class Lock;
  std::mutex mutex_;
};

// Holds a mutex until the end of the scope, or until unlock().
class SCOPED_CAPABILITY Lock {
 public:
  explicit Lock(Mutex& mutex) ACQUIRE(mutex) : lock_(mutex.mutex_) {}
  Lock(const Lock&) = delete;
  ~Lock() RELEASE() = default;

  void lock() ACQUIRE() { lock_.lock(); }
  void unlock() RELEASE() { lock_.unlock(); }

 private:
  friend class Condition;
  friend class Semaphore;
  std::unique_lock<std::mutex> lock_;
};

// Waiting releases the lock meanwhile and may end without a notification: wait in a loop that checks.
class Condition {
 public:
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

  void wait(Lock& lock) { condition_.wait(lock.lock_); }
  // False: `until` has come.
  bool wait_until(Lock& lock, std::chrono::steady_clock::time_point until) {
    return condition_.wait_until(lock.lock_, until) == std::cv_status::no_timeout;
  }

 private:
  std::condition_variable condition_;
};

// For one thread that waits and others that have work for it. Waking it is two system calls, one on each side;
// with a Condition it is three, for the mutex that comes with it is told of waiters that are not there.
// (std::counting_semaphore loses a wake-up in GCC 12's library.)
class Semaphore {
 public:
  Semaphore() { ::sem_init(&semaphore_, 0, 0); }
  Semaphore(const Semaphore&) = delete;
  ~Semaphore() { ::sem_destroy(&semaphore_); }

  void release() { ::sem_post(&semaphore_); }
  // Both give the lock back meanwhile, and may end early: wait in a loop that checks.
  void acquire(Lock& lock) {
    lock.lock_.unlock();
    ::sem_wait(&semaphore_);
    lock.lock_.lock();
  }
  // False: `until` has come.
  bool acquire_until(Lock& lock, std::chrono::steady_clock::time_point until) {
    auto since = until.time_since_epoch();
    auto seconds = std::chrono::floor<std::chrono::seconds>(since);
    timespec end{.tv_sec = seconds.count(), .tv_nsec = std::chrono::nanoseconds(since - seconds).count()};
    lock.lock_.unlock();
    bool is_acquired = ::sem_clockwait(&semaphore_, CLOCK_MONOTONIC, &end) == 0;
    lock.lock_.lock();
    return is_acquired || std::chrono::steady_clock::now() < until;
  }

 private:
  ::sem_t semaphore_;
};

}  // namespace hikyaku
