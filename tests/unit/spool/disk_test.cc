// SPDX-License-Identifier: MIT
#include "spool/disk.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "doctest/doctest.h"
#include "tests/support/disk/sim_disk.h"

using namespace hikyaku;
using namespace hikyaku::spool;

namespace {

class TemporaryDirectory {
 public:
  TemporaryDirectory() { REQUIRE(::mkdtemp(path_.data()) != nullptr); }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/hikyaku-disk-XXXXXX";
};

// What holds for both disks, so that the simulated one cannot promise what the real one does not keep.
struct BothDisks {
  TemporaryDirectory directory;
  std::unique_ptr<Disk> real = open_disk(directory.path()).value();
  test::SimDisk simulated;
  std::array<Disk*, 2> disks{real.get(), &simulated};
};

std::string content_of(Disk& disk, std::string_view path) {
  auto file = disk.open_for_reading(path);
  REQUIRE(file);
  return read_exactly(**file, 0, (*file)->size().value()).value();
}

}  // namespace

TEST_CASE("disk: what is written is read back, across holes and pieces") {
  BothDisks both;
  for (Disk* disk : both.disks) {
    auto file = disk->create("a").value();
    REQUIRE(write_all(*file, "tail", 1000));
    std::array<std::string_view, 4> pieces = {"he", "", "ll", "o"};
    REQUIRE(write_all(*file, pieces, 0));
    CHECK(file->size().value() == 1004);
    CHECK(read_exactly(*file, 0, 6).value() == std::string("hello\0", 6));
    CHECK(read_exactly(*file, 1000, 4).value() == "tail");
    CHECK(file->flush());
    CHECK(file->close());
  }
}

TEST_CASE("disk: a read beyond the end is short, and an error where all was wanted") {
  BothDisks both;
  for (Disk* disk : both.disks) {
    auto file = disk->create("a").value();
    REQUIRE(write_all(*file, "12345", 0));
    std::array<char, 8> buffer{};
    CHECK(file->read(buffer, 3).value() == 2);
    CHECK(file->read(buffer, 5).value() == 0);
    CHECK(file->read(buffer, 500).value() == 0);
    CHECK(read_exactly(*file, 3, 3).error().kind == std::errc::no_message_available);
  }
}

TEST_CASE("disk: more pieces than IOV_MAX are written in several calls") {
  BothDisks both;
  std::string letters;
  for (int i = 0; i < 3 * IOV_MAX; ++i) letters += static_cast<char>('a' + i % 26);
  std::vector<std::string_view> pieces;
  for (std::size_t i = 0; i < letters.size(); ++i) pieces.push_back(std::string_view(letters).substr(i, 1));
  for (Disk* disk : both.disks) {
    auto file = disk->create("a").value();
    REQUIRE(write_all(*file, pieces, 7));
    CHECK(read_exactly(*file, 7, letters.size()).value() == letters);
  }
}

TEST_CASE("disk: truncate and allocate set the length, and allocate never shortens") {
  BothDisks both;
  for (Disk* disk : both.disks) {
    auto file = disk->create("a").value();
    REQUIRE(write_all(*file, "0123456789", 0));
    REQUIRE(file->allocate(4));
    CHECK(file->size().value() == 10);
    REQUIRE(file->allocate(4096));
    CHECK(file->size().value() == 4096);
    REQUIRE(file->truncate(3));
    REQUIRE(file->truncate(6));
    CHECK(content_of(*disk, "a") == std::string("012\0\0\0", 6));
  }
}

TEST_CASE("disk: create refuses a name that exists, open one that does not, with errno's value") {
  BothDisks both;
  for (Disk* disk : both.disks) {
    REQUIRE(disk->make_directory("log"));
    REQUIRE(disk->create("log/a"));
    CHECK(disk->create("log/a").error().kind == std::errc::file_exists);
    CHECK(disk->make_directory("log").error().kind == std::errc::file_exists);
    CHECK(disk->open_for_writing("log/b").error().kind == std::errc::no_such_file_or_directory);
    CHECK(disk->create("nowhere/b").error().kind == std::errc::no_such_file_or_directory);
    CHECK(disk->list("nowhere").error().kind == std::errc::no_such_file_or_directory);
    CHECK(disk->unlink("log/b").error().kind == std::errc::no_such_file_or_directory);
    CHECK(disk->open_for_reading("log/b").error().text.find("log/b: No such file") != std::string::npos);
  }
}

TEST_CASE("disk: list is sorted; rename replaces; unlink leaves open files readable") {
  BothDisks both;
  for (Disk* disk : both.disks) {
    auto file = disk->create("b").value();
    REQUIRE(write_all(*file, "kept", 0));
    REQUIRE(disk->create("a"));
    REQUIRE(disk->make_directory("log"));
    CHECK(disk->list("").value() == std::vector<std::string>{"a", "b", "log"});
    REQUIRE(disk->rename("b", "a"));
    CHECK(content_of(*disk, "a") == "kept");
    REQUIRE(disk->unlink("a"));
    CHECK(disk->list("").value() == std::vector<std::string>{"log"});
    CHECK(read_exactly(*file, 0, 4).value() == "kept");
    CHECK(disk->sync_directory(""));
    CHECK(disk->sync_directory("log"));
  }
}

TEST_CASE("disk: a rename across directories is refused, no single sync would make it durable") {
  BothDisks both;
  for (Disk* disk : both.disks) {
    REQUIRE(disk->make_directory("log"));
    REQUIRE(disk->create("a"));
    CHECK(disk->rename("a", "log/a").error().kind == std::errc::cross_device_link);
  }
}

TEST_CASE("disk: a file opened for reading is not written to") {
  BothDisks both;
  for (Disk* disk : both.disks) {
    REQUIRE(disk->create("a"));
    auto file = disk->open_for_reading("a").value();
    CHECK(write_all(*file, "x", 0).error().kind == std::errc::bad_file_descriptor);
  }
}

TEST_CASE("disk: a lock is held once, and free again when it is destroyed") {
  BothDisks both;
  for (Disk* disk : both.disks) {
    auto held = disk->lock("lock");
    REQUIRE(held);
    CHECK(disk->lock("lock").error().kind == std::errc::resource_unavailable_try_again);
    held->reset();
    CHECK(disk->lock("lock"));
  }
}

TEST_CASE("disk: space is told in bytes and inodes") {
  BothDisks both;
  for (Disk* disk : both.disks) {
    DiskSpace space = disk->space().value();
    CHECK(space.total_bytes >= space.free_bytes);
    CHECK(space.total_bytes > 0);
    CHECK(space.free_inodes > 0);
  }
}

TEST_CASE("real disk: files are 0600, directories 0700, and no symbolic link is followed") {
  TemporaryDirectory directory;
  auto disk = open_disk(directory.path()).value();
  REQUIRE(disk->create("a"));
  REQUIRE(disk->make_directory("d"));
  struct stat status;
  REQUIRE(::stat((directory.path() + "/a").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0600);
  REQUIRE(::stat((directory.path() + "/d").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0700);
  REQUIRE(::symlink("a", (directory.path() + "/link").c_str()) == 0);
  CHECK(disk->open_for_writing("link").error().kind == std::errc::too_many_symbolic_link_levels);
  CHECK(disk->create("link").error().kind == std::errc::file_exists);
}

TEST_CASE("real disk: what is no file is told from a file, and a FIFO keeps nobody waiting") {
  TemporaryDirectory directory;
  auto disk = open_disk(directory.path()).value();
  REQUIRE(::mkfifo((directory.path() + "/fifo").c_str(), 0600) == 0);
  REQUIRE(::symlink("/etc/passwd", (directory.path() + "/link").c_str()) == 0);
  REQUIRE(disk->make_directory("directory"));
  for (std::string_view name : {"fifo", "link", "directory"}) {
    CAPTURE(name);
    CHECK(is_no_file(disk->open_for_reading(name).error()));
    CHECK(is_no_file(disk->open_for_writing(name).error()));
  }
  CHECK_FALSE(is_no_file(disk->open_for_reading("absent").error()));
}

TEST_CASE("real disk: what it opens is closed on exec") {
  TemporaryDirectory directory;
  auto disk = open_disk(directory.path()).value();
  int before = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(before);
  auto file = disk->create("a").value();  // takes the number that was free
  CHECK((::fcntl(before, F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("real disk: a root that is missing or no directory is an error") {
  TemporaryDirectory directory;
  CHECK(open_disk(directory.path() + "/none").error().kind == std::errc::no_such_file_or_directory);
  REQUIRE(open_disk(directory.path()).value()->create("file"));
  CHECK(open_disk(directory.path() + "/file").error().kind == std::errc::not_a_directory);
}

TEST_CASE("real disk: a root that was moved away is missed, and is there again when it is back") {
  TemporaryDirectory directory;
  std::string root = directory.path() + "/spool";
  std::filesystem::create_directory(root);
  auto disk = open_disk(root).value();
  std::filesystem::rename(root, root + ".away");
  CHECK(disk->space().error().text == root + " has been moved or deleted");
  std::filesystem::create_directory(root);
  CHECK(disk->space().error().kind == std::errc::no_such_file_or_directory);
  std::filesystem::remove(root);
  std::filesystem::rename(root + ".away", root);
  CHECK(disk->space());
}

TEST_CASE(
    "real disk: of a root that was deleted nothing is flushed, and an empty one in its place is taken") {
  TemporaryDirectory directory;
  std::string root = directory.path() + "/spool";
  std::filesystem::create_directory(root);
  auto disk = open_disk(root).value();
  auto file = disk->create("file").value();
  std::filesystem::remove_all(root);
  CHECK(file->flush().error().kind == std::errc::no_such_file_or_directory);
  CHECK_FALSE(disk->space());
  CHECK(disk->create("other").error().kind == std::errc::no_such_file_or_directory);
  std::filesystem::create_directory(root);
  CHECK(disk->space());
  CHECK(disk->create("other"));
  CHECK(std::filesystem::exists(root + "/other"));
}

TEST_CASE("disk: a full disk is told from a broken one") {
  CHECK(is_disk_full(DiskError{std::errc::no_space_on_device, ""}));
  CHECK(is_disk_full(DiskError{static_cast<std::errc>(EDQUOT), ""}));
  CHECK_FALSE(is_disk_full(DiskError{std::errc::io_error, ""}));
}
