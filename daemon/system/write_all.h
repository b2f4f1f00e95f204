// SPDX-License-Identifier: MIT
// Blocks.
#pragma once

#include <string_view>

#include "daemon/base/fd.h"

namespace hikyaku::system {

// All of it, at the file's position. False: errno says why, and a part may have been written.
bool write_all(const Fd& fd, std::string_view bytes);

}  // namespace hikyaku::system
