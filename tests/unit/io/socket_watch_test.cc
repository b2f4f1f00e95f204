// SPDX-License-Identifier: MIT
#include "daemon/io/socket_watch.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>

#include "daemon/base/fd.h"

using namespace hikyaku;
using namespace hikyaku::io;

namespace {

struct SocketPair {
  SocketPair() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    here.reset(ends[0]);
    there.reset(ends[1]);
  }
  Fd here;
  Fd there;
};

struct SocketWatchRig {
  SystemClock clock;
  Loop loop{clock};
  SocketPair pair;
  Waiter waiter{loop};
  int readable = 0;
  int writable = 0;

  SocketWatch::OnReady note() {
    return [this](bool reading, bool writing) {
      readable += reading ? 1 : 0;
      writable += writing ? 1 : 0;
      waiter.wake();
    };
  }
  Task<Woken> woken(Until until) { co_return co_await waiter.park(until); }
};

}  // namespace

TEST_CASE("socket watch: it tells of what can be read and written, and of nothing that was not asked for") {
  SocketWatchRig rig;
  SocketWatch watch(rig.loop, rig.pair.here.get(), rig.note());
  watch.watch(true, false);
  REQUIRE(::write(rig.pair.there.get(), "x", 1) == 1);
  CHECK(rig.loop.run(rig.woken({})) == Woken::ready);
  CHECK(rig.readable > 0);
  CHECK(rig.writable == 0);
  watch.watch(false, true);
  rig.readable = 0;
  CHECK(rig.loop.run(rig.woken({})) == Woken::ready);
  CHECK(rig.writable > 0);
  CHECK(rig.readable == 0);
}

TEST_CASE("socket watch: the end of the other side counts as something to read") {
  SocketWatchRig rig;
  SocketWatch watch(rig.loop, rig.pair.here.get(), rig.note());
  watch.watch(true, false);
  rig.pair.there.reset();
  CHECK(rig.loop.run(rig.woken({})) == Woken::ready);
  CHECK(rig.readable > 0);
}

TEST_CASE("socket watch: it may go while it tells, and the socket stays open") {
  SocketWatchRig rig;
  std::unique_ptr<SocketWatch> watch;
  watch = std::make_unique<SocketWatch>(rig.loop, rig.pair.here.get(), [&](bool, bool) {
    watch.reset();
    rig.waiter.wake();
  });
  watch->watch(false, true);
  CHECK(rig.loop.run(rig.woken({})) == Woken::ready);
  CHECK(watch == nullptr);
  CHECK(::write(rig.pair.here.get(), "x", 1) == 1);
}
