// SPDX-License-Identifier: MIT
// Drops as sendmail(1) writes them, and others.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hikyaku::test {

// The first line with the right length and checksum, then `rest`.
std::string sealed_drop(std::string_view rest);
// A whole one.
std::string make_drop(std::string_view sender, const std::vector<std::string>& recipients,
                      std::string_view content);
// The n-th of a series; they sort as their numbers.
std::string drop_name(unsigned number);

}  // namespace hikyaku::test
