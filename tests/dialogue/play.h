// SPDX-License-Identifier: MIT
// Plays a script against a server session of its own.
#pragma once

#include <cstddef>
#include <string>

#include "tests/dialogue/script.h"

namespace hikyaku::test {

// What went otherwise than written, or "". No read of the server's gives more than `segment` bytes.
std::string play(const Script& script, std::size_t segment);

}  // namespace hikyaku::test
