// SPDX-License-Identifier: MIT
// Everything that a file in the drop directory can be (SECURITY.md, P1), without a daemon.
#include "daemon/pickup/drop_file.h"

#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include <atomic>
#include <thread>

#include "daemon/base/text.h"
#include "tests/unit/pickup/drop_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::pickup;

namespace {

constexpr std::uint64_t kLongest = 1 << 20;
const std::string kFile = test::drop_name(1);
const std::string kWhole = test::make_drop("a@x.example", {"b@y.example"}, "Subject: x\r\n\r\nhi\r\n");

std::string all_of(DropFile& file) {
  std::string all;
  for (;;) {
    auto piece = file.read(7);
    REQUIRE(piece);
    if (piece->empty()) return all;
    all += *piece;
  }
}

// "" if it was opened, else why not.
std::string refusal(const test::DropPlace& place, DropFault* kind = nullptr) {
  auto file = place.open().open_drop(kFile, kLongest);
  if (file) return "";
  if (kind != nullptr) *kind = file.error().kind;
  return file.error().text;
}

void make_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.size() < sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
}

}  // namespace

TEST_CASE("drop file: a whole one gives what it holds, and knows that it is whole") {
  test::DropPlace place;
  place.drop(kFile, kWhole);
  auto file = place.open().open_drop(kFile, kLongest);
  REQUIRE(file);
  CHECK(file->uid() == ::geteuid());
  CHECK(all_of(*file) == kWhole.substr(mail::kDropHeader));
  CHECK(file->is_whole());
}

TEST_CASE("drop file: half read it is not whole, and one other byte makes it another") {
  test::DropPlace place;
  std::string changed = kWhole;
  changed.back() = 'x';
  place.drop(kFile, changed);
  auto file = place.open().open_drop(kFile, kLongest);
  REQUIRE(file);
  CHECK(file->read(5)->size() == 5);
  CHECK_FALSE(file->is_whole());
  all_of(*file);
  CHECK_FALSE(file->is_whole());
}

TEST_CASE("drop file: what grows or shrinks while it is read is not taken for more, or less") {
  test::DropPlace place;
  place.drop(kFile, kWhole);
  auto file = place.open().open_drop(kFile, kLongest);
  REQUIRE(file);
  std::ofstream(place.at(kFile), std::ios::app) << "more";
  CHECK(all_of(*file) == kWhole.substr(mail::kDropHeader));
  place.drop(kFile, kWhole);
  file = place.open().open_drop(kFile, kLongest);
  REQUIRE(::truncate(place.at(kFile).c_str(), static_cast<off_t>(kWhole.size() - 3)) == 0);
  while (file->left() > 3) REQUIRE(file->read(1));
  auto rest = file->read(100);
  REQUIRE_FALSE(rest);
  CHECK(rest.error().kind == DropFault::broken);
}

TEST_CASE("drop file: another length than the first line's, or another first line, is refused") {
  for (const std::string& bytes :
       {kWhole + "x", kWhole.substr(0, kWhole.size() - 1), std::string(), std::string("MAIL FROM:<a@b>\r\n"),
        kWhole.substr(1), std::string(mail::kDropHeader, '\0')}) {
    test::DropPlace place;
    place.drop(kFile, bytes);
    DropFault kind{};
    CHECK(refusal(place, &kind) != "");
    CHECK(kind == DropFault::broken);
  }
}

TEST_CASE("drop file: nothing but a regular file is opened, and nothing waits") {
  test::DropPlace place;
  std::ofstream(place.spool.file("elsewhere")) << kWhole;
  REQUIRE(::symlink(place.spool.file("elsewhere").c_str(), place.at(kFile).c_str()) == 0);
  CHECK(refusal(place) == "is a symbolic link");
  ::unlink(place.at(kFile).c_str());
  REQUIRE(::mkfifo(place.at(kFile).c_str(), 0640) == 0);
  CHECK(refusal(place) == "is a FIFO");
  ::unlink(place.at(kFile).c_str());
  REQUIRE(::mkdir(place.at(kFile).c_str(), 0750) == 0);
  CHECK(refusal(place) == "is a directory");
  ::rmdir(place.at(kFile).c_str());
  make_socket(place.at(kFile));
  CHECK(refusal(place) == "is a socket");
  ::unlink(place.at(kFile).c_str());
  if (::geteuid() == 0 && ::mknod(place.at(kFile).c_str(), S_IFCHR | 0640, makedev(1, 5)) == 0)
    CHECK(refusal(place) == "is a device");
}

TEST_CASE("drop file: a file with a second name is not read, and is once it has one again") {
  test::DropPlace place;
  std::ofstream(place.spool.file("anothers")) << kWhole;
  REQUIRE(::chmod(place.spool.file("anothers").c_str(), 0640) == 0);
  REQUIRE(::link(place.spool.file("anothers").c_str(), place.at(kFile).c_str()) == 0);
  CHECK(refusal(place) == "has another name elsewhere (a hard link)");
  ::unlink(place.spool.file("anothers").c_str());
  CHECK(refusal(place) == "");
}

TEST_CASE("drop file: a file that users other than its owner may write is refused") {
  test::DropPlace place;
  for (mode_t mode : {0660U, 0642U, 0666U}) {
    place.drop(kFile, kWhole, mode);
    CHECK(refusal(place) == "is writable by users other than its owner");
  }
}

TEST_CASE("drop file: of another's files only those of the directory's group are sendmail's") {
  if (::geteuid() != 0) return;  // giving files away takes root
  test::DropPlace place;
  place.drop(kFile, kWhole);
  REQUIRE(::chown(place.at(kFile).c_str(), 12345, 12345) == 0);
  CHECK(refusal(place).starts_with("was not made by sendmail"));
  REQUIRE(::chown(place.at(kFile).c_str(), 12345, ::getegid()) == 0);
  auto file = place.open().open_drop(kFile, kLongest);
  REQUIRE(file);
  CHECK(file->uid() == 12345);
}

TEST_CASE("drop file: a terabyte of nothing is not read") {
  test::DropPlace place;
  place.drop(kFile, kWhole);
  REQUIRE(::truncate(place.at(kFile).c_str(), off_t{1} << 40) == 0);
  DropFault kind{};
  CHECK(refusal(place, &kind) == "has 1099511627776 bytes");
  CHECK(kind == DropFault::too_long);
}

TEST_CASE("drop file: one that has gone is gone, which is no error of anybody") {
  test::DropPlace place;
  DropFault kind{};
  CHECK(refusal(place, &kind) == "is gone");
  CHECK(kind == DropFault::gone);
}

TEST_CASE("drop file: whatever takes its place between two looks, only true drops are ever read") {
  test::DropPlace place;
  const std::string other = place.spool.file("other");
  std::ofstream(other) << std::string(kWhole.size(), 's');
  constexpr unsigned kLooks = 20'000;
  constexpr unsigned kSwaps = 400;
  std::atomic<bool> stop{false};
  std::atomic<unsigned> swaps{0};
  // A drop, a symbolic link, a FIFO, a hard link, nothing, in turns.
  std::thread swapper([&] {
    const std::string target = place.at(kFile);
    const std::string fresh = place.at(".swap");
    for (unsigned round = 0; !stop; ++round) {
      ::unlink(fresh.c_str());
      if (round % 4 == 0) std::ofstream(fresh) << kWhole;
      if (round % 4 == 0) ::chmod(fresh.c_str(), 0640);
      if (round % 4 == 1) [[maybe_unused]]
        int linked = ::symlink(other.c_str(), fresh.c_str());
      if (round % 4 == 2) ::mkfifo(fresh.c_str(), 0640);
      if (round % 4 == 3) [[maybe_unused]]
        int linked = ::link(other.c_str(), fresh.c_str());
      ::rename(fresh.c_str(), target.c_str());
      ++swaps;
    }
  });
  auto directory = place.open();
  unsigned opened = 0;
  // However the two threads get their turns.
  for (unsigned looks = 0; looks < kLooks || swaps < kSwaps || opened == 0; ++looks) {
    auto file = directory.open_drop(kFile, kLongest);
    if (!file) continue;
    ++opened;
    if (all_of(*file) != kWhole.substr(mail::kDropHeader)) FAIL_CHECK("another file was read");
  }
  stop = true;
  swapper.join();
}
