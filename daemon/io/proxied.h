// SPDX-License-Identifier: MIT
// The PROXY protocol, version 2, receiver's side (haproxy's proxy-protocol.txt, 2.2): a proxy that hands a client's
// connection on says in front of it who the client is. To be believed only from proxies that are named. A client that
// comes from this machine, by the proxy's words, is refused: it would be trusted as what it cannot be.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "daemon/base/ip.h"
#include "daemon/io/stream.h"

namespace hikyaku::io {

// The fixed part of a header; all numbers are big-endian:
//    0  12  the signature
//   12   1  version (2) and command: 0 LOCAL, 1 PROXY
//   13   1  family and transport: 0x11 TCP over IPv4, 0x21 TCP over IPv6
//   14   2  the length of what follows: source and destination address, their ports, and what else a
//           proxy has to say, which is skipped
inline constexpr std::size_t kProxyHeader = 16;

struct ProxyHeader {
  // nullopt: the proxy speaks for itself (LOCAL), as for a health check.
  std::optional<Endpoint> client;
};

// How many bytes follow the first kProxyHeader; nullopt if these begin no header that we take (another version, or
// more bytes than any proxy has to say).
std::optional<std::size_t> proxy_header_rest(std::string_view fixed);
// Of a whole header; nullopt if it names no client that may be believed. What follows the addresses is skipped.
std::optional<ProxyHeader> parse_proxy_header(std::string_view header);

// Reads the header and not a byte more, however it is cut; then the stream's peer is the client, or still the proxy
// if that speaks for itself. `until` is for all of it. Without a header that we take `under` is gone: the error is
// access_denied, or what became of the connection. Suspends.
Task<Result<StreamPtr, IoError>> take_proxy_header(StreamPtr under, Until until);

}  // namespace hikyaku::io
