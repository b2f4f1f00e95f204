// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

#include "daemon/base/fd.h"
#include "daemon/base/text.h"
#include "spool/disk.h"

namespace hikyaku::spool {
namespace {

std::unexpected<DiskError> os_failure(std::string_view operation, std::string_view path,
                                      int error_number = errno) {
  return fail(static_cast<std::errc>(error_number),
              cat(operation, " ", path.empty() ? "." : path, ": ", os_error_text(error_number)));
}

Result<void, DiskError> done_unless(bool failed, std::string_view operation, std::string_view path,
                                    int error_number = errno) {
  if (failed) return os_failure(operation, path, error_number);
  return {};
}

std::string_view directory_of(std::string_view path) {
  auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

class RealFile final : public DiskFile {
 public:
  RealFile(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<std::size_t, DiskError> read(std::span<char> into, std::uint64_t offset) override {
    std::size_t done = 0;
    while (done < into.size()) {
      ssize_t n =
          ::pread(fd_.get(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
      if (n < 0) return os_failure("read", path_);
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  Result<std::size_t, DiskError> write_some(std::span<const std::string_view> pieces,
                                            std::uint64_t offset) override {
    std::array<iovec, IOV_MAX> vector;
    std::size_t count = std::min(pieces.size(), vector.size());
    for (std::size_t i = 0; i < count; ++i)
      vector[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};  // pwritev(2) does not write there
    ssize_t n = ::pwritev(fd_.get(), vector.data(), static_cast<int>(count), static_cast<off_t>(offset));
    if (n < 0) return os_failure("write", path_);
    return static_cast<std::size_t>(n);
  }

  Result<void, DiskError> flush() override {
    if (::fdatasync(fd_.get()) != 0) return os_failure("flush", path_);
    struct stat status;
    if (::fstat(fd_.get(), &status) != 0) return os_failure("stat", path_);
    return done_unless(status.st_nlink == 0, "flush", path_, ENOENT);
  }

  Result<std::uint64_t, DiskError> size() override {
    struct stat status;
    if (::fstat(fd_.get(), &status) != 0) return os_failure("stat", path_);
    return static_cast<std::uint64_t>(status.st_size);
  }

  Result<void, DiskError> truncate(std::uint64_t size) override {
    return done_unless(::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0, "truncate", path_);
  }

  Result<void, DiskError> allocate(std::uint64_t size) override {
    if (size == 0) return {};
    int error_number = ::posix_fallocate(fd_.get(), 0, static_cast<off_t>(size));
    if (error_number != 0) return os_failure("allocate", path_, error_number);
    return {};
  }

  Result<void, DiskError> close() override {
    return done_unless(::close(fd_.release()) != 0, "close", path_);
  }

 private:
  Fd fd_;
  std::string path_;
};

class RealLock final : public DiskLock {
 public:
  explicit RealLock(Fd fd) : fd_(std::move(fd)) {}

 private:
  Fd fd_;
};

class RealDisk final : public Disk {
 public:
  RealDisk(Fd root, std::string path) : root_(std::move(root)), path_(std::move(path)) {}

  Result<std::unique_ptr<DiskFile>, DiskError> create(std::string_view path) override {
    return open_file("create", path, O_RDWR | O_CREAT | O_EXCL);
  }
  Result<std::unique_ptr<DiskFile>, DiskError> open_for_reading(std::string_view path) override {
    return open_file("open", path, O_RDONLY);
  }
  Result<std::unique_ptr<DiskFile>, DiskError> open_for_writing(std::string_view path) override {
    return open_file("open", path, O_RDWR);
  }

  Result<std::vector<std::string>, DiskError> list(std::string_view directory) override {
    Fd fd = open_at(directory, O_RDONLY | O_DIRECTORY);
    if (!fd) return os_failure("open directory", directory);
    DIR* stream = ::fdopendir(fd.get());
    if (stream == nullptr) return os_failure("open directory", directory);
    fd.release();  // the stream's now
    std::unique_ptr<DIR, int (*)(DIR*)> closer(stream, ::closedir);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(stream)) {
      std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      errno = 0;
    }
    if (errno != 0) return os_failure("list", directory);
    std::ranges::sort(names);
    return names;
  }

  Result<void, DiskError> rename(std::string_view from, std::string_view to) override {
    if (directory_of(from) != directory_of(to)) return os_failure("rename", from, EXDEV);
    std::string source(from), target(to);
    return done_unless(::renameat(root_.get(), source.c_str(), root_.get(), target.c_str()) != 0, "rename",
                       from);
  }

  Result<void, DiskError> unlink(std::string_view path) override {
    return done_unless(::unlinkat(root_.get(), std::string(path).c_str(), 0) != 0, "unlink", path);
  }

  Result<void, DiskError> make_directory(std::string_view path) override {
    return done_unless(::mkdirat(root_.get(), std::string(path).c_str(), 0700) != 0, "make directory", path);
  }

  Result<void, DiskError> sync_directory(std::string_view path) override {
    Fd fd = open_at(path, O_RDONLY | O_DIRECTORY);
    if (!fd) return os_failure("open directory", path);
    return done_unless(::fsync(fd.get()) != 0, "flush directory", path);
  }

  Result<DiskSpace, DiskError> space() override {
    auto there = find_root();
    if (!there) return std::unexpected(there.error());
    struct statvfs status;
    if (::fstatvfs(root_.get(), &status) != 0) return os_failure("statvfs", "");
    DiskSpace space{.free_bytes = status.f_bavail * status.f_frsize,
                    .total_bytes = status.f_blocks * status.f_frsize,
                    .free_inodes = status.f_favail,
                    .is_read_only = (status.f_flag & ST_RDONLY) != 0};
    if (status.f_files == 0)
      space.free_inodes = std::numeric_limits<std::uint64_t>::max();  // btrfs does not count
    return space;
  }

  Result<std::unique_ptr<DiskLock>, DiskError> lock(std::string_view path) override {
    Fd fd = open_at(path, O_RDWR | O_CREAT);
    if (!fd) return os_failure("open", path);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return os_failure("lock", path);
    return std::make_unique<RealLock>(std::move(fd));
  }

 private:
  Fd open_at(std::string_view path, int flags) const {
    std::string name(path.empty() ? "." : path);
    return Fd(::openat(root_.get(), name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600));
  }

  Result<std::unique_ptr<DiskFile>, DiskError> open_file(std::string_view operation, std::string_view path,
                                                         int flags) const {
    Fd fd = open_at(path, flags | O_NONBLOCK);  // a FIFO without a writer would block; files do not care
    if (!fd) return os_failure(operation, path);
    struct stat status;
    if (::fstat(fd.get(), &status) != 0) return os_failure("stat", path);
    if (!S_ISREG(status.st_mode))
      return os_failure(operation, path, S_ISDIR(status.st_mode) ? EISDIR : ENOTSUP);
    return std::make_unique<RealFile>(std::move(fd), std::string(path));
  }

  // Writes to a directory that nobody will look into after a restart would be lost mail.
  Result<void, DiskError> find_root() const {
    struct stat ours, named;
    if (::fstat(root_.get(), &ours) != 0) return os_failure("stat", path_);
    bool is_named = ::stat(path_.c_str(), &named) == 0;
    if (!is_named && errno != ENOENT && errno != ENOTDIR) return {};  // not known
    if (!is_named)
      return fail(std::errc::no_such_file_or_directory, cat(path_, " has been moved or deleted"));
    if (named.st_dev == ours.st_dev && named.st_ino == ours.st_ino) return {};
    if (ours.st_nlink == 0 && take_empty_root()) return {};
    return fail(std::errc::no_such_file_or_directory,
                cat("another directory has taken the place of ", path_, "; restart hikyakud to use it"));
  }

  // dup3(2) replaces the old descriptor atomically, even while another thread uses it.
  bool take_empty_root() const {
    Fd fresh(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fresh || ::faccessat(fresh.get(), "log", F_OK, 0) == 0) return false;
    return ::dup3(fresh.get(), root_.get(), O_CLOEXEC) >= 0;
  }

  Fd root_;
  std::string path_;
};

}  // namespace

Result<std::unique_ptr<Disk>, DiskError> open_disk(const std::string& root) {
  Fd fd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return os_failure("open directory", root);
  return std::make_unique<RealDisk>(std::move(fd), root);
}

}  // namespace hikyaku::spool
