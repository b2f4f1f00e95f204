// SPDX-License-Identifier: MIT
// A small text file, read whole. Never blocks on a FIFO, never reads a device, never more than 1 MiB. What
// fstat(2) says is about the very file that was read.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "daemon/base/error.h"

namespace hikyaku::config {

inline constexpr std::size_t kLargestFile = 1 << 20;

struct FileText {
  std::string text;
  struct stat status{};
};

enum class FileErrorKind { missing, denied, other };
using FileError = Error<FileErrorKind>;

Result<FileText, FileError> read_file(const std::string& path);

}  // namespace hikyaku::config
