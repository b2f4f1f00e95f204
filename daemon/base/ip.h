// SPDX-License-Identifier: MIT
// IP addresses, networks and endpoints as values. No look-ups.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hikyaku {

// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address (::ffff:1.2.3.4) is the IPv4 address it stands for.
class IpAddress {
 public:
  // "127.0.0.1", "::1"; no brackets, no zone, no port.
  static std::optional<IpAddress> parse(std::string_view text);
  static IpAddress from_bytes(const std::uint8_t* bytes, bool v6);

  bool is_v6() const { return v6_; }
  bool is_loopback() const;
  bool is_unspecified() const;  // 0.0.0.0, ::
  std::string to_text() const;
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }  // IPv4: the first four
  bool operator==(const IpAddress&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
  bool v6_ = false;
};

// "127.0.0.0/8", "::1/128", or a single address.
class Network {
 public:
  static std::optional<Network> parse(std::string_view text);
  bool contains(const IpAddress& address) const;
  std::string to_text() const;
  bool operator==(const Network&) const = default;

 private:
  IpAddress base_;
  unsigned prefix_ = 0;
};

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  // "127.0.0.1:25", "[::1]:25"; the port is required.
  static std::optional<Endpoint> parse(std::string_view text);
  // IPv4 and IPv6 only.
  static std::optional<Endpoint> from_sockaddr(const sockaddr* address);
  sockaddr_storage to_sockaddr() const;
  std::string to_text() const;  // "127.0.0.1:25", "[::1]:25"
  bool operator==(const Endpoint&) const = default;
};

}  // namespace hikyaku
