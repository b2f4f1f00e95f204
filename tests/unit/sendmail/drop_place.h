// SPDX-License-Identifier: MIT
// A drop directory for a test, with the mode it has on a real machine, and what lies in it.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "daemon/base/error.h"
#include "daemon/base/random.h"

namespace hikyaku::test {

class DropPlace {
 public:
  explicit DropPlace(mode_t mode = 01730) : path_("/tmp/hikyaku-drop-" + random_token(10)) {
    check(::mkdir(path_.c_str(), 0700) == 0 && ::chmod(path_.c_str(), mode) == 0, "a drop directory");
  }
  ~DropPlace() { std::filesystem::remove_all(path_); }
  DropPlace(const DropPlace&) = delete;
  DropPlace& operator=(const DropPlace&) = delete;

  const std::string& path() const { return path_; }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_))
      names.push_back(entry.path().filename());
    return names;
  }
  // Of the only file.
  std::string content() const {
    check(names().size() == 1, "there is one file");
    std::ifstream file(path_ + "/" + names()[0], std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

 private:
  std::string path_;
};

}  // namespace hikyaku::test
