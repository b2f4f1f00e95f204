// SPDX-License-Identifier: MIT
// Every file operation of the spool goes through here, so that tests can pull the plug at any of them
// (tests/support/disk/sim_disk.h). A Disk is one directory tree: all paths are relative to its root ("log/x";
// "" is the root itself), no symbolic link is followed in the last component, nothing outside is touched.
// Calls block: they belong on the committer's thread or on the pool, never on the event loop's. A Disk may be
// used from any thread at any time; a DiskFile too, as pread and pwrite may, but flush() promises only what
// was written before it was called. A DiskFile closes its file when it is destroyed; it must not outlive its
// Disk.
//
// What is durable when: flush() covers the file's content and length, but not its name. A create, rename or
// unlink is durable when sync_directory() of the directory has returned.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "daemon/base/error.h"

namespace hikyaku::spool {

// The kind is errno's value; the text names operation and path: "write log/0000000001: No space left on
// device".
using DiskError = Error<std::errc>;

// ENOSPC, EDQUOT: a matter of room, not of the disk's health.
bool is_disk_full(const DiskError& error);
// Something other than a regular file has the name.
bool is_no_file(const DiskError& error);

class DiskFile {
 public:
  virtual ~DiskFile() = default;  // closes; use close() where its error matters

  // Fills `into` from `offset`; fewer bytes than asked for mean the end of the file.
  virtual Result<std::size_t, DiskError> read(std::span<char> into, std::uint64_t offset) = 0;
  // One pwritev(2): at most IOV_MAX pieces are looked at and fewer bytes may be written than asked for, but
  // at least one. Writers want write_all().
  virtual Result<std::size_t, DiskError> write_some(std::span<const std::string_view> pieces,
                                                    std::uint64_t offset) = 0;
  // fdatasync(2). After a failure the kernel may have dropped what was not yet on the disk and will not say
  // so again: never retry, count the bytes since the last success as lost. A file that has been unlinked
  // fails with ENOENT: its bytes could never be found again.
  virtual Result<void, DiskError> flush() = 0;
  virtual Result<std::uint64_t, DiskError> size() = 0;
  virtual Result<void, DiskError> truncate(std::uint64_t size) = 0;
  // Reserves blocks up to `size` and makes the file at least that long (posix_fallocate(3)).
  virtual Result<void, DiskError> allocate(std::uint64_t size) = 0;
  // At most once, as the last call. The descriptor is closed even if this fails.
  virtual Result<void, DiskError> close() = 0;
};

class DiskLock {
 public:
  virtual ~DiskLock() = default;  // releases
};

struct DiskSpace {
  std::uint64_t free_bytes = 0;  // for us, without what is reserved for root
  std::uint64_t total_bytes = 0;
  std::uint64_t free_inodes = 0;  // the largest number where the file system does not count them
  bool is_read_only = false;      // as mounted; one that has failed may turn so without saying it here
};

class Disk {
 public:
  virtual ~Disk() = default;

  // A new file, 0600, opened for reading and writing; EEXIST if there is anything of that name.
  virtual Result<std::unique_ptr<DiskFile>, DiskError> create(std::string_view path) = 0;
  // Only regular files are opened; anything else (a FIFO, say) fails at once, see is_no_file().
  virtual Result<std::unique_ptr<DiskFile>, DiskError> open_for_reading(std::string_view path) = 0;
  virtual Result<std::unique_ptr<DiskFile>, DiskError> open_for_writing(
      std::string_view path) = 0;  // reads too
  // The names in a directory, sorted, without "." and "..".
  virtual Result<std::vector<std::string>, DiskError> list(std::string_view directory) = 0;
  // Within one directory (EXDEV otherwise: across two no single sync makes it durable). Replaces `to`.
  virtual Result<void, DiskError> rename(std::string_view from, std::string_view to) = 0;
  virtual Result<void, DiskError> unlink(std::string_view path) = 0;
  virtual Result<void, DiskError> make_directory(std::string_view path) = 0;  // 0700; EEXIST as mkdir(2)
  virtual Result<void, DiskError> sync_directory(std::string_view path) = 0;
  // Fails with ENOENT where the root's path no longer leads to this Disk. One that was deleted comes back by
  // itself when an empty directory is made in its place.
  virtual Result<DiskSpace, DiskError> space() = 0;
  // Creates the file if need be. Held until the lock is destroyed or the process ends, however it ends;
  // errc::resource_unavailable_try_again (EAGAIN) while another process, or another lock of ours, holds it.
  virtual Result<std::unique_ptr<DiskLock>, DiskError> lock(std::string_view path) = 0;
};

// The real one. `root` must exist and be a directory.
Result<std::unique_ptr<Disk>, DiskError> open_disk(const std::string& root);

// Everything, in as many calls as it takes.
Result<void, DiskError> write_all(DiskFile& file, std::span<const std::string_view> pieces,
                                  std::uint64_t offset);
Result<void, DiskError> write_all(DiskFile& file, std::string_view bytes, std::uint64_t offset);
// Exactly `length` bytes, or an error (errc::no_message_available where the file ends before).
Result<std::string, DiskError> read_exactly(DiskFile& file, std::uint64_t offset, std::size_t length);

}  // namespace hikyaku::spool
