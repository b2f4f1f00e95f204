// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <stdexcept>

#include "daemon/base/fd.h"
#include "tests/bench/bare_spool.h"
#include "tests/bench/spool_measures.h"
#include "tests/bench/usage.h"

namespace hikyaku::bench {
namespace {

constexpr double kMega = 1e6;
constexpr std::size_t kFillers = 200;

struct Start {
  double seconds = 0;
  Usage usage;
};

[[noreturn]] void report_and_leave(const std::function<Start()>& work, int report) {
  try {
    const Start start = work();
    ::_exit(::write(report, &start, sizeof start) == sizeof start ? 0 : 1);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_spool: %s\n", error.what());
    ::_exit(1);
  }
}

// Each start has a process of its own, so that what it uses is its own.
Start in_a_process(const std::function<Start()>& work) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const Fd out(ends[0]);
  Fd in(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) report_and_leave(work, in.get());
  in = Fd();
  Start start;
  const bool is_well = child > 0 && ::read(out.get(), &start, sizeof start) == sizeof start;
  if (child > 0) ::waitpid(child, nullptr, 0);
  if (!is_well) throw std::runtime_error("a measurement failed");
  return start;
}

Start fill(const std::string& spool, std::uint64_t messages) {
  BareSpool(spool).take(messages, kFillers);
  return {};
}

Start start_now(const std::string& spool) {
  const auto began = std::chrono::steady_clock::now();
  const BareSpool open(spool);
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began;
  return {passed.count(), own_usage()};
}

// A start after a long time finds nothing in the page cache.
void forget_pages(const std::string& spool) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(spool)) {
    if (!entry.is_regular_file()) continue;
    const Fd file(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC));
    ::fsync(file.get());
    ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
  }
}

Start start_with(const std::string& spool, std::uint64_t more) {
  std::filesystem::create_directory(spool);
  in_a_process([&] { return fill(spool, more); });
  forget_pages(spool);
  return in_a_process([&] { return start_now(spool); });
}

void print(std::uint64_t queued, const Start& start, double memory) {
  std::printf("start queued=%llu seconds=%.2f read_mb=%.1f from_disk_mb=%.1f memory_mb=%.1f\n",
              static_cast<unsigned long long>(queued), start.seconds,
              static_cast<double>(start.usage.asked) / kMega,
              static_cast<double>(start.usage.from_disk) / kMega, memory / kMega);
  std::fflush(stdout);
}

}  // namespace

void measure_starts(const std::string& directory, const std::vector<std::uint64_t>& counts) {
  const Start empty = start_with(directory + "/empty", 0);
  print(0, empty, 0);
  std::uint64_t queued = 0;
  for (std::uint64_t count : counts) {
    const Start start = start_with(directory + "/spool", count - queued);
    queued = count;
    print(count, start,
          static_cast<double>(start.usage.resident) - static_cast<double>(empty.usage.resident));
  }
}

}  // namespace hikyaku::bench
