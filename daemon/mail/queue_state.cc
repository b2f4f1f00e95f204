// SPDX-License-Identifier: MIT
#include "daemon/mail/queue_state.h"

#include <algorithm>
#include <array>

#include "daemon/base/text.h"

namespace hikyaku::mail {
namespace {

constexpr std::array kStates = {QueueState::active, QueueState::deferred, QueueState::held};

// With several smarthosts each reason names its smarthost.
std::string reasons_of(const std::vector<SmarthostReport>& smarthosts, std::string SmarthostReport::* text) {
  if (smarthosts.size() == 1) return smarthosts.front().*text;
  std::vector<std::string> all;
  for (const SmarthostReport& smarthost : smarthosts)
    all.push_back(cat(smarthost.name, ": ", smarthost.*text));
  return join(all, "; ");
}

RouteState paused(const std::vector<SmarthostReport>& smarthosts) {
  RouteState route{.waits_for = WaitsFor::smarthost,
                   .reason = reasons_of(smarthosts, &SmarthostReport::trouble),
                   .public_reason = reasons_of(smarthosts, &SmarthostReport::public_trouble)};
  for (const SmarthostReport& smarthost : smarthosts) {
    route.since = std::max(route.since, smarthost.since);
    if (!route.next || smarthost.next_probe < route.next) route.next = smarthost.next_probe;
  }
  return route;
}

// Mail goes to the first smarthost that is not paused; if its rate is used up, the mail waits for the rate.
RouteState what_holds_up(const std::vector<SmarthostReport>& smarthosts) {
  auto first = std::ranges::find_if(smarthosts, [](const auto& smarthost) { return !smarthost.is_paused(); });
  if (smarthosts.empty()) return {};
  if (first == smarthosts.end()) return paused(smarthosts);
  if (first->trouble.empty()) return {};
  return {.waits_for = WaitsFor::rate, .reason = first->trouble, .public_reason = first->public_trouble};
}

std::optional<WallTime> time_in(const JsonValue& object, std::string_view name) {
  const JsonValue* value = object.find(name);
  return value != nullptr && value->text() != nullptr ? parse_rfc3339(*value->text()) : std::nullopt;
}

bool is_due(const Standing& standing, const RouteState& route) {
  if (standing.attempts == 0) return true;
  bool was_released = standing.written && route.released && *standing.written <= *route.released;
  return was_released || (standing.next_attempt && *standing.next_attempt <= route.now);
}

// Mail that no living node has is tried by nobody, whatever the smarthosts do.
std::optional<MailState> state_without_node(const Standing& standing, const RouteState& route,
                                            const std::string& own) {
  const Holder* holder = standing.holder;
  if (holder == nullptr) return std::nullopt;
  if (holder->away_since)
    return MailState{QueueState::deferred, WaitsFor::node,
                     cat(printable(holder->node), ", which has it, has not been heard of"),
                     holder->away_since, holder->free_at};
  if (!holder->is_free()) return std::nullopt;
  if (standing.next_attempt && *standing.next_attempt > route.now)
    return MailState{QueueState::deferred, WaitsFor::time, own, {}, standing.next_attempt};
  return MailState{
      QueueState::deferred, WaitsFor::node, "nobody has it: the next node with room takes it", {}, {}};
}

}  // namespace

RouteState route_state_of(const std::vector<SmarthostReport>& smarthosts, std::optional<WallTime> released,
                          WallTime now) {
  RouteState route = what_holds_up(smarthosts);
  route.released = released;
  route.now = now;
  return route;
}

RouteState route_state_of(const JsonValue& status, WallTime now) {
  std::vector<SmarthostReport> reports;
  for (const JsonValue& smarthost : status.list_of("smarthosts")) {
    SmarthostReport& read = reports.emplace_back();
    read.name = smarthost.text_of("name");
    read.trouble = smarthost.text_of("why");
    read.since = time_in(smarthost, "since");
    read.next_probe = time_in(smarthost, "next_probe");
  }
  return route_state_of(reports, time_in(status, "released"), now);
}

MailState state_of(const Standing& standing, const RouteState& route, bool is_operator) {
  std::string own(is_operator ? standing.reason : std::string_view());
  if (standing.is_held) return {QueueState::held, WaitsFor::nobody, own, {}, {}};
  if (auto away = state_without_node(standing, route, own)) return *away;
  if (!is_due(standing, route)) return {QueueState::deferred, WaitsFor::time, own, {}, standing.next_attempt};
  if (route.waits_for == WaitsFor::nobody) return {QueueState::active, WaitsFor::nobody, own, {}, {}};
  return {QueueState::deferred, route.waits_for, is_operator ? route.reason : route.public_reason,
          route.since, route.next};
}

std::string_view to_text(QueueState state) {
  switch (state) {
    case QueueState::active: return "active";
    case QueueState::deferred: return "deferred";
    case QueueState::held: return "held";
  }
  return "";
}

std::string_view to_word(QueueState state) {
  return state == QueueState::deferred ? "waiting" : to_text(state);
}

std::string_view to_text(WaitsFor what) {
  switch (what) {
    case WaitsFor::nobody: return "";
    case WaitsFor::time: return "time";
    case WaitsFor::smarthost: return "smarthost";
    case WaitsFor::rate: return "rate";
    case WaitsFor::daemon: return "daemon";
    case WaitsFor::node: return "node";
  }
  return "";
}

std::optional<QueueState> parse_queue_state(std::string_view text) {
  for (QueueState state : kStates)
    if (text == to_text(state) || text == to_word(state)) return state;
  return std::nullopt;
}

JsonObject to_object(const OAuthReport& report) {
  return JsonObject()
      .add("flow", report.is_login ? "login" : "application")
      .add("consented", report.has_consent)
      .add("needs_operator", report.needs_operator)
      .add("consented_at", report.consented)
      .add("account", unless_empty(report.account))
      .add("scope", unless_empty(report.scope))
      .add("expires", report.expires)
      .add("refreshed", report.refreshed)
      .add("refused", unless_empty(report.refused))
      .add("refused_since", report.since)
      .add("next_try", report.next);
}

OAuthReport parse_oauth_report(const JsonValue& json) {
  const auto is_true = [&json](std::string_view name) {
    const JsonValue* value = json.find(name);
    return value != nullptr && value->boolean().value_or(false);
  };
  OAuthReport report{.is_login = json.text_of("flow") == "login",
                     .has_consent = is_true("consented"),
                     .needs_operator = is_true("needs_operator")};
  report.expires = parse_rfc3339(json.text_of("expires"));
  report.refreshed = parse_rfc3339(json.text_of("refreshed"));
  report.consented = parse_rfc3339(json.text_of("consented_at"));
  report.account = json.text_of("account");
  report.scope = json.text_of("scope");
  report.refused = json.text_of("refused");
  report.since = parse_rfc3339(json.text_of("refused_since"));
  report.next = parse_rfc3339(json.text_of("next_try"));
  return report;
}

}  // namespace hikyaku::mail
