// SPDX-License-Identifier: MIT
// A spool's drop directory for tests: what stands where, and files of all kinds.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "daemon/pickup/drop_directory.h"
#include "daemon/system/drop_setup.h"
#include "daemon/system/temporary_directory.h"
#include "tests/support/drops.h"

namespace hikyaku::test {

struct DropPlace {
  system::TemporaryDirectory spool{"hikyaku-drop"};

  DropPlace() {
    system::prepare_drop_directory(spool.path(), std::nullopt,
                                   [](const std::string&) { return std::nullopt; });
  }
  pickup::DropDirectory open() const {
    auto opened = pickup::DropDirectory::open(spool.path());
    REQUIRE(opened);
    return std::move(*opened);
  }
  std::string at(const std::string& name) const { return spool.path() + "/drop/" + name; }

  // As sendmail(1) does: under another name first.
  void drop(const std::string& name, const std::string& bytes, mode_t mode = 0640) const {
    std::ofstream(at(".new"), std::ios::binary) << bytes;
    REQUIRE(::chmod(at(".new").c_str(), mode) == 0);
    REQUIRE(::rename(at(".new").c_str(), at(name).c_str()) == 0);
  }

  // The names in drop/, taken/ or refused/, sorted.
  std::vector<std::string> names(const std::string& directory) const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(spool.path() + '/' + directory))
      found.push_back(entry.path().filename().string());
    std::ranges::sort(found);
    return found;
  }
  std::string content(const std::string& path) const {
    std::ifstream in(spool.path() + '/' + path, std::ios::binary);
    std::stringstream all;
    all << in.rdbuf();
    return all.str();
  }
};

}  // namespace hikyaku::test
