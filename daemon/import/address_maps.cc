// SPDX-License-Identifier: MIT
#include <algorithm>
#include <set>

#include "daemon/base/text.h"
#include "daemon/config/hostname.h"
#include "daemon/import/imported.h"
#include "daemon/mail/address.h"

namespace hikyaku::importing {
namespace {

// "@app1.example.com @example.com": the host's name is hidden.
bool hides_host(const MapRow& row) { return row.key.starts_with('@') && row.value.starts_with('@'); }

void import_hidden_host(const MapRow& row, Imported& imported) {
  const std::string host = to_lower(row.key.substr(1)), domain = to_lower(row.value.substr(1));
  config::Settings& settings = imported.settings;
  const bool fits = config::is_host_name(host) && config::is_host_name(domain) &&
                    (settings.domain.empty() || settings.domain == domain);
  if (!fits)
    return imported.remark(row.place, "",
                           "turns one domain into another that is not `domain`, which has no counterpart");
  settings.domain = domain;
  if (std::ranges::find(settings.masquerade, host) == settings.masquerade.end())
    settings.masquerade.push_back(host);
}

bool is_for_everybody(const MapRow& row) { return row.key == "*" || row.key.starts_with('@'); }

}  // namespace

void send_as(const std::string& address, Imported& imported) {
  for (mail::Smarthost& smarthost : imported.settings.smarthosts)
    if (smarthost.rewrite.header_from.empty())
      smarthost.rewrite.envelope_from = smarthost.rewrite.header_from = address;
}

void import_address_map(const std::vector<MapRow>& rows, const Place& place, std::string_view parameter,
                        Imported& imported) {
  std::set<std::string> targets;
  bool is_for_all = false;
  std::vector<const MapRow*> others;
  for (const MapRow& row : rows) {
    if (hides_host(row)) {
      import_hidden_host(row, imported);
      continue;
    }
    others.push_back(&row);
    is_for_all = is_for_all || is_for_everybody(row);
    targets.insert(row.value);
  }
  auto only = targets.size() == 1 ? plain_address(*targets.begin()) : std::nullopt;
  if (!only) {
    for (const MapRow* row : others)
      imported.remark(
          row->place, "",
          "rewrites single addresses, which has no counterpart; `from` sends all mail of a smarthost "
          "with one address, and the aliases file redirects recipients of this machine");
    return;
  }
  send_as(*only, imported);
  imported.remark(place, parameter,
                  cat("became `from`: all mail leaves with this address, the one that was there in Reply-To",
                      is_for_all ? "" : ", also of senders that are not in the table",
                      "; senders that are to stay as they are belong into `rewrite: {unless: […]}`"));
}

}  // namespace hikyaku::importing
