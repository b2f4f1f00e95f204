// SPDX-License-Identifier: MIT
// Asks the configured DNS servers, as the client that every machine has (RFC 1034 5.3.1, "stub resolver"):
// c-ares on the event loop. It retries, changes to TCP for what does not fit into a datagram, and takes no
// answer that does not fit its question. Bounded in time, in questions at a time and in the size of an answer
// (64 KiB by the protocol). /etc/resolv.conf is read again when it has changed. Knows no hosts file. The
// loop's thread, and real time: c-ares has its own clock.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemon/dns/answer.h"
#include "daemon/io/loop.h"

namespace hikyaku::dns {

struct StubOptions {
  std::optional<Endpoint> server = {};  // instead of those in resolv_conf
  Duration timeout = 2s;                // of the first try; of each further one twice as long
  int tries = 2;                        // of each server
  std::string resolv_conf = "/etc/resolv.conf";
  std::uint16_t port = 53;  // of the servers there
};

class StubResolver final : public RecordSource {
 public:
  explicit StubResolver(io::Loop& loop, StubOptions options = {});
  // No look_up() is under way.
  ~StubResolver() override;

  Task<Answer> look_up(std::string name, RecordType type, io::Until until) override;

  // For what is asked from now on. Returns whether it is another server than before.
  bool use_server(std::optional<Endpoint> server);

 private:
  class Channel;
  struct Question;

  std::shared_ptr<Channel> channel();
  bool is_config_outdated();
  Task<Answer> ask(std::string name, RecordType type, io::Until until);

  io::Loop& loop_;
  StubOptions options_;
  std::shared_ptr<Channel> channel_;
  Instant looked_at_config_{};
  std::string config_stamp_;
  std::size_t asking_ = 0;
  io::Event answered_;
};

}  // namespace hikyaku::dns
