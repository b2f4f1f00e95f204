// SPDX-License-Identifier: MIT
// One file of the drop directory, in which anyone may have put anything: opened once, looked at, and read
// from its beginning to its end through that one descriptor. Never follows a link, never waits, and never
// reads a file that the kernel's metadata do not show to be a drop. Blocks for the disk.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "daemon/base/checksum.h"
#include "daemon/base/error.h"
#include "daemon/base/fd.h"
#include "daemon/mail/drop_format.h"

namespace hikyaku::pickup {

enum class DropFault : std::uint8_t {
  gone,      // the file is not there any more
  not_ours,  // not written by sendmail(1); it is never read
  broken,    // a drop, but not as it was written
  too_long,  // a drop, and longer than any message may be; it is not read
  system,    // EIO, no descriptor left: try again later
};
using DropError = Error<DropFault>;

class DropFile {
 public:
  // `directory` is an open directory of group `group`. A file of more than `most` bytes is too_long.
  static Result<DropFile, DropError> open(int directory, const std::string& name, gid_t group,
                                          std::uint64_t most);

  uid_t uid() const { return uid_; }            // whose mail it is
  std::uint64_t left() const { return left_; }  // bytes not read yet
  // The next bytes behind the first line, empty at the end; in all never more than the file had when opened.
  Result<std::string, DropError> read(std::size_t most);
  // After the end: whether the checksum is right.
  bool is_whole() const { return left_ == 0 && digest_.digest() == checksum_; }
  // Whether `name` in `directory` is this very file.
  bool is_named(int directory, const std::string& name) const;

 private:
  DropFile(Fd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}
  Result<void, DropError> look(gid_t group, std::uint64_t most);
  Result<void, DropError> read_header();

  Fd fd_;
  std::string name_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  uid_t uid_ = 0;
  std::uint64_t left_ = 0;
  std::uint64_t checksum_ = 0;
  Checksum digest_{mail::kDropSeed};
};

}  // namespace hikyaku::pickup
