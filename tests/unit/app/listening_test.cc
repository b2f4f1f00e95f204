// SPDX-License-Identifier: MIT
#include "daemon/app/listening.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/base/text.h"

using namespace hikyaku;
using namespace hikyaku::app;

namespace {

Endpoint at(const char* text) { return Endpoint::parse(text).value(); }

Fd listening_socket(Endpoint& bound) {
  sockaddr_storage address = at("127.0.0.1:0").to_sockaddr();
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  socklen_t length = sizeof address;
  REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
  REQUIRE(::listen(fd.get(), 1) == 0);
  REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
  bound = Endpoint::from_sockaddr(reinterpret_cast<sockaddr*>(&address)).value();
  return fd;
}

const char* const kNotHere = "192.0.2.1:0";  // documentation (RFC 5737); no machine's own

}  // namespace

TEST_CASE("app: all configured addresses are listened on") {
  SystemClock clock;
  io::Loop loop(clock);
  auto listening = open_listeners(loop, {{at("127.0.0.1:0"), at("127.0.0.2:0")}, true}, {});
  REQUIRE(listening);
  CHECK(listening->listeners.size() == 2);
  CHECK(listening->notes.empty());
}

TEST_CASE("app: a door that none of the service manager's sockets has is warned of") {
  SystemClock clock;
  io::Loop loop(clock);
  Endpoint bound;
  std::vector<Fd> inherited;
  inherited.push_back(listening_socket(bound));
  const config::ListenSettings settings{{}, true, {{.at = bound}, {.at = at("192.0.2.1:587")}}};
  auto listening = open_listeners(loop, settings, std::move(inherited));
  REQUIRE(listening);
  REQUIRE(listening->warnings.size() == 1);
  CHECK(listening->warnings[0].find("192.0.2.1:587") != std::string::npos);
}

TEST_CASE("app: of the default addresses one that the machine lacks is skipped with a note") {
  SystemClock clock;
  io::Loop loop(clock);
  auto listening = open_listeners(loop, {{at("127.0.0.1:0"), at(kNotHere)}, false}, {});
  REQUIRE(listening);
  CHECK(listening->listeners.size() == 1);
  REQUIRE(listening->notes.size() == 1);
  CHECK(listening->notes[0].find("192.0.2.1:0") != std::string::npos);
}

TEST_CASE("app: an explicit address that the machine lacks, or no address at all, ends the start with 69") {
  SystemClock clock;
  io::Loop loop(clock);
  auto explicit_one = open_listeners(loop, {{at("127.0.0.1:0"), at(kNotHere)}, true}, {});
  REQUIRE_FALSE(explicit_one);
  CHECK(static_cast<int>(explicit_one.error().kind) == 69);
  auto none = open_listeners(loop, {{at(kNotHere)}, false}, {});
  REQUIRE_FALSE(none);
  CHECK(static_cast<int>(none.error().kind) == 69);
}

TEST_CASE("app: an address that is taken ends the start with 69 and names it") {
  SystemClock clock;
  io::Loop loop(clock);
  Endpoint taken;
  Fd other = listening_socket(taken);
  auto listening = open_listeners(loop, {{taken}, false}, {});
  REQUIRE_FALSE(listening);
  CHECK(static_cast<int>(listening.error().kind) == 69);
  CHECK(listening.error().text.find(taken.to_text()) != std::string::npos);
  CHECK(listening.error().text.find(cat("is taken by unit_app (pid ", std::to_string(::getpid()), ")")) !=
        std::string::npos);
}

TEST_CASE("app: sockets that were handed over replace the configuration's addresses") {
  SystemClock clock;
  io::Loop loop(clock);
  Endpoint bound;
  std::vector<Fd> inherited;
  inherited.push_back(listening_socket(bound));
  auto listening = open_listeners(loop, {{at(kNotHere)}, true}, std::move(inherited));
  REQUIRE(listening);
  REQUIRE(listening->listeners.size() == 1);
  CHECK(listening->listeners[0]->local() == bound);
}

TEST_CASE("app: a listener on a single address is ourselves there and nowhere else") {
  OwnEndpoints ours([](const IpAddress&) { return true; });
  ours.add(at("192.0.2.7:25"));
  CHECK(ours.contains(at("192.0.2.7:25")));
  CHECK_FALSE(ours.contains(at("192.0.2.7:587")));
  CHECK_FALSE(ours.contains(at("192.0.2.8:25")));
}

TEST_CASE("app: a listener on all addresses is ourselves at each of this machine's, of its family") {
  OwnEndpoints ours([](const IpAddress& address) { return address == at("192.0.2.7:1").address; });
  ours.add(at("0.0.0.0:25"));
  CHECK(ours.contains(at("192.0.2.7:25")));
  CHECK_FALSE(ours.contains(at("192.0.2.8:25")));
  CHECK_FALSE(ours.contains(at("192.0.2.7:26")));
  CHECK_FALSE(ours.contains(at("[::1]:25")));
}

TEST_CASE("app: the kernel knows which addresses are this machine's") {
  OwnEndpoints ours;
  ours.add(at("0.0.0.0:25"));
  CHECK(ours.contains(at("127.0.0.1:25")));
  CHECK(ours.contains(at("127.9.8.7:25")));
  CHECK_FALSE(ours.contains(at("192.0.2.1:25")));
}
