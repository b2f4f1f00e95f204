// SPDX-License-Identifier: MIT
// One random history: a smarthost in chaos for a simulated day, mail that arrives meanwhile and is held, released,
// removed, returned and retried, reloads and restarts, an audit, and then the smarthost behaves and everything must drain. The same for the same seed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/chaos/audit.h"

namespace hikyaku::test {

class History {
 public:
  explicit History(std::uint64_t seed);
  // What is wrong, a line each; empty: nothing.
  std::vector<std::string> play();

  const std::vector<std::string>& log() const { return rig_.lines; }
  const ChaosLedger& ledger() { return rig_.host.ledger(); }
  // How many decisions about mail had which result.
  const std::map<relay::Decided::Result, std::size_t>& decisions() const { return decisions_; }

 private:
  void suffer();
  void inspect();
  void recover();
  void something_happens();
  void send();
  void reload();
  void steer();
  void retry();
  void decide(relay::Decision decision, std::vector<mail::MailId> ids);
  mail::MailId some_mail();
  void audit(std::string_view when);
  void check_drained();
  std::vector<Spooled> spooled();

  ChaosRig rig_;
  Dice dice_;
  unsigned lanes_ = 1;
  std::vector<SentMail> sent_;
  Orders orders_;
  std::map<relay::Decided::Result, std::size_t> decisions_;
  std::vector<std::string> findings_;
};

}  // namespace hikyaku::test
