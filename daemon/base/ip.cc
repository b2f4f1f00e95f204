// SPDX-License-Identifier: MIT
#include "daemon/base/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "daemon/base/text.h"

namespace hikyaku {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

IpAddress IpAddress::from_bytes(const std::uint8_t* bytes, bool v6) {
  IpAddress address;
  bool mapped = v6 && std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes);
  address.v6_ = v6 && !mapped;
  std::copy_n(mapped ? bytes + kMappedPrefix.size() : bytes, address.v6_ ? 16 : 4, address.bytes_.begin());
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  std::array<std::uint8_t, 16> bytes{};
  std::string terminated(text);
  if (terminated.find('\0') != std::string::npos) return std::nullopt;
  bool v6 = text.find(':') != text.npos;
  if (::inet_pton(v6 ? AF_INET6 : AF_INET, terminated.c_str(), bytes.data()) != 1) return std::nullopt;
  return from_bytes(bytes.data(), v6);
}

bool IpAddress::is_loopback() const {
  if (!v6_) return bytes_[0] == 127;
  return std::ranges::all_of(bytes_.begin(), bytes_.end() - 1, [](auto b) { return b == 0; }) &&
         bytes_[15] == 1;
}

bool IpAddress::is_unspecified() const {
  return std::ranges::all_of(bytes_, [](auto b) { return b == 0; });
}

std::string IpAddress::to_text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(v6_ ? AF_INET6 : AF_INET, bytes_.data(), text.data(), text.size());
  return text.data();
}

std::optional<Network> Network::parse(std::string_view text) {
  std::size_t slash = text.find('/');
  auto base = IpAddress::parse(text.substr(0, slash));
  if (!base) return std::nullopt;
  Network network;
  network.base_ = *base;
  network.prefix_ = base->is_v6() ? 128 : 32;
  if (slash == text.npos) return network;
  auto prefix = parse_number(text.substr(slash + 1));
  if (!prefix || *prefix > network.prefix_) return std::nullopt;
  network.prefix_ = static_cast<unsigned>(*prefix);
  return network;
}

bool Network::contains(const IpAddress& address) const {
  if (address.is_v6() != base_.is_v6()) return false;
  unsigned whole = prefix_ / 8;
  if (!std::equal(base_.bytes().begin(), base_.bytes().begin() + whole, address.bytes().begin()))
    return false;
  if (prefix_ % 8 == 0) return true;
  unsigned shift = 8 - prefix_ % 8;
  return base_.bytes()[whole] >> shift == address.bytes()[whole] >> shift;
}

std::string Network::to_text() const { return cat(base_.to_text(), "/", std::to_string(prefix_)); }

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  std::size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  auto port = parse_number(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  bool bracketed = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
  if (bracketed) host = host.substr(1, host.size() - 2);
  auto address = IpAddress::parse(host);
  bool written_as_v6 = host.find(':') != host.npos;
  if (!port || *port > 65535 || !address || written_as_v6 != bracketed) return std::nullopt;
  return Endpoint{*address, static_cast<std::uint16_t>(*port)};
}

std::optional<Endpoint> Endpoint::from_sockaddr(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    return Endpoint{IpAddress::from_bytes(reinterpret_cast<const std::uint8_t*>(&v4.sin_addr), false),
                    ntohs(v4.sin_port)};
  }
  if (address->sa_family != AF_INET6) return std::nullopt;
  sockaddr_in6 v6{};
  std::memcpy(&v6, address, sizeof v6);
  return Endpoint{IpAddress::from_bytes(reinterpret_cast<const std::uint8_t*>(&v6.sin6_addr), true),
                  ntohs(v6.sin6_port)};
}

sockaddr_storage Endpoint::to_sockaddr() const {
  sockaddr_storage storage{};
  if (address.is_v6()) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, address.bytes().data(), 16);
    std::memcpy(&storage, &v6, sizeof v6);
  } else {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, address.bytes().data(), 4);
    std::memcpy(&storage, &v4, sizeof v4);
  }
  return storage;
}

std::string Endpoint::to_text() const {
  std::string host = address.to_text();
  return address.is_v6() ? cat("[", host, "]:", std::to_string(port)) : cat(host, ":", std::to_string(port));
}

}  // namespace hikyaku
