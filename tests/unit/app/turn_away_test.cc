// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "daemon/app/hikyakud.h"
#include "daemon/base/ip.h"

using namespace hikyaku;
using namespace hikyaku::app;

namespace {

Fd new_socket() { return Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

Fd listen_somewhere(sockaddr_storage& address) {
  address = Endpoint::parse("127.0.0.1:0")->to_sockaddr();
  socklen_t length = sizeof address;
  Fd fd = new_socket();
  REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
  REQUIRE(::listen(fd.get(), 10) == 0);
  REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
  return fd;
}

Fd connect_to(const sockaddr_storage& address) {
  Fd fd = new_socket();
  REQUIRE(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

std::string all_of(const Fd& client) {
  std::string text;
  char piece[100];
  for (ssize_t got; (got = ::read(client.get(), piece, sizeof piece)) > 0;)
    text.append(piece, static_cast<std::size_t>(got));
  return text;
}

}  // namespace

TEST_CASE("turned away: whoever waits at a socket is told to come back later, at each of the sockets") {
  sockaddr_storage one;
  sockaddr_storage other;
  std::vector<Fd> sockets;
  sockets.push_back(listen_somewhere(one));
  sockets.push_back(listen_somewhere(other));
  Fd first = connect_to(one);
  Fd second = connect_to(one);
  Fd third = connect_to(other);
  turn_away(duplicates(sockets), std::chrono::milliseconds(1));
  for (const Fd* client : {&first, &second, &third})
    CHECK(all_of(*client) ==
          "421 4.3.5 hikyakud cannot start: its configuration is wrong (see: journalctl -u hikyaku)\r\n");
}

TEST_CASE("turned away: without sockets there is nothing to wait for") {
  turn_away({}, std::chrono::hours(1));
}
