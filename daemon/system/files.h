// SPDX-License-Identifier: MIT
// Small files, whole. All of it blocks for the disk.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <system_error>

#include "daemon/base/error.h"
#include "daemon/base/fd.h"

namespace hikyaku::system {

// Writes all of `bytes` at the file's position. Returns false with errno set; part of it may then be written.
bool write_all(const Fd& fd, std::string_view bytes);

// The file has either its old or its new content at any time, whatever happens: FILE.new is written, flushed
// and renamed. `mode` counts whatever the umask. No symbolic link is followed. The error's text names the
// file.
Result<void, Error<std::errc>> replace_file(const std::string& file, std::string_view text,
                                            mode_t mode = 0600);

// Creates the file with mode 0600. Throws std::system_error.
void write_new_file(const std::string& path, std::string_view text);
// Returns an empty string where there is no such file.
std::string read_whole_file(const std::string& path);

}  // namespace hikyaku::system
