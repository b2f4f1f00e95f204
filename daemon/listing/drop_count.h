// SPDX-License-Identifier: MIT
// How many mails sendmail(1) has left in drop/ that nobody has fetched yet: they are queued for whoever sent
// them, and no part of the spool's log. Blocks.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace hikyaku::listing {

// Of `owner`, or of everybody. nullopt: the directory may not be read, or is not there.
std::optional<std::size_t> count_drops(const std::string& spool, std::optional<std::uint32_t> owner);

// "2 mails wait in /var/spool/hikyaku/drop to be fetched by hikyakud"; empty: none.
std::string drops_text(const std::string& spool, std::optional<std::uint32_t> owner);

}  // namespace hikyaku::listing
