// SPDX-License-Identifier: MIT
#include <sys/stat.h>

#include "daemon/config/load.h"
#include "doctest/doctest.h"
#include "tests/unit/config/loading.h"
#include "tests/unit/config/scratch_directory.h"

namespace hikyaku::config {
namespace {

// All problems, a line each.
std::string told(const AliasesSettings& settings) {
  std::string lines;
  for (const Problem& problem : load_aliases(settings).problems) lines += to_text(problem) + "\n";
  return lines;
}

TEST_CASE("aliases: the file is read, and each problem has file and line") {
  ScratchDirectory directory;
  std::string path = directory.write("aliases", "root: a@b\nx: |y\ncron: root\n", 0644);
  LoadedAliases loaded = load_aliases({path, true});
  CHECK(loaded.aliases.size() == 2);
  REQUIRE(loaded.problems.size() == 1);
  CHECK(contains(to_text(loaded.problems[0]), path + ":2: `|y` is a program"));
}

TEST_CASE("aliases: a missing file has none, unless the configuration names it") {
  ScratchDirectory directory;
  std::string path = directory.path() + "/none";
  CHECK(told({path, false}) == "");
  CHECK(load_aliases({path, false}).aliases.size() == 0);
  CHECK(told({path, true}) == path + ": the aliases file cannot be opened: No such file or directory\n");
}

TEST_CASE("aliases: a file that anybody may write is not read, and one that others may read is") {
  ScratchDirectory directory;
  for (mode_t mode : {0644U, 0664U, 0600U, 0444U})
    CHECK(told({directory.write("a", "root: a@b\n", mode), true}) == "");
  for (mode_t mode : {0666U, 0646U, 0602U}) {
    std::string path = directory.write("a", "root: a@b\n", mode);
    LoadedAliases loaded = load_aliases({path, false});
    CHECK(loaded.aliases.size() == 0);
    REQUIRE(loaded.problems.size() == 1);
    CHECK(contains(to_text(loaded.problems[0]), "run: chmod o-w " + path));
  }
}

TEST_CASE("aliases: a directory, a FIFO and a file beyond all measure are refused without blocking") {
  ScratchDirectory directory;
  CHECK(contains(told({directory.path(), false}), "is not a regular file"));
  std::string fifo = directory.path() + "/fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(contains(told({fifo, false}), "is not a regular file"));
  std::string large = directory.write("large", std::string((1 << 20) + 1, '#'), 0644);
  CHECK(contains(told({large, false}), "is larger than 1 MiB"));
}

TEST_CASE("aliases: the configuration's key names the file") {
  CHECK(settings_of("smarthost: smtps://a.example\n").aliases == AliasesSettings{"/etc/aliases", false});
  CHECK(settings_of("smarthost: smtps://a.example\naliases: /a/b\n").aliases ==
        AliasesSettings{"/a/b", true});
  CHECK(contains(complaints("smarthost: smtps://a.example\naliases: b\n"), "must be an absolute path"));
}

}  // namespace
}  // namespace hikyaku::config
