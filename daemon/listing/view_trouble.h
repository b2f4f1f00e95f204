// SPDX-License-Identifier: MIT
// Why a spool cannot be read, for people. Blocks.
#pragma once

#include <string>

#include "daemon/base/exit.h"
#include "spool/view.h"

namespace hikyaku::listing {

// Errors of reading the spool in `directory`: no_input, no_permission, try_again, io.
StartError explain(const spool::ViewError& error, const std::string& directory);

}  // namespace hikyaku::listing
