// SPDX-License-Identifier: MIT
#include "daemon/system/temporary_directory.h"

#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace hikyaku::system {

TemporaryDirectory::TemporaryDirectory(const std::string& prefix)
    : path_((std::filesystem::temp_directory_path() / (prefix + "-XXXXXX")).string()) {
  if (::mkdtemp(path_.data()) == nullptr) throw std::system_error(errno, std::generic_category(), path_);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code nothing_more_to_be_done;
  std::filesystem::remove_all(path_, nothing_more_to_be_done);
}

}  // namespace hikyaku::system
