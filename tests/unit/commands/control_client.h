// SPDX-License-Identifier: MIT
// The other end of the control socket, byte by byte.
#pragma once

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <string>
#include <string_view>

#include "daemon/base/fd.h"
#include "daemon/system/temporary_directory.h"

namespace hikyaku::test {

// Empty: nobody listens there.
inline Fd connect_to(const std::string& path) {
  Fd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  bool is_connected = ::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  return is_connected ? std::move(client) : Fd();
}

inline void say(const Fd& client, std::string_view text) {
  REQUIRE(::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
}

// Until the other end has closed.
inline std::string read_all(const Fd& client) {
  std::string text;
  std::array<char, 4096> piece;
  for (;;) {
    ssize_t got = ::recv(client.get(), piece.data(), piece.size(), 0);
    if (got <= 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
}

inline std::string body_of(const std::string& answer) {
  auto end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

}  // namespace hikyaku::test
