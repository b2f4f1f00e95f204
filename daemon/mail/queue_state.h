// SPDX-License-Identifier: MIT
// The one rule for what is active and what waits, and why, wherever people and scripts are told: a mail that
// is due is active unless nothing can take it, then it waits for the smarthost; a mail that was tried waits
// for its time; else it is held. The spool's files know a mail's time, the loop knows the smarthosts: here
// they meet. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/json_value.h"
#include "daemon/mail/mail_id.h"

namespace hikyaku::mail {

enum class QueueState {
  active,    // due, and sent as soon as a connection is free
  deferred,  // waits
  held,      // waits for the operator
};
enum class WaitsFor : std::uint8_t { nobody, time, smarthost, rate, daemon };

struct SmarthostReport {
  std::string name;
  std::string host;
  std::uint16_t port = 0;
  bool is_proven = false;
  std::size_t connections = 0;
  std::string trouble;                 // why nothing goes there just now; empty: it is up
  std::optional<WallTime> next_probe;  // of one that is paused; now, while one is made
  std::optional<WallTime> since{};     // likewise
  std::string public_trouble{};        // `trouble` without names of accounts, for everybody
  bool is_paused() const { return next_probe.has_value(); }
};

// What holds up all mail that is due.
struct RouteState {
  WaitsFor waits_for = WaitsFor::nobody;  // never time
  std::string reason{};                   // for operators
  std::string public_reason{};            // for everybody
  std::optional<WallTime> since{};
  std::optional<WallTime> next{};      // when the smarthost is looked at again
  std::optional<WallTime> released{};  // what was tried before that became due then
  WallTime now = WallTime::min();      // then; by default no mail's time has come
};
// `released`: when what was tried before became due, the last time.
RouteState route_state_of(const std::vector<SmarthostReport>& smarthosts, std::optional<WallTime> released,
                          WallTime now);
// Of what GET /v1/status answers.
RouteState route_state_of(const JsonValue& status, WallTime now);

// As it is in the spool, or was noted.
struct Standing {
  bool is_held = false;
  std::uint32_t attempts = 0;
  std::optional<WallTime> next_attempt{};  // after the last one; empty: not known
  std::optional<WallTime> written{};       // when that was so
  std::string_view reason{};
};

struct MailState {
  QueueState state = QueueState::active;
  WaitsFor waits_for = WaitsFor::nobody;
  std::string reason{};  // empty: there is none, or it is for operators only
  std::optional<WallTime> since{};
  std::optional<WallTime> next{};  // when it is tried again
  bool operator==(const MailState&) const = default;
};
MailState state_of(const Standing& standing, const RouteState& route, bool is_operator);

std::string_view to_text(QueueState state);  // as JSON has it: "active", "deferred", "held"
std::string_view to_word(QueueState state);  // as people read it: "active", "waiting", "held"
std::string_view to_text(WaitsFor what);     // "smarthost" …; empty: nobody
std::optional<QueueState> parse_queue_state(std::string_view text);  // of either form

// A mail that has ended without reaching everybody.
struct FailedMail {
  MailId id;
  std::optional<std::uint32_t> uid;
  WallTime time;
  std::string recipient;   // the first of them
  std::string last_reply;  // and what was said about it
  std::size_t more = 0;    // how many others
};

}  // namespace hikyaku::mail
