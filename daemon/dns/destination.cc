// SPDX-License-Identifier: MIT
#include "daemon/dns/destination.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/dns/domain_name.h"

namespace hikyaku::dns {
namespace {

void shuffle(std::span<MxRecord> records, const Jitter& jitter) {
  for (std::size_t left = records.size(); left > 1; --left) {
    const auto chosen = static_cast<std::size_t>(jitter() * static_cast<double>(left));
    std::swap(records[left - 1], records[std::min(chosen, left - 1)]);
  }
}

bool is_ourselves(const MailHost& host, std::uint16_t port, const Ourselves& ourselves) {
  auto is_ours = [&](const IpAddress& address) {
    return address.is_unspecified() || (ourselves.has && ourselves.has({address, port}));
  };
  return equals_ignoring_case(host.name, ourselves.hostname) || std::ranges::any_of(host.addresses, is_ours);
}

}  // namespace

std::vector<MailHost> in_order(std::vector<MxRecord> records, const Jitter& jitter) {
  std::ranges::sort(records, {}, &MxRecord::preference);
  for (auto first = records.begin(); first != records.end();) {
    auto equal = std::ranges::equal_range(first, records.end(), first->preference, {}, &MxRecord::preference);
    shuffle({equal.begin(), equal.end()}, jitter);
    first = equal.end();
  }
  std::vector<MailHost> hosts;
  for (MxRecord& record : records) {
    const bool is_known = std::ranges::find(hosts, record.exchange, &MailHost::name) != hosts.end();
    if (is_known || hosts.size() == kMostHosts || !is_host_name(record.exchange)) continue;
    hosts.push_back({.name = std::move(record.exchange), .preference = record.preference});
  }
  return hosts;
}

std::vector<IpAddress> in_turn(const std::vector<IpAddress>& v6, const std::vector<IpAddress>& v4) {
  std::vector<IpAddress> addresses;
  for (std::size_t i = 0; i < std::max(v6.size(), v4.size()); ++i) {
    if (i < v6.size()) addresses.push_back(v6[i]);
    if (i < v4.size()) addresses.push_back(v4[i]);
  }
  addresses.resize(std::min(addresses.size(), kMostAddresses));
  return addresses;
}

void cut_off_at_ourselves(std::vector<MailHost>& hosts, std::uint16_t port, const Ourselves& ourselves) {
  auto us =
      std::ranges::find_if(hosts, [&](const MailHost& host) { return is_ourselves(host, port, ourselves); });
  if (us == hosts.end()) return;
  std::erase_if(hosts, [worst = us->preference](const MailHost& host) { return host.preference >= worst; });
}

}  // namespace hikyaku::dns
