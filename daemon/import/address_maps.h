// SPDX-License-Identifier: MIT
// Tables that rewrite senders (Postfix's generic and canonical maps, sSMTP's revaliases): what they can be here,
// `from` for one address that all mail leaves with, and `masquerade` for hosts that become a domain. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "daemon/import/imported.h"
#include "daemon/import/postfix_map.h"

namespace hikyaku::importing {

// A key "*" stands for everybody. Each row that has no counterpart is remarked.
void import_address_map(const std::vector<MapRow>& rows, const Place& place, std::string_view parameter,
                        Imported& imported);

// All mail leaves with this address, by every smarthost that has none of its own.
void send_as(const std::string& address, Imported& imported);

}  // namespace hikyaku::importing
