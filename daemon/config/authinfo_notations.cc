// SPDX-License-Identifier: MIT
#include "daemon/config/authinfo_notations.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/host.h"

namespace hikyaku::config {

std::optional<AuthinfoEntry> parse_postfix_line(std::string_view line) {
  std::size_t gap = line.find_first_of(" \t");
  if (gap == line.npos) return std::nullopt;
  auto target = parse_host_port(line.substr(0, gap));
  std::string_view login = trim(line.substr(gap));
  std::size_t colon = login.find(':');
  if (!target || colon == 0 || colon == login.npos || colon + 1 == login.size()) return std::nullopt;
  std::string_view user = login.substr(0, colon);
  if (user.find_first_of(" \t") != user.npos) return std::nullopt;
  AuthinfoEntry entry{target->host, target->port, {}};
  entry.credentials.user = user;
  entry.credentials.password = Secret(std::string(login.substr(colon + 1)));
  return entry;
}

std::optional<AuthinfoEntry> parse_clsmtpc_line(std::string_view line) {
  std::size_t first = line.find(':');
  std::size_t second = first == line.npos ? line.npos : line.find(':', first + 1);
  // "[2001:db8::1] …" is a host, not a user of the host "db8".
  if (first == 0 || second == line.npos || line.starts_with('[')) return std::nullopt;
  auto host = parse_host(line.substr(first + 1, second - first - 1));
  std::string_view password = trim(line.substr(second + 1));
  if (!host || password.empty()) return std::nullopt;
  AuthinfoEntry entry{*host, {}, {}};
  entry.credentials.user = line.substr(0, first);
  entry.credentials.password = Secret(std::string(password));
  return entry;
}

}  // namespace hikyaku::config
