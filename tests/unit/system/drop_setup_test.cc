// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "daemon/pickup/drop_directory.h"
#include "daemon/system/directories.h"
#include "daemon/system/files.h"

using namespace hikyaku;
using namespace hikyaku::system;

namespace {

const FindGroup kNoGroup = [](const std::string&) { return std::nullopt; };

struct stat stat_of(const std::string& path) {
  struct stat status{};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status;
}

}  // namespace

TEST_CASE("drop setup: the directory is made with sticky bit and group, and nothing need be said") {
  TemporaryDirectory spool("hikyaku-test");
  const gid_t group = ::geteuid() == 0 ? 4711 : ::getegid();
  auto note = prepare_drop_directory(spool.path(), std::nullopt, [group](const std::string& name) {
    CHECK(name == "hikyaku-submit");
    return std::optional(group);
  });
  CHECK_FALSE(note);
  const struct stat made = stat_of(spool.file("drop"));
  CHECK((made.st_mode & 07777) == 01730);
  CHECK(made.st_uid == ::geteuid());
  CHECK(made.st_gid == group);
}

TEST_CASE("drop setup: root makes it for the daemon's user") {
  if (::geteuid() != 0) return;
  TemporaryDirectory spool("hikyaku-test");
  CHECK_FALSE(prepare_drop_directory(spool.path(), Account{"someone", 1234, 5678},
                                     [](const std::string&) { return std::optional<gid_t>(4711); }));
  CHECK(stat_of(spool.file("drop")).st_uid == 1234);
  CHECK(stat_of(spool.file("drop")).st_gid == 4711);
}

TEST_CASE("drop setup: without the group it is the daemon's own, and the operator hears what that means") {
  TemporaryDirectory spool("hikyaku-test");
  auto note = prepare_drop_directory(spool.path(), std::nullopt, kNoGroup);
  REQUIRE(note);
  CHECK(note->find("there is no group hikyaku-submit (systemd-sysusers makes it)") != std::string::npos);
  CHECK((stat_of(spool.file("drop")).st_mode & 07777) == 01730);
  CHECK(stat_of(spool.file("drop")).st_gid == ::getegid());
}

TEST_CASE("drop setup: what is there stays as it is, a symbolic link too, and what it leads to") {
  TemporaryDirectory spool("hikyaku-test");
  REQUIRE(::mkdir(spool.file("victim").c_str(), 0750) == 0);
  REQUIRE(::symlink(spool.file("victim").c_str(), spool.file("drop").c_str()) == 0);
  CHECK_FALSE(prepare_drop_directory(spool.path(), std::nullopt, kNoGroup));
  CHECK(S_ISLNK(stat_of(spool.file("drop")).st_mode));
  CHECK((stat_of(spool.file("victim")).st_mode & 07777) == 0750);
  auto opened = pickup::DropDirectory::open(spool.path());
  REQUIRE_FALSE(opened);
  CHECK(opened.error().kind == pickup::DropFault::system);
  CHECK(std::filesystem::is_empty(spool.file("victim")));
}

TEST_CASE("drop setup: a spool that is not there is no crash but a note") {
  auto note = prepare_drop_directory("/no/such/spool", std::nullopt, kNoGroup);
  REQUIRE(note);
  CHECK(note->find("/no/such/spool/drop: the spool cannot be opened") != std::string::npos);
}

TEST_CASE("drop directory: one that is another's is not used: nothing could be taken out of it") {
  if (::geteuid() != 0) return;
  TemporaryDirectory spool("hikyaku-test");
  prepare_drop_directory(spool.path(), Account{"someone", 1234, 5678}, kNoGroup);
  auto opened = pickup::DropDirectory::open(spool.path());
  REQUIRE_FALSE(opened);
  CHECK(opened.error().kind == pickup::DropFault::not_ours);
  CHECK(opened.error().text.find("systemd-tmpfiles --create") != std::string::npos);
}
