// SPDX-License-Identifier: MIT
#include "tests/support/dns/fake_dns.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>

#include "daemon/base/error.h"

namespace hikyaku::test {
namespace {

constexpr std::size_t kMostBytes = 65535;

Fd bound_socket(int type, const Endpoint& to) {
  Fd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  const sockaddr_storage address = to.to_sockaddr();
  const int reuse = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(sockaddr_in)) != 0) fd.reset();
  return fd;
}

Endpoint bound_to(const Fd& fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  check(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0, "no local address");
  return Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&address)).value();
}

std::string length_of(const std::string& message) {
  return {static_cast<char>(message.size() >> 8), static_cast<char>(message.size() & 0xff)};
}

std::optional<std::string> read_exactly(int fd, std::size_t count) {
  std::string bytes(count, '\0');
  for (std::size_t held = 0; held < count;) {
    const ssize_t got = ::read(fd, bytes.data() + held, count - held);
    if (got <= 0) return std::nullopt;
    held += static_cast<std::size_t>(got);
  }
  return bytes;
}

void write_all(int fd, const std::string& bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t put = ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (put <= 0) return;
    sent += static_cast<std::size_t>(put);
  }
}

}  // namespace

// The port must be free for both.
FakeDns::FakeDns(Script script, const char* at) : script_(std::move(script)) {
  for (int i = 0; i < 100 && !tcp_; ++i) {
    udp_ = bound_socket(SOCK_DGRAM, Endpoint::parse(at).value());
    check(static_cast<bool>(udp_), "the port is taken");
    endpoint_ = bound_to(udp_);
    tcp_ = bound_socket(SOCK_STREAM, endpoint_);
  }
  check(static_cast<bool>(tcp_), "no port is free");
  check(::listen(tcp_.get(), 16) == 0, "nothing can listen");
  std::array<int, 2> ends{};
  check(::pipe2(ends.data(), O_CLOEXEC) == 0, "no pipe");
  stop_reading_.reset(ends[0]);
  stop_writing_.reset(ends[1]);
  thread_ = std::thread([this] { serve(); });
}

FakeDns::~FakeDns() {
  stop_writing_.reset();
  thread_.join();
}

void FakeDns::serve() {
  std::array<pollfd, 3> watched{{{.fd = stop_reading_.get(), .events = POLLIN, .revents = 0},
                                 {.fd = udp_.get(), .events = POLLIN, .revents = 0},
                                 {.fd = tcp_.get(), .events = POLLIN, .revents = 0}}};
  while (true) {
    if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return;
    if (watched[0].revents != 0) return;
    if (watched[1].revents != 0) serve_datagram();
    if (watched[2].revents != 0) serve_connection();
  }
}

void FakeDns::serve_datagram() {
  std::string bytes(kMostBytes, '\0');
  sockaddr_storage from{};
  socklen_t length = sizeof from;
  const ssize_t got =
      ::recvfrom(udp_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
  if (got <= 0) return;
  for (const std::string& answer : answers_to({bytes.data(), static_cast<std::size_t>(got)}, false))
    ::sendto(udp_.get(), answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&from), length);
}

// One question a connection, which then ends.
void FakeDns::serve_connection() {
  const Fd connection(::accept4(tcp_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  auto length = read_exactly(connection.get(), 2);
  if (!length) return;
  const std::size_t count = static_cast<std::size_t>(static_cast<unsigned char>((*length)[0])) << 8 |
                            static_cast<unsigned char>((*length)[1]);
  auto question = read_exactly(connection.get(), count);
  if (!question) return;
  for (const std::string& answer : answers_to(*question, true))
    write_all(connection.get(), length_of(answer) + answer);
}

std::vector<std::string> FakeDns::answers_to(std::string_view message, bool over_tcp) {
  DnsQuestion question = parse_question(message);
  question.over_tcp = over_tcp;
  {
    Lock lock(mutex_);
    questions_.push_back(question);
  }
  return script_(question);
}

std::vector<DnsQuestion> FakeDns::questions() const {
  Lock lock(mutex_);
  return questions_;
}

std::size_t FakeDns::count(std::string_view name, std::uint16_t type) const {
  Lock lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count_if(
      questions_, [&](const DnsQuestion& each) { return each.name == name && each.type == type; }));
}

}  // namespace hikyaku::test
