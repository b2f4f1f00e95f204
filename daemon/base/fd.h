// SPDX-License-Identifier: MIT
// A file descriptor with one owner. Everything we open carries O_CLOEXEC.
#pragma once

#include <unistd.h>

#include <utility>

namespace hikyaku {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~Fd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);  // on Linux the descriptor is gone even after EINTR
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

}  // namespace hikyaku
