// SPDX-License-Identifier: MIT
// Standard input for a test: a file without a name, so that no size of it blocks.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <string_view>

#include "daemon/base/error.h"
#include "daemon/base/fd.h"

namespace hikyaku::test {

class GivenInput {
 public:
  explicit GivenInput(std::string_view bytes) {
    char name[] = "/tmp/hikyaku-input-XXXXXX";
    fd_.reset(::mkostemp(name, 0));
    check(fd_ && ::unlink(name) == 0, "a file for the input");
    while (!bytes.empty()) {
      ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
      check(written > 0, "the input is written");
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    ::lseek(fd_.get(), 0, SEEK_SET);
  }
  int fd() const { return fd_.get(); }

 private:
  Fd fd_;
};

}  // namespace hikyaku::test
