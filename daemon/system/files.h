// SPDX-License-Identifier: MIT
// Small files, written and read whole, and temporary directories. All functions block.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <system_error>

#include "daemon/base/error.h"
#include "daemon/base/fd.h"

namespace hikyaku::system {

// Writes all of `bytes` at the file's position. Returns false with errno set; part of it may then be written.
bool write_all(const Fd& fd, std::string_view bytes);

// The file has either its old or its new content at any time, whatever happens: FILE.new is written, flushed
// and renamed. `mode` counts whatever the umask. No symbolic link is followed. The error's text names the
// file.
Result<void, Error<std::errc>> replace_file(const std::string& file, std::string_view text,
                                            mode_t mode = 0600);

// Creates the file with mode 0600. Throws std::system_error.
void write_new_file(const std::string& path, std::string_view text);
// Returns an empty string where there is no such file.
std::string read_whole_file(const std::string& path);

// A directory with mode 0700 that is removed, with everything in it, by the destructor.
class TemporaryDirectory {
 public:
  // Below $TMPDIR or /tmp. Throws std::system_error if it cannot be created.
  explicit TemporaryDirectory(const std::string& prefix);
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + '/' + name; }

 private:
  std::string path_;
};

using NewFileError = Error<std::errc>;  // errno's value; the text names the file

// A file that appears complete or not at all, and never replaces another: it is written under a temporary
// name, with mode 0600, and gets its name in finish(). Nothing is flushed to the disk.
class NewFile {
 public:
  // In `directory`, which is open and outlives the NewFile, or AT_FDCWD. The temporary name must be free too.
  static Result<NewFile, NewFileError> create(int directory, std::string name);
  NewFile(NewFile&&) noexcept = default;
  ~NewFile();  // removes the file unless it is finished

  Result<void, NewFileError> write(std::string_view bytes);
  // Errors: file_exists if the name is taken. Call nothing after finish().
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
