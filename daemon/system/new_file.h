// SPDX-License-Identifier: MIT
// A file that is there whole or not at all, and never in the place of another: it is written under a name of
// its own, 0600, and gets the right one by finish(). Nothing is flushed to the disk. Blocks.
#pragma once

#include <string>
#include <string_view>
#include <system_error>

#include "daemon/base/error.h"
#include "daemon/base/fd.h"

namespace hikyaku::system {

using NewFileError = Error<std::errc>;  // errno's value; the text names the file

class NewFile {
 public:
  // In `directory`, an open one that outlives it, or AT_FDCWD. The name under which it is written must be
  // free too.
  static Result<NewFile, NewFileError> create(int directory, std::string name);
  NewFile(NewFile&&) noexcept = default;
  ~NewFile();  // without finish() nothing is left of it

  Result<void, NewFileError> write(std::string_view bytes);
  // Errors: file_exists if there is something of that name. Nothing after it.
  Result<void, NewFileError> finish();

 private:
  NewFile(int directory, std::string name, std::string unfinished, Fd fd)
      : directory_(directory),
        name_(std::move(name)),
        unfinished_(std::move(unfinished)),
        fd_(std::move(fd)) {}

  int directory_;
  std::string name_;
  std::string unfinished_;
  Fd fd_;
};

}  // namespace hikyaku::system
