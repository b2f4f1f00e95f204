// SPDX-License-Identifier: MIT
#include "daemon/io/work.h"

#include <uv.h>

namespace hikyaku::io {

// Shared by the awaiter and libuv's after-work callback.
struct PoolCall::Job {
  Job(Loop& loop, std::function<void()> blocking) : work(std::move(blocking)), waiter(loop) {}
  static void run(uv_work_t* request) { static_cast<Job*>(request->data)->work(); }
  static void on_done(uv_work_t* request, int) {
    auto job = std::move(static_cast<Job*>(request->data)->until_done);
    job->done = true;
    job->waiter.wake();
  }

  uv_work_t request{};
  std::shared_ptr<Job> until_done;  // keeps itself for libuv
  std::function<void()> work;
  Waiter waiter;
  bool done = false;
};

PoolCall::PoolCall(Loop& loop, std::function<void()> work)
    : outside_(loop), job_(std::make_shared<Job>(loop, std::move(work))) {
  job_->request.data = job_.get();
  job_->until_done = job_;
  int queued = uv_queue_work(loop.uv(), &job_->request, Job::run, Job::on_done);
  check(queued == 0, "work cannot be queued");
}

bool PoolCall::is_done() const { return job_->done; }
Waiter::Park PoolCall::end() { return job_->waiter.park({}); }

}  // namespace hikyaku::io
