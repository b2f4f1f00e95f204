// SPDX-License-Identifier: MIT
// Lookup tables as far as they are text. "hash:/etc/postfix/transport" names a .db that was made of
// /etc/postfix/transport, and that text is what is read; never the .db. And what becomes of those tables that rewrite
// senders (generic and canonical maps, sSMTP's revaliases): `from` for one address that all mail leaves with, and
// `masquerade` for hosts that become a domain. Pure but for ReadText.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/import/imported.h"
#include "daemon/import/source.h"

namespace hikyaku::importing {

struct MapRow {
  std::string key;
  std::string value;
  Place place;
};

// The rows of all tables that a parameter names, in order, $name already replaced. A table that cannot be read gets
// a remark that says how to make a text of it. `static:` and the patterns of regexp: and pcre: that fit
// everything are a row with the key "*"; other patterns are remarked.
std::vector<MapRow> read_maps(std::string_view value, const Place& place, std::string_view parameter,
                              const ReadText& read, Imported& imported);

// A key "*" stands for everybody. Each row that has no counterpart is remarked.
void import_address_map(const std::vector<MapRow>& rows, const Place& place, std::string_view parameter,
                        Imported& imported);

// All mail leaves with this address, by every smarthost that has none of its own.
void send_as(const std::string& address, Imported& imported);

}  // namespace hikyaku::importing
