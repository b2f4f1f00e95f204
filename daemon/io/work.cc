// SPDX-License-Identifier: MIT
#include "daemon/io/work.h"

#include <uv.h>

#include <memory>

#include "daemon/base/error.h"

namespace hikyaku::io {
namespace {

// Shared by the awaiter and libuv's after-work callback.
struct Job {
  Job(Loop& loop, std::function<void()> blocking) : work(std::move(blocking)), waiter(loop) {}
  uv_work_t request{};
  std::shared_ptr<Job> until_done;  // keeps itself for libuv
  std::function<void()> work;
  Waiter waiter;
  bool done = false;
};

void run(uv_work_t* request) { static_cast<Job*>(request->data)->work(); }

void on_done(uv_work_t* request, int) {
  auto job = std::move(static_cast<Job*>(request->data)->until_done);
  job->done = true;
  job->waiter.wake();
}

}  // namespace

Task<void> run_on_pool(Loop& loop, std::function<void()> work) {
  Loop::OutsideWork outside(loop);
  auto job = std::make_shared<Job>(loop, std::move(work));
  job->request.data = job.get();
  job->until_done = job;
  int queued = uv_queue_work(loop.uv(), &job->request, run, on_done);
  check(queued == 0, "work cannot be queued");
  while (!job->done) {
    Woken woken = co_await job->waiter.park({});
    check(woken == Woken::ready, "pool work has no deadline");
  }
}

LoopCaller::LoopCaller(Loop& loop) : loop_(loop), core_(std::make_shared<Core>(this)), nursery_(loop) {}

LoopCaller::~LoopCaller() {
  check(core_->caller == nullptr, "a LoopCaller is closed before it is destroyed");
}

Task<void> LoopCaller::close() {
  {
    Lock lock(core_->mutex);
    core_->is_closed = true;
  }
  core_->caller = nullptr;
  core_->changed.notify_all();
  cancel_.request();
  co_await nursery_.drained({});
}

}  // namespace hikyaku::io
