// SPDX-License-Identifier: MIT
// Smarthosts in memory behind a Connector: each says yes to everything unless `answer` says otherwise, keeps
// what it accepted, and counts dials and log-ins.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/io/line_reader.h"
#include "daemon/io/memory_stream.h"
#include "daemon/io/nursery.h"
#include "smtpc/connector.h"

namespace hikyaku::test {

struct ReceivedMail {
  std::string sender;
  std::vector<std::string> recipients;
  std::string content;   // as on the wire, without the final dot
  bool is_open = false;  // MAIL was accepted, the message has not ended
  Instant at{};          // when it was accepted
};

class FakeSmarthost {
 public:
  explicit FakeSmarthost(io::Loop& loop) : loop_(loop) {}

  // The reply to a command ("MAIL FROM:<a>", "." for the end of a message, "" for the greeting); empty: yes.
  // HANG UP closes without a word, after a "." once the message is stored; STALL says nothing more.
  std::function<std::string(const std::string& command)> answer = [](const std::string&) { return ""; };
  // The same for the end of a message, by what it is; empty: as `answer` has it.
  std::function<std::string(const ReceivedMail& mail)> judge = [](const ReceivedMail&) { return ""; };
  bool is_down = false;                        // connections are refused
  std::optional<mail::Failure> unreachable{};  // what a dial fails with instead
  bool breaks_off = false;                     // open ones end at the next command
  Duration latency{0};                         // before each reply
  bool minds_company = false;                  // hangs up on what travels with a final dot, after its reply
  std::string keywords = "250-PIPELINING\r\n250-AUTH PLAIN LOGIN\r\n250 ENHANCEDSTATUSCODES\r\n";

  std::vector<ReceivedMail> mails;
  unsigned dials = 0;
  Instant last_dial{};
  unsigned logins = 0;
  unsigned open = 0;
  unsigned most_open = 0;
  unsigned companions = 0;  // final dots that something travelled with

  Task<void> serve(io::StreamPtr stream);

 private:
  Task<bool> obey(io::Stream& stream, io::LineReader& reader, const std::string& line, ReceivedMail& mail);
  std::string good_reply(const std::string& line) const;

  io::Loop& loop_;
};

// Of a smarthost's lane by its name; of a lane to a recipient's domain by that.
class FakeConnector final : public smtpc::Connector {
 public:
  explicit FakeConnector(io::Loop& loop) : loop_(loop), nursery_(loop) {}
  FakeSmarthost& operator[](const std::string& name) { return hosts_.try_emplace(name, loop_).first->second; }
  Task<Result<io::StreamPtr, mail::Failure>> dial(const mail::Smarthost& smarthost, io::Until until) override;
  Task<void> drained() { co_await nursery_.drained({}); }

 private:
  io::Loop& loop_;
  std::map<std::string, FakeSmarthost> hosts_;
  io::Nursery nursery_;
};

}  // namespace hikyaku::test
