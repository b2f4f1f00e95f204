// SPDX-License-Identifier: MIT
// What goes to the caller's descriptors, which may be anything. Blocks.
#pragma once

#include <string_view>

namespace hikyaku::sendmail {

// Writes all of it; false if nobody is there to take it.
bool write_all(int fd, std::string_view bytes);
// The same to standard output, whatever becomes of it.
void print(std::string_view text);

}  // namespace hikyaku::sendmail
