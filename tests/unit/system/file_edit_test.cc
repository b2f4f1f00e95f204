// SPDX-License-Identifier: MIT
#include "daemon/system/file_edit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <thread>
#include <vector>

#include "daemon/system/files.h"
#include "doctest/doctest.h"

namespace hikyaku::system {
namespace {

struct EditRig {
  TemporaryDirectory place{"hikyaku-edit"};
  std::string file = place.file("authinfo");

  Result<void, FileEditError> put(const std::string& path, std::string_view text,
                                  FileAccess access = {}) const {
    auto edit = FileEdit::begin(path);
    REQUIRE(edit);
    return edit->replace(text, access);
  }
};

mode_t mode_of(const std::string& path) {
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

TEST_CASE("file edit: a new file has the access that was asked for, whatever the umask") {
  EditRig rig;
  const mode_t before = ::umask(0);
  CHECK(rig.put(rig.file, "a"));
  ::umask(before);
  CHECK(mode_of(rig.file) == 0600);
  CHECK(rig.put(rig.file, "b", {0640, ::getegid()}));
  CHECK(mode_of(rig.file) == 0640);
  CHECK(read_whole_file(rig.file) == "b");
}

TEST_CASE("file edit: a symbolic link stays, and its target changes") {
  EditRig rig;
  std::filesystem::create_directory(rig.place.file("real"));
  std::filesystem::create_symlink("real/secrets", rig.file);
  CHECK(rig.put(rig.file, "a"));  // also where the link leads nowhere yet
  CHECK(rig.put(rig.file, "b"));
  CHECK(std::filesystem::is_symlink(rig.file));
  CHECK(read_whole_file(rig.place.file("real/secrets")) == "b");
}

TEST_CASE("file edit: what an interrupted edit has left, and somebody holds open, gets nothing of the next") {
  EditRig rig;
  write_new_file(rig.file + ".new", "half");
  ::chmod((rig.file + ".new").c_str(), 0666);
  const Fd reader(::open((rig.file + ".new").c_str(), O_RDONLY));
  CHECK(rig.put(rig.file, "secret"));
  char bytes[16];
  CHECK(::read(reader.get(), bytes, sizeof bytes) == 4);
  CHECK(mode_of(rig.file) == 0600);
}

TEST_CASE("file edit: an edit that fails leaves the old file and nothing beside it") {
  EditRig rig;
  CHECK(rig.put(rig.file, "old"));
  std::filesystem::create_directory(rig.file + ".new");  // cannot be unlinked
  auto failed = rig.put(rig.file, "new");
  REQUIRE_FALSE(failed);
  CHECK(failed.error().text.starts_with(rig.file + ": "));
  CHECK(read_whole_file(rig.file) == "old");
  CHECK_FALSE(FileEdit::begin("/nonexistent/authinfo"));
}

TEST_CASE("file edit: editors at the same time wait for one another, so that no change is lost") {
  EditRig rig;
  CHECK(rig.put(rig.file, ""));
  std::vector<std::thread> editors;
  for (int i = 0; i < 8; ++i)
    editors.emplace_back([&] {
      for (int j = 0; j < 10; ++j) {
        auto edit = FileEdit::begin(rig.file);
        (void)edit->replace(read_whole_file(edit->path()) + "x", {});
      }
    });
  for (std::thread& editor : editors) editor.join();
  CHECK(read_whole_file(rig.file).size() == 80);
}

}  // namespace
}  // namespace hikyaku::system
