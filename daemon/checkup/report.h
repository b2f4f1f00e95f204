// SPDX-License-Identifier: MIT
// What a check of one smarthost has found, step by step: as lines for people while it goes on, and as JSON. Holds no
// secret, and nothing from a peer that is not escaped. Pure, but for the clock.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/mail/failure.h"

namespace hikyaku::checkup {

struct Step {
  std::string name;                 // "connection"
  std::string text;                 // a line
  std::vector<std::string> more{};  // further lines
  Duration took{0};
  bool failed = false;
};

struct Report {
  std::string smarthost;  // its name
  std::string host{};     // with `mx:` the domain whose servers were tried
  std::uint16_t port = 0;
  std::vector<Step> steps{};
  std::vector<std::string> warnings{};
  CertificateFactsPtr certificate{};       // the peer's, accepted or refused; null: none was seen
  std::optional<mail::Failure> failure{};  // of the last step; nullopt: mail can be sent
};

// Takes down the steps as they end, each with the time since the one before, and tells each at once.
class Journal {
 public:
  using Tell = std::function<void(const Step&)>;  // may be empty
  // `clock` outlives the journal.
  Journal(const Clock& clock, Tell tell) : clock_(clock), tell_(std::move(tell)), since_(clock.now()) {}

  // The first step begins now, if it is not the journal's beginning.
  void begin() { since_ = clock_.now(); }
  void pass(std::string name, std::string text, std::vector<std::string> more = {});
  // The step is named for the failure's stage, and explained as in the log.
  void fail(const mail::Failure& failure);
  // What is written down already goes on with another connection: the failure is not the end.
  void fail_once(const mail::Failure& failure);

  std::vector<Step> take() { return std::move(steps_); }
  WallTime wall() const { return clock_.wall(); }

 private:
  void add(Step step);

  const Clock& clock_;
  Tell tell_;
  Instant since_;
  std::vector<Step> steps_;
};

// "  ok    0.012s  connection  to 192.0.2.1:587", and the further lines below; ends with a line end.
std::string to_text(const Step& step);
// What follows the steps: the warnings, and whether mail can be sent.
std::string verdict_text(const Report& report);
JsonObject to_json_object(const Report& report);

}  // namespace hikyaku::checkup
