// SPDX-License-Identifier: MIT
// A small file that always has either its old or its new content, whatever happens. Blocks for the disk.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <system_error>

#include "daemon/base/error.h"

namespace hikyaku::system {

// `mode` counts whatever the umask. Writes FILE.new, flushes it and renames it; no symbolic link is followed.
// The error's text names the file.
Result<void, Error<std::errc>> replace_file(const std::string& file, std::string_view text,
                                            mode_t mode = 0600);

}  // namespace hikyaku::system
