// SPDX-License-Identifier: MIT
// The state of a queued mail as people and scripts see it, by one rule everywhere: a mail that is due is
// active, or waits for the smarthost if no smarthost can take it; a mail that was tried waits for its next
// attempt; else it is held. Combines the mail's times from the spool with the state of the smarthosts from
// the loop. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/base/json_value.h"
#include "daemon/mail/dialogue.h"
#include "daemon/mail/fleet.h"
#include "daemon/mail/mail_id.h"

namespace hikyaku::mail {

enum class QueueState {
  active,    // due, and sent as soon as a connection is free
  deferred,  // waits
  held,      // needs the operator
};
enum class WaitsFor : std::uint8_t { nobody, time, smarthost, rate, daemon, node };

// How a smarthost's OAuth2 stands. Without a token.
struct OAuthReport {
  bool is_login = false;  // somebody has to consent
  bool has_consent = false;
  bool needs_operator = false;          // no time will give a newer token
  std::optional<WallTime> expires{};    // of the access token
  std::optional<WallTime> refreshed{};  // the last time that the provider gave one
  std::optional<WallTime> consented{};
  std::string account{};            // who consented, if known
  std::string scope{};              // as granted
  std::string refused{};            // why there is no newer token; empty: all is well
  std::optional<WallTime> since{};  // of `refused`
  std::optional<WallTime> next{};   // when the provider is asked again
};
// As the control socket and `hikyaku oauth status` say it.
JsonObject to_object(const OAuthReport& report);
// What to_object() wrote.
OAuthReport parse_oauth_report(const JsonValue& json);

struct SmarthostReport {
  std::string name;
  std::string host;
  std::uint16_t port = 0;
  bool is_proven = false;
  std::size_t connections = 0;
  std::string trouble;                 // why the smarthost gets no mail at the moment; empty: it is up
  std::optional<WallTime> next_probe;  // of a paused smarthost; the current time during a probe
  std::optional<WallTime> since{};     // of a paused smarthost: when the pause began
  std::string public_trouble{};        // `trouble` without account names, for everybody
  std::optional<OAuthReport> oauth{};  // of one with `oauth`
  std::optional<double> rate_used{};   // 0 to 1: of the quota that has the least left
  DialoguePtr last_failure{};          // of its last session that failed, for operators; null: none
  bool is_paused() const { return next_probe.has_value(); }
};

// What holds up all mail that is due, if anything.
struct RouteState {
  WaitsFor waits_for = WaitsFor::nobody;  // never time
  std::string reason{};                   // for operators
  std::string public_reason{};            // for everybody
  std::optional<WallTime> since{};
  std::optional<WallTime> next{};      // when the smarthost is probed next
  std::optional<WallTime> released{};  // mail that was last tried before this time is due
  WallTime now = WallTime::min();      // by default no mail is due
};
// `released`: the last time at which all mail tried before became due.
RouteState route_state_of(const std::vector<SmarthostReport>& smarthosts, std::optional<WallTime> released,
                          WallTime now);
// The same from the answer to GET /v1/status.
RouteState route_state_of(const JsonValue& status, WallTime now);

// The facts about one mail, from the spool or the outcome board.
struct Standing {
  bool is_held = false;
  std::uint32_t attempts = 0;
  std::optional<WallTime> next_attempt{};  // nullopt: unknown
  std::optional<WallTime> written{};       // when these facts were recorded
  std::string_view reason{};
  const Holder* holder = nullptr;  // null: the spool is not shared
};

struct MailState {
  QueueState state = QueueState::active;
  WaitsFor waits_for = WaitsFor::nobody;
  std::string reason{};  // empty: none, or only for operators
  std::optional<WallTime> since{};
  std::optional<WallTime> next{};  // when the mail is tried next
  bool operator==(const MailState&) const = default;
};
MailState state_of(const Standing& standing, const RouteState& route, bool is_operator);

std::string_view to_text(QueueState state);  // for JSON: "active", "deferred", "held"
std::string_view to_word(QueueState state);  // for people: "active", "waiting", "held"
std::string_view to_text(WaitsFor what);     // "smarthost" …; empty: nobody
std::optional<QueueState> parse_queue_state(std::string_view text);  // accepts both forms

// A mail that has ended without being delivered to all its recipients.
struct FailedMail {
  MailId id;
  std::optional<std::uint32_t> uid;
  WallTime time;
  std::string recipient;   // the first one that failed
  std::string last_reply;  // the last reply about this recipient
  std::size_t more = 0;    // number of other recipients that failed
};

}  // namespace hikyaku::mail
