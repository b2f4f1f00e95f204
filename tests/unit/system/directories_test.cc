// SPDX-License-Identifier: MIT
#include "daemon/system/directories.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "daemon/system/files.h"

using namespace hikyaku;
using namespace hikyaku::system;
namespace fs = std::filesystem;

namespace {

const Account kOther{"courier", 4242, 4243};

struct stat status_of(const std::string& path) {
  struct stat status{};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status;
}

std::string refusal(const Result<void, StartError>& done) {
  REQUIRE_FALSE(done);
  CHECK(done.error().kind == Exit::cannot_create);
  return done.error().text;
}

bool is_root() { return ::geteuid() == 0; }

}  // namespace

TEST_CASE("app: a missing spool directory is made, passable but not readable") {
  TemporaryDirectory place("hikyaku-test");
  std::string spool = place.file("spool");
  REQUIRE(prepare_spool_directory(spool + "/", std::nullopt));
  CHECK((status_of(spool).st_mode & 07777) == 0711);
  CHECK(prepare_spool_directory(spool, std::nullopt));  // and found the next time
}

TEST_CASE("app: the directory above the spool is not made: its name may be misspelt") {
  TemporaryDirectory place("hikyaku-test");
  auto text = refusal(prepare_spool_directory(place.file("no/spool"), std::nullopt));
  CHECK(text.find("No such file or directory") != std::string::npos);
}

TEST_CASE("app: a file system that forgets is known") {
  CHECK(forgetful_file_system("/dev/shm").value().file_system == "tmpfs");
  CHECK_FALSE(forgetful_file_system("/proc"));
  CHECK_FALSE(forgetful_file_system("/no/such/directory"));
}

TEST_CASE("app: a file or a symbolic link in the spool's place is refused") {
  TemporaryDirectory place("hikyaku-test");
  std::ofstream(place.file("file")) << "x";
  fs::create_directory(place.file("elsewhere"));
  fs::create_symlink(place.file("elsewhere"), place.file("link"));
  CHECK(refusal(prepare_spool_directory(place.file("file"), std::nullopt)).find("Not a directory") !=
        std::string::npos);
  for (const char* name : {"link", "link/"})
    CHECK(refusal(prepare_spool_directory(place.file(name), std::nullopt)).find("symbolic link") !=
          std::string::npos);
}

TEST_CASE("app: as root, a new or empty spool directory is handed to the user") {
  if (!is_root()) return;
  TemporaryDirectory place("hikyaku-test");
  fs::create_directory(place.file("empty"));
  for (const char* name : {"empty", "missing"}) {
    REQUIRE(prepare_spool_directory(place.file(name), kOther));
    CHECK(status_of(place.file(name)).st_uid == kOther.uid);
    CHECK(status_of(place.file(name)).st_gid == kOther.gid);
    CHECK((status_of(place.file(name)).st_mode & 07777) == 0711);
  }
}

TEST_CASE("app: as root, a directory with something in it, or of a third user, is not handed over") {
  if (!is_root()) return;
  TemporaryDirectory place("hikyaku-test");
  fs::create_directories(place.file("full/something"));
  fs::create_directory(place.file("third"));
  REQUIRE(::chown(place.file("third").c_str(), 4300, 4300) == 0);
  for (const char* name : {"full", "third"}) {
    uid_t before = status_of(place.file(name)).st_uid;
    CHECK(refusal(prepare_spool_directory(place.file(name), kOther)).find("chown -R courier:") !=
          std::string::npos);
    CHECK(status_of(place.file(name)).st_uid == before);
  }
}

TEST_CASE("app: as root, no symbolic link leads to a change of owner") {
  if (!is_root()) return;
  TemporaryDirectory place("hikyaku-test");
  fs::create_directory(place.file("elsewhere"));
  fs::create_symlink(place.file("elsewhere"), place.file("link"));
  CHECK_FALSE(prepare_spool_directory(place.file("link/"), kOther));
  CHECK(status_of(place.file("elsewhere")).st_uid == 0);
}

TEST_CASE(
    "app: as root, an empty runtime directory of root's is handed over, one that others may write is not") {
  if (!is_root()) return;
  TemporaryDirectory place("hikyaku-test");
  for (const char* name : {"fresh", "shared"}) fs::create_directory(place.file(name));
  fs::permissions(place.file("fresh"), fs::perms(0755));
  fs::permissions(place.file("shared"), fs::perms(01777));
  REQUIRE(prepare_runtime_directory(place.file("fresh"), kOther));
  REQUIRE(prepare_runtime_directory(place.file("shared"), kOther));
  CHECK(status_of(place.file("fresh")).st_uid == kOther.uid);
  CHECK(status_of(place.file("shared")).st_uid == 0);
}

TEST_CASE("app: a runtime directory that is in use stays as it is, a new one is open to all") {
  TemporaryDirectory place("hikyaku-test");
  fs::create_directory(place.file("old"));
  fs::create_directory(place.file("old") + "/in-use");
  fs::permissions(place.file("old"), fs::perms(0700));
  auto account = is_root() ? std::optional(kOther) : std::nullopt;
  REQUIRE(prepare_runtime_directory(place.file("old"), account));
  REQUIRE(prepare_runtime_directory(place.file("new"), account));
  CHECK((status_of(place.file("old")).st_mode & 07777) == 0700);
  CHECK(status_of(place.file("old")).st_uid == ::geteuid());
  CHECK((status_of(place.file("new")).st_mode & 07777) == 0755);
  CHECK(status_of(place.file("new")).st_uid == (is_root() ? kOther.uid : ::geteuid()));
}
