// SPDX-License-Identifier: MIT
// libuv's error numbers as our closed set. Internal to daemon/io.
#pragma once

#include "daemon/base/io_error.h"

namespace hikyaku::io {

IoError from_uv(int error);

}  // namespace hikyaku::io
