// SPDX-License-Identifier: MIT
// Counts from outside what a program flushes: LD_PRELOAD this, and every call that asks for stable storage
// adds one to a counter of 64 bits at the start of the file $BENCH_FLUSHES, which all processes map together.
// Without that file it does nothing. Must never fail or slow a call; knows nothing of writes to files opened
// with O_SYNC or O_DSYNC.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace {

std::uint64_t nobody_reads_this = 0;
std::uint64_t* counter = &nobody_reads_this;

// Before main(), while the process may still open the file: daemons become another user later.
[[gnu::constructor]] void map_counter() {
  const char* path = std::getenv("BENCH_FLUSHES");
  const int file = path == nullptr ? -1 : open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void* shared = mmap(nullptr, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (shared != MAP_FAILED) counter = static_cast<std::uint64_t*>(shared);
}

template <class... Arguments>
int count_and_call(const char* name, Arguments... arguments) {
  __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
  const auto real = reinterpret_cast<int (*)(Arguments...)>(dlsym(RTLD_NEXT, name));
  return real(arguments...);
}

}  // namespace

extern "C" {
int fsync(int file) { return count_and_call("fsync", file); }
int fdatasync(int file) { return count_and_call("fdatasync", file); }
int syncfs(int file) noexcept { return count_and_call("syncfs", file); }
int msync(void* start, size_t length, int flags) { return count_and_call("msync", start, length, flags); }
}
