// SPDX-License-Identifier: MIT
// One connection to a chaotic smarthost. Beneath the mischief it is a correct server: its state machine is
// RFC 5321's, it takes pipelined input in order (RFC 2920) and BDAT (RFC 3030), and it complains to the
// ledger about a client that breaks the protocol.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/io/line_reader.h"
#include "tests/support/chaos/smarthost.h"
#include "tests/support/chaos/voice.h"

namespace hikyaku::test {

class ChaosSession {
 public:
  // `host` outlives it.
  ChaosSession(ChaosSmarthost& host, io::StreamPtr stream, std::uint64_t seed);
  Task<void> run();

 private:
  // False, here and below: hang up.
  Task<bool> greet();
  Task<bool> hear();
  Task<bool> obey(const std::string& line);
  Task<bool> hello();
  Task<bool> log_in(const std::string& line);
  Task<bool> mail(const std::string& line);
  Task<bool> rcpt(const std::string& line);
  Task<bool> data();
  Task<bool> bdat(const std::string& line);
  Task<bool> reset();
  Task<bool> quit();
  std::string what_is_wrong_with(const std::string& line);

  Task<bool> read_content();
  Task<bool> interrupt();
  Task<bool> read_chunk(std::size_t size);
  Task<bool> take_chunk();
  Task<bool> end_message();
  std::optional<std::size_t> store(const Reaction& reaction);
  Task<bool> answer(Moment moment, Reaction reaction, std::string good,
                    std::optional<std::size_t> entry = {});
  void note_refusal(Moment moment);
  void note_doubt(Moment moment);
  Task<bool> dislikes_group();
  Task<bool> has_more_input();
  Reaction react(Moment moment);
  std::string keywords();

  static constexpr const char* kNobody = "554 5.5.1 No valid recipients\r\n";

  struct Transaction {
    bool is_open = false;
    std::string sender;
    std::vector<std::string> recipients;
    std::optional<std::size_t> announced;  // SIZE
    bool is_doubted = false;               // a refusal in it is one of which nobody knows whom it means
    std::string content;
  };

  ChaosSmarthost& host_;
  io::StreamPtr stream_;
  io::LineReader reader_;
  Dice dice_;
  ChaosVoice voice_;
  Duration patience_;
  ChaosOffer offer_;
  Transaction now_;
  std::string asked_;  // the recipient of the latest RCPT
  bool is_greeted_ = false;
  bool is_logged_in_ = false;
};

}  // namespace hikyaku::test
