// SPDX-License-Identifier: MIT
// The real way to a provider, against servers on loopback that redirect, flood and drip.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "daemon/base/fd.h"
#include "tests/unit/oauth/oauth_rig.h"

using namespace hikyaku;
using namespace hikyaku::oauth;

namespace {

// Serves one connection: reads the head and the body, then does what it is told with the socket.
class OneAnswer {
 public:
  explicit OneAnswer(std::function<void(int)> answer)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    REQUIRE((::bind(fd_.get(), raw, size) == 0 && ::listen(fd_.get(), 1) == 0));
    REQUIRE(::getsockname(fd_.get(), raw, &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, answer = std::move(answer)] {
      const Fd peer(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      char block[4096];
      while (heard_.find("grant_type=x") == std::string::npos) {
        const ssize_t got = ::recv(peer.get(), block, sizeof block, 0);
        if (got <= 0) return;
        heard_.append(block, static_cast<std::size_t>(got));
      }
      answer(peer.get());
    });
  }
  ~OneAnswer() {
    ::shutdown(fd_.get(), SHUT_RDWR);
    thread_.join();
  }

  Result<EndpointAnswer, std::string> post(Duration limit = 30s) {
    HttpsEndpoint endpoint(limit);
    return endpoint.post(
        {cat("http://127.0.0.1:", std::to_string(port_), "/token?a=b"), Secret("grant_type=x"), "", ""});
  }
  const std::string& heard() const { return heard_; }

 private:
  Fd fd_;
  std::uint16_t port_ = 0;
  std::string heard_;
  std::thread thread_;
};

bool say(int fd, const std::string& text) { return ::send(fd, text.data(), text.size(), MSG_NOSIGNAL) > 0; }

}  // namespace

TEST_CASE("oauth: a form goes by POST, and any status is an answer") {
  OneAnswer server(
      [](int fd) { say(fd, "HTTP/1.1 400 Bad\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\n{}"); });
  auto answer = server.post();
  REQUIRE_MESSAGE(answer, answer.error());
  CHECK(answer->status == 400);
  CHECK(answer->body == Secret("{}"));
  CHECK(answer->retry_after == 7s);
  CHECK(server.heard().starts_with("POST /token?a=b HTTP/1.1\r\n"));
  CHECK(server.heard().find("application/x-www-form-urlencoded") != std::string::npos);
}

TEST_CASE("oauth: a redirect is not followed, since the form holds secrets") {
  OneAnswer server([](int fd) {
    say(fd, "HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
  });
  auto answer = server.post();
  REQUIRE_MESSAGE(answer, answer.error());
  CHECK(answer->status == 307);
}

TEST_CASE("oauth: an answer without end is cut off at 64 KiB") {
  OneAnswer server([](int fd) {
    say(fd, "HTTP/1.1 200 OK\r\n\r\n");
    while (say(fd, std::string(4096, 'x'))) continue;
  });
  auto answer = server.post();
  REQUIRE(!answer);
  CHECK(answer.error().find("longer than 64 KiB") != std::string::npos);
}

TEST_CASE("oauth: a provider that drips is left when the time for all of it is over") {
  OneAnswer server([](int fd) {
    say(fd, "HTTP/1.1 200 OK\r\nX-Slow: ");
    while (say(fd, "x")) ::usleep(20'000);
  });
  auto answer = server.post(300ms);
  REQUIRE(!answer);
  CHECK(answer.error().find("did not answer in time") != std::string::npos);
}

TEST_CASE("oauth: nobody there, and something that is no TLS, are told apart") {
  HttpsEndpoint endpoint;
  auto nobody = endpoint.post({"http://127.0.0.1:1/token", Secret("x"), "", ""});
  REQUIRE(!nobody);
  CHECK(nobody.error() == "no connection to http://127.0.0.1:1");
}
