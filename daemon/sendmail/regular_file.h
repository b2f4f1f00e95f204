// SPDX-License-Identifier: MIT
// A small file, read with the caller's own rights.
#pragma once

#include <cstddef>
#include <string>

#include "daemon/base/error.h"

namespace hikyaku::sendmail {

// The first `limit` bytes. Fails, by errno, for what cannot be opened, and with EINVAL for what is no regular
// file; waits for nothing.
Result<std::string, int> read_regular_file(const std::string& path, std::size_t limit);

}  // namespace hikyaku::sendmail
