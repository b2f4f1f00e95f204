// SPDX-License-Identifier: MIT
#include "tests/bench/raw_log.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <vector>

namespace hikyaku::bench {
namespace {

constexpr std::size_t kFileSize = std::size_t{64} << 20;  // a segment's
constexpr std::size_t kBatch = 50;

void demand(bool is_well, const char* what) {
  if (!is_well) throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

RawLog::RawLog(const std::string& path)
    : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
  demand(static_cast<bool>(file_), "open");
  const std::string zeros(1 << 20, '\0');
  for (std::size_t at = 0; at < kFileSize; at += zeros.size())
    demand(::pwrite(file_.get(), zeros.data(), zeros.size(), static_cast<off_t>(at)) > 0, "pwrite");
  demand(::fsync(file_.get()) == 0, "fsync");
}

double RawLog::rate(std::size_t message_size, double seconds) {
  using Clock = std::chrono::steady_clock;
  const std::string message(message_size, 'X');
  const auto began = Clock::now();
  std::size_t messages = 0;
  for (std::chrono::duration<double> passed{0}; passed.count() < seconds; passed = Clock::now() - began) {
    write_batch(message);
    messages += kBatch;
  }
  return static_cast<double>(messages) / std::chrono::duration<double>(Clock::now() - began).count();
}

void RawLog::write_batch(const std::string& message) {
  std::vector<iovec> pieces(kBatch, {const_cast<char*>(message.data()), message.size()});
  if (end_ + kBatch * message.size() > kFileSize) end_ = 0;
  ssize_t written = ::pwritev(file_.get(), pieces.data(), static_cast<int>(kBatch), static_cast<off_t>(end_));
  demand(written == static_cast<ssize_t>(kBatch * message.size()), "pwritev");
  demand(::fdatasync(file_.get()) == 0, "fdatasync");
  end_ += kBatch * message.size();
}

}  // namespace hikyaku::bench
