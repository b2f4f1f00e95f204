// SPDX-License-Identifier: MIT
// One file of the drop directory, in which anyone may have put anything: opened once, looked at, and read
// from its beginning to its end through that one descriptor. Never follows a link, never waits, never reads
// what is not a drop by all that the kernel says. Blocks for the disk.
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
  gone,      // there is none of that name any more
  not_ours,  // nothing that sendmail(1) leaves; it is never read
  broken,    // a drop, but not as it was written
  too_long,  // a drop, and longer than any message may be; it is not read
  system,    // EIO, no descriptor left: try again later
};
using DropError = Error<DropFault>;

class DropFile {
 public:
  // `directory` is an open one with the group `group`. The file has at most `most` bytes.
  static Result<DropFile, DropError> open(int directory, const std::string& name, gid_t group,
                                          std::uint64_t most);

  uid_t uid() const { return uid_; }            // whose mail it is
  std::uint64_t left() const { return left_; }  // bytes behind those that were read
  // The next bytes behind the first line, empty at the end; never more than were there at the beginning.
  Result<std::string, DropError> read(std::size_t most);
  // After the end: whether what was read is what was written.
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
