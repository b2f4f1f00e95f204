// SPDX-License-Identifier: MIT
// A directory that goes, with all that is in it, when its object does. 0700.
#pragma once

#include <string>

namespace hikyaku::system {

class TemporaryDirectory {
 public:
  // Below $TMPDIR or /tmp. Throws std::system_error where there is no room for it.
  explicit TemporaryDirectory(const std::string& prefix);
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + '/' + name; }

 private:
  std::string path_;
};

}  // namespace hikyaku::system
