// SPDX-License-Identifier: MIT
// A Disk in memory whose power can be cut. Nothing is durable but what flush() and sync_directory() made so:
// a cut keeps, loses or keeps an older content of each 512-byte sector independently, keeps or loses a file's
// new length, and applies the un-synced changes of each directory up to some point. It also fails on demand,
// counts, and keeps a log of operations for failure messages. Same seed, same result. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "spool/disk.h"

namespace hikyaku::test {

// What changes the disk, and so what is counted, cut and failed. Reads are not: a cut before one is a cut
// after the change before it.
enum class DiskStep {
  create,
  write,
  flush,
  truncate,
  allocate,
  rename,
  unlink,
  make_directory,
  sync_directory,
  read  // for fail_at() alone: never counted, never cut
};

class SimDisk final : public spool::Disk {
 public:
  struct State;

  SimDisk();
  ~SimDisk() override;

  // The disk after a power cut now, or at the cut that has happened. The seed's residues go through all pairs
  // of nothing / everything / some of the data, and of the directory changes, so nine seeds in a row see
  // every pair.
  std::unique_ptr<SimDisk> after_cut(std::uint64_t seed) const;
  // The disk after kill -9: what was written is there, but what was not flushed may still be lost in a later
  // cut. Planned failures, a planned cut, the counters and the log live on; locks and open files do not.
  std::unique_ptr<SimDisk> after_kill() const;

  // The power goes off in the course of the step of this number (the first is 1): a flush then has not
  // happened, any other step has, undurably. It and everything after it fail with errc::no_such_device. 0:
  // never.
  void cut_power_at(std::uint64_t step);
  void cut_power();  // now
  bool is_off() const;
  // Hands over the disk as a cut at each of these steps would leave it, and goes on: one play of a history
  // has many ends. `take` is called in the middle of a disk operation and must not ask this disk for
  // anything.
  using Photographer = std::function<void(std::uint64_t step, std::unique_ptr<SimDisk> disk)>;
  void photograph_at(std::set<std::uint64_t> steps, Photographer take);

  // The nth step of this kind from now on (the first is 1), and the `times` - 1 following ones, fail. A
  // failed flush loses what was dirty, the next one will not say so.
  void fail_at(DiskStep kind, std::uint64_t nth, std::errc error, std::uint64_t times = 1);
  void set_capacity(std::uint64_t bytes);     // of all files together; beyond it ENOSPC, after a short write
  void fill_up(std::uint64_t but_for);        // others' files take all that is free but so many bytes
  void set_free_inodes(std::uint64_t count);  // for new files and directories; without one ENOSPC
  void set_read_only(bool read_only);         // EROFS
  void set_short_writes(std::uint64_t seed);  // each write takes a random part of what it is given
  // Somebody removes the directory with everything in it, durably. Open files live on without a name.
  void vanish(std::string_view directory);
  // Room, inodes, writable, and no failure is planned any more.
  void heal();

  std::uint64_t steps() const;
  std::uint64_t flushes() const;  // those that succeeded, directories' not counted
  std::string log() const;        // the latest steps, one a line, for failure messages

  // Below the file system: what the running system sees, and a fault of the medium. Both want an existing
  // file.
  std::string content(std::string_view path) const;
  std::uint64_t size(std::string_view path) const;
  void corrupt(std::string_view path, std::uint64_t offset, std::string_view bytes);

  Result<std::unique_ptr<spool::DiskFile>, spool::DiskError> create(std::string_view path) override;
  Result<std::unique_ptr<spool::DiskFile>, spool::DiskError> open_for_reading(std::string_view path) override;
  Result<std::unique_ptr<spool::DiskFile>, spool::DiskError> open_for_writing(std::string_view path) override;
  Result<std::vector<std::string>, spool::DiskError> list(std::string_view directory) override;
  Result<void, spool::DiskError> rename(std::string_view from, std::string_view to) override;
  Result<void, spool::DiskError> unlink(std::string_view path) override;
  Result<void, spool::DiskError> make_directory(std::string_view path) override;
  Result<void, spool::DiskError> sync_directory(std::string_view path) override;
  Result<spool::DiskSpace, spool::DiskError> space() override;
  Result<std::unique_ptr<spool::DiskLock>, spool::DiskError> lock(std::string_view path) override;

 private:
  explicit SimDisk(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace hikyaku::test
