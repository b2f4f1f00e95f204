// SPDX-License-Identifier: MIT
// A DNS server on loopback, UDP and TCP on the same port, that answers as a script says: with several
// messages, with none, with nonsense. On a thread of its own, with blocking calls, so that it shares nothing
// with what is tested.
#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "daemon/base/fd.h"
#include "daemon/base/ip.h"
#include "daemon/base/mutex.h"
#include "tests/support/dns/dns_message.h"

namespace hikyaku::test {

class FakeDns {
 public:
  // The messages to send, whole ones without TCP's length. Called on the server's thread.
  using Script = std::function<std::vector<std::string>(const DnsQuestion&)>;

  // Without a port at any that is free.
  explicit FakeDns(Script script, const char* at = "127.0.0.1:0");
  FakeDns(const FakeDns&) = delete;
  ~FakeDns();

  Endpoint endpoint() const { return endpoint_; }
  // All so far, in the order of their arrival.
  std::vector<DnsQuestion> questions() const;
  // How often this was asked, over UDP and TCP.
  std::size_t count(std::string_view name, std::uint16_t type) const;

 private:
  void serve();
  void serve_datagram();
  void serve_connection();
  std::vector<std::string> answers_to(std::string_view message, bool over_tcp);

  Script script_;
  Endpoint endpoint_;
  Fd udp_;
  Fd tcp_;
  Fd stop_reading_;
  Fd stop_writing_;
  mutable Mutex mutex_;
  std::vector<DnsQuestion> questions_ GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace hikyaku::test
