// SPDX-License-Identifier: MIT
#include <algorithm>
#include <memory>
#include <utility>

#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/control/control_retry.h"
#include "daemon/control/control_routes.h"
#include "daemon/listing/queue_listing.h"
#include "daemon/mail/queue_state.h"

namespace hikyaku::control {
namespace {

constexpr std::uint64_t kLongestWait = 300;  // seconds
constexpr Duration kRestart = 5s;            // in which a smarthost may be back that was restarted
constexpr Duration kLook = 1s;               // how soon it is noticed that nobody waits any more

mail::MailState mail_state(const relay::MailOutcome& outcome, const mail::RouteState& route,
                           bool is_operator) {
  mail::Standing standing{outcome.is_held, outcome.attempts, outcome.next_attempt, outcome.written,
                          outcome.reason};
  return state_of(standing, route, is_operator);
}

JsonObject to_object(const relay::MailOutcome::Recipient& recipient) {
  return JsonObject()
      .add("address", recipient.address)
      .add("status", listing::to_text(recipient.progress.state))
      .add("last_reply", unless_empty(recipient.progress.last_reply));
}

JsonObject waiting_json(const mail::MailState& state) {
  return JsonObject()
      .add("waits_for", unless_empty(to_text(state.waits_for)))
      .add("waits_since", state.since)
      .add("next_attempt", state.next)
      .add("reason", unless_empty(state.reason));
}

std::string outcome_json(const relay::MailOutcome& outcome, const mail::MailState& state) {
  JsonList recipients;
  for (const auto& recipient : outcome.recipients) recipients.add(to_object(recipient));
  const mail::MailState waiting = outcome.is_over ? mail::MailState{} : state;
  JsonObject json;
  json.add("id", to_text(outcome.id)).add("state", outcome.is_over ? "ended" : to_text(state.state));
  json.add("attempts", outcome.attempts).append(waiting_json(waiting));
  return json.add("recipients", recipients).text();
}

struct Patience {
  Duration wait{0};
  std::optional<std::uint32_t> attempts{};  // more than these are waited for
  bool until_paused = false;                // nor for a smarthost that is not tried soon
};

// One who waits for a mail's outcome, on its own thread.
class Watching {
 public:
  Watching(const ControlRequest& request, mail::MailId id, Patience patience, DaemonControl& daemon,
           Clock& clock)
      : is_wanted_(request.is_wanted),
        rights_(request.rights),
        id_(id),
        patience_(patience),
        end_(clock.now() + patience.wait),
        daemon_(daemon),
        clock_(clock) {}

  // The first word; nullopt: no answer. Does not wait.
  std::optional<DaemonControl::OutcomeReport> begin() {
    auto report = daemon_.outcome(id_, std::nullopt, rights_, 0s);
    if (report) take(*report);
    return report;
  }

  // Waits until something has changed; false: it will not, or nobody wants to know.
  bool change() {
    while (!is_finished() && clock_.now() < end_ && is_wanted_()) {
      auto report = daemon_.outcome(id_, now_, rights_, std::min(kLook, end_ - clock_.now()));
      if (!report || !report->outcome) return false;
      mail::MailState before = state_;
      bool has_changed = *report->outcome != *now_;
      take(*report);
      if (has_changed || before != state_) return true;
    }
    return false;
  }

  // What is new since the last call: a line for each recipient who has been tried, and one where the
  // smarthost takes no mail.
  std::string news() {
    std::string lines;
    told_.resize(now_->recipients.size());
    for (std::size_t i = 0; i < told_.size(); ++i) {
      const auto& recipient = now_->recipients[i];
      if (recipient.progress == told_[i]) continue;
      told_[i] = recipient.progress;
      lines += to_object(recipient).text() + '\n';
    }
    return lines + news_of_the_smarthost();
  }

  // For a list: never empty before the end.
  std::string piece() {
    std::string lines = news();
    while (lines.empty() && change()) lines = news();
    return lines;
  }

  std::string json() const { return outcome_json(*now_, state_); }

 private:
  void take(const DaemonControl::OutcomeReport& report) {
    now_ = report.outcome;
    route_ = relay::route_state_of(report.status, clock_.wall());
    if (now_) state_ = mail_state(*now_, route_, rights_.is_operator);
  }

  bool waits_for_others() const {
    return !now_->is_over && state_.waits_for != mail::WaitsFor::nobody &&
           state_.waits_for != mail::WaitsFor::time;
  }

  // Nothing more will happen, or nothing that is waited for.
  bool is_finished() const {
    if (now_->is_over || now_->is_held || now_->is_settled()) return true;
    if (patience_.attempts && now_->attempts > *patience_.attempts) return true;
    return patience_.until_paused && waits_for_others() &&
           (!state_.next || *state_.next - route_.now > kRestart);
  }

  std::string news_of_the_smarthost() {
    std::string reason = waits_for_others() ? state_.reason : "";
    if (reason == std::exchange(told_reason_, reason) || reason.empty()) return "";
    return waiting_json(state_).text() + '\n';
  }

  std::function<bool()> is_wanted_;
  Rights rights_;
  mail::MailId id_;
  Patience patience_;
  Instant end_;
  DaemonControl& daemon_;
  Clock& clock_;
  std::optional<relay::MailOutcome> now_;
  mail::RouteState route_;
  mail::MailState state_;
  std::vector<mail::RecipientProgress> told_;
  std::string told_reason_;
};

ControlAnswer stream(std::shared_ptr<Watching> watching) {
  ControlAnswer answer;
  answer.type = "application/x-ndjson";
  answer.pieces = [watching = std::move(watching)] { return std::optional(watching->piece()); };
  return answer;
}

Result<Patience, std::string> parse_patience(const ControlRequest& request) {
  Patience patience;
  auto number = [&](const char* name) -> std::optional<std::uint64_t> {
    auto given = request.parameters.find(name);
    return given == request.parameters.end() ? 0 : parse_number(given->second);
  };
  auto seconds = number("wait");
  if (!seconds || *seconds > kLongestWait)
    return std::unexpected(cat("wait must be a number of seconds, at most ", std::to_string(kLongestWait)));
  auto attempts = number("attempts");
  if (!attempts || *attempts > UINT32_MAX) return std::unexpected("attempts must be a number");
  auto until = request.parameters.find("until");
  if (until != request.parameters.end() && until->second != "paused")
    return std::unexpected("until must be paused");
  patience.wait = std::chrono::seconds(*seconds);
  patience.until_paused = until != request.parameters.end();
  if (request.parameters.contains("attempts")) patience.attempts = static_cast<std::uint32_t>(*attempts);
  return patience;
}

}  // namespace

ControlAnswer answer_outcome(const ControlRequest& request, std::string_view id, DaemonControl& daemon,
                             Clock& clock) {
  auto parsed = mail::parse_mail_id(id);
  if (!parsed) return control_error(400, cat(printable(id), " is not a mail ID"));
  auto patience = parse_patience(request);
  if (!patience) return control_error(400, patience.error());
  auto format = request.parameters.find("format");
  bool wants_lines = format != request.parameters.end() && format->second == "lines";
  if (format != request.parameters.end() && !wants_lines && format->second != "json")
    return control_error(400, "format must be json or lines");
  auto watching = std::make_shared<Watching>(request, *parsed, *patience, daemon, clock);
  auto begun = watching->begin();
  if (!begun) return no_answer();
  if (!begun->outcome)
    return control_error(404, cat("there is no mail ", to_text(*parsed),
                                  " in the queue, and none with this ID ended recently; see the log"));
  if (wants_lines) return stream(std::move(watching));
  while (watching->change()) continue;
  return control_json(watching->json());
}

}  // namespace hikyaku::control
