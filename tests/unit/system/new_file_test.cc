// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "daemon/system/files.h"

using namespace hikyaku;
using namespace hikyaku::system;

namespace {

std::size_t files_in(const TemporaryDirectory& place) {
  std::filesystem::directory_iterator begin(place.path());
  return static_cast<std::size_t>(std::distance(begin, {}));
}

}  // namespace

TEST_CASE("new file: appears whole, for its owner alone") {
  TemporaryDirectory place("hikyaku-test");
  {
    auto file = NewFile::create(AT_FDCWD, place.file("a"));
    REQUIRE(file);
    CHECK(file->write("con"));
    CHECK(file->write("tent"));
    CHECK(!std::filesystem::exists(place.file("a")));
    CHECK(file->finish());
  }
  CHECK(system::read_whole_file(place.file("a")) == "content");
  struct stat status;
  REQUIRE(::stat(place.file("a").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  CHECK(files_in(place) == 1);
}

TEST_CASE("new file: nothing is left of one that is not finished") {
  TemporaryDirectory place("hikyaku-test");
  {
    auto file = NewFile::create(AT_FDCWD, place.file("a"));
    REQUIRE(file);
    CHECK(file->write("half"));
  }
  CHECK(files_in(place) == 0);
}

TEST_CASE("new file: never takes the place of another, not even of a dangling link") {
  TemporaryDirectory place("hikyaku-test");
  std::ofstream(place.file("a")) << "theirs";
  std::filesystem::create_symlink(place.file("nowhere"), place.file("b"));
  for (const char* name : {"a", "b"}) {
    auto file = NewFile::create(AT_FDCWD, place.file(name));
    REQUIRE(file);
    CHECK(file->write("ours"));
    auto done = file->finish();
    REQUIRE(!done);
    CHECK(done.error().kind == std::errc::file_exists);
  }
  CHECK(system::read_whole_file(place.file("a")) == "theirs");
  CHECK(!std::filesystem::exists(place.file("nowhere")));
  CHECK(files_in(place) == 2);
}
