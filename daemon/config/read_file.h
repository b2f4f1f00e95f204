// SPDX-License-Identifier: MIT
// Reads a small text file. Never blocks on a FIFO, never reads a device or more than 1 MiB. `status`
// belongs to the very file that was read.
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

// The error's words; where the file was denied, with its mode, for whom it must be readable, and the command by
// which root lets us, and nobody else, read it.
std::string explain(const FileError& error, const std::string& path);

// "0640"
std::string mode_text(mode_t mode);

}  // namespace hikyaku::config
