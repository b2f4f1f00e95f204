// SPDX-License-Identifier: MIT
#include "daemon/io/directory_watch.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace hikyaku;
using namespace hikyaku::io;

namespace {

struct WatchedPlace {
  std::string path = (std::filesystem::temp_directory_path() / "hikyaku-watch-XXXXXX").string();
  WatchedPlace() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~WatchedPlace() { std::filesystem::remove_all(path); }
  void write(const char* name) const { std::ofstream(path + '/' + name) << "x"; }
};

bool is_visible(std::string_view name) { return !name.starts_with('.'); }

struct WatchRig {
  SystemClock clock;
  Loop loop{clock};
  WatchedPlace place;
  std::unique_ptr<DirectoryWatch> watch;
  WatchRig() {
    auto started = DirectoryWatch::start(loop, place.path, is_visible);
    REQUIRE(started);
    watch = std::move(*started);
  }
  Woken changed(Duration within) { return loop.run(watch->changed(loop.within(within))); }
};

}  // namespace

TEST_CASE("io: a new file and one that is renamed wake whoever watches the directory") {
  WatchRig rig;
  rig.place.write("a");
  CHECK(rig.changed(20s) == Woken::ready);
  rig.place.write(".hidden");
  std::filesystem::rename(rig.place.path + "/.hidden", rig.place.path + "/b");
  CHECK(rig.changed(20s) == Woken::ready);
}

TEST_CASE("io: a change that came while nobody asked is told") {
  WatchRig rig;
  rig.place.write("a");
  std::uint64_t turns = 0;
  auto spin = [](Loop& loop, std::uint64_t& count) -> Task<void> {
    for (; count < 10; ++count) co_await sleep_until(loop, loop.within(1ms));
  };
  rig.loop.run(spin(rig.loop, turns));
  CHECK(rig.loop.run(rig.watch->changed({rig.loop.now(), nullptr})) == Woken::ready);
}

TEST_CASE("io: what does not matter wakes nobody") {
  WatchRig rig;
  for (int i = 0; i < 100; ++i) rig.place.write(".hidden");
  rig.place.write("seen");
  CHECK(rig.changed(20s) == Woken::ready);
  for (int i = 0; i < 100; ++i) rig.place.write(".hidden");
  CHECK(rig.changed(50ms) != Woken::ready);
}

TEST_CASE("io: a directory that is not there cannot be watched, and the error names it") {
  SystemClock clock;
  Loop loop(clock);
  auto watch = DirectoryWatch::start(loop, "/no/such/directory", is_visible);
  REQUIRE_FALSE(watch);
  CHECK(watch.error().text.find("/no/such/directory: no such file") != std::string::npos);
}

TEST_CASE("io: waiting for a change can be cancelled") {
  WatchRig rig;
  Cancel cancel;
  cancel.request();
  CHECK(rig.loop.run(rig.watch->changed({kNever, &cancel})) == Woken::cancelled);
}
