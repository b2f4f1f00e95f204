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
constexpr Duration kRestart = 5s;            // a restarted smarthost is usually back within
constexpr Duration kLook = 1s;               // how often the client is checked to be still there

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

struct WaitOptions {
  Duration wait{0};
  std::optional<std::uint32_t> attempts{};  // wait for more than these
  bool until_paused = false;                // do not wait for a smarthost that is not tried soon
};

// A client that waits for a mail's outcome, on its own thread.
class Watching {
 public:
  Watching(const ControlRequest& request, mail::MailId id, WaitOptions options, DaemonControl& daemon,
           Clock& clock)
      : is_wanted_(request.is_wanted),
        rights_(request.rights),
        id_(id),
        options_(options),
        end_(clock.now() + options.wait),
        daemon_(daemon),
        clock_(clock) {}

  // The first report; nullopt if the daemon does not answer. Does not wait.
  std::optional<DaemonControl::OutcomeReport> begin() {
    auto report = daemon_.outcome(id_, std::nullopt, rights_, 0s);
    if (report) take(*report);
    return report;
  }

  // Waits for a change; false if none will come, or the client has left.
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

  // The changes since the last call: a line for each recipient that was tried, and one if the smarthost
  // takes no mail.
  std::string news() {
    std::string lines;
    reported_.resize(now_->recipients.size());
    for (std::size_t i = 0; i < reported_.size(); ++i) {
      const auto& recipient = now_->recipients[i];
      if (recipient.progress == reported_[i]) continue;
      reported_[i] = recipient.progress;
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

  // Whether nothing more will happen, or nothing that the client waits for.
  bool is_finished() const {
    if (now_->is_over || now_->is_held || now_->is_settled()) return true;
    if (options_.attempts && now_->attempts > *options_.attempts) return true;
    return options_.until_paused && waits_for_others() &&
           (!state_.next || *state_.next - route_.now > kRestart);
  }

  std::string news_of_the_smarthost() {
    std::string reason = waits_for_others() ? state_.reason : "";
    if (reason == std::exchange(reported_reason_, reason) || reason.empty()) return "";
    return waiting_json(state_).text() + '\n';
  }

  std::function<bool()> is_wanted_;
  Rights rights_;
  mail::MailId id_;
  WaitOptions options_;
  Instant end_;
  DaemonControl& daemon_;
  Clock& clock_;
  std::optional<relay::MailOutcome> now_;
  mail::RouteState route_;
  mail::MailState state_;
  std::vector<mail::RecipientProgress> reported_;
  std::string reported_reason_;
};

ControlAnswer stream(std::shared_ptr<Watching> watching) {
  ControlAnswer answer;
  answer.type = "application/x-ndjson";
  answer.pieces = [watching = std::move(watching)] { return std::optional(watching->piece()); };
  return answer;
}

Result<WaitOptions, std::string> parse_wait_options(const ControlRequest& request) {
  WaitOptions options;
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
  options.wait = std::chrono::seconds(*seconds);
  options.until_paused = until != request.parameters.end();
  if (request.parameters.contains("attempts")) options.attempts = static_cast<std::uint32_t>(*attempts);
  return options;
}

}  // namespace

ControlAnswer answer_outcome(const ControlRequest& request, std::string_view id, DaemonControl& daemon,
                             Clock& clock) {
  auto parsed = mail::parse_mail_id(id);
  if (!parsed) return control_error(400, cat(printable(id), " is not a mail ID"));
  auto options = parse_wait_options(request);
  if (!options) return control_error(400, options.error());
  auto format = request.parameters.find("format");
  bool wants_lines = format != request.parameters.end() && format->second == "lines";
  if (format != request.parameters.end() && !wants_lines && format->second != "json")
    return control_error(400, "format must be json or lines");
  auto watching = std::make_shared<Watching>(request, *parsed, *options, daemon, clock);
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
