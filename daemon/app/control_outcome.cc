// SPDX-License-Identifier: MIT
#include "daemon/app/control_outcome.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "daemon/app/control_retry.h"
#include "daemon/app/json.h"
#include "daemon/app/queue_listing.h"
#include "daemon/base/text.h"

namespace hikyaku::app {
namespace {

constexpr std::uint64_t kLongestWait = 300;  // seconds
constexpr Duration kLook = 1s;               // how soon it is noticed that nobody waits any more

std::string_view state_of(const MailOutcome& outcome) {
  if (outcome.is_over) return "ended";
  if (outcome.is_held) return to_text(QueueState::held);
  return to_text(outcome.attempts == 0 ? QueueState::active : QueueState::deferred);
}

std::string recipient_json(const MailOutcome::Recipient& recipient) {
  const std::string& reply = recipient.progress.last_reply;
  return cat("{\"address\":", json_string(recipient.address),
             ",\"status\":", json_string(to_text(recipient.progress.state)),
             ",\"last_reply\":", reply.empty() ? "null" : json_string(reply), "}");
}

std::string outcome_json(const MailOutcome& outcome) {
  std::vector<std::string> recipients;
  for (const auto& recipient : outcome.recipients) recipients.push_back(recipient_json(recipient));
  return cat("{\"id\":", json_string(to_text(outcome.id)), ",\"state\":", json_string(state_of(outcome)),
             ",\"attempts\":", std::to_string(outcome.attempts),
             ",\"reason\":", outcome.reason.empty() ? "null" : json_string(outcome.reason),
             ",\"recipients\":[", join(recipients, ","), "]}");
}

// One who waits for a mail's outcome, on its own thread.
class Watching {
 public:
  Watching(const ControlRequest& request, mail::MailId id, Duration wait, ControlDesk& desk, Clock& clock)
      : is_wanted_(request.is_wanted),
        rights_(request.rights),
        id_(id),
        end_(clock.now() + wait),
        desk_(desk),
        clock_(clock) {}

  // The first word; nothing: no answer. Does not wait.
  std::optional<ControlDesk::OutcomeReport> begin() {
    auto report = desk_.outcome(id_, std::nullopt, rights_, 0s);
    if (report) now_ = report->outcome;
    return report;
  }

  // Waits until something has changed; false: it will not, or nobody wants to know.
  bool change() {
    while (!now_->is_over && !now_->is_settled() && clock_.now() < end_ && is_wanted_()) {
      auto report = desk_.outcome(id_, now_, rights_, std::min(kLook, end_ - clock_.now()));
      if (!report || !report->outcome) return false;
      if (*report->outcome == *now_) continue;
      now_ = std::move(report->outcome);
      return true;
    }
    return false;
  }

  // What is new since the last call of those who have been tried, a line for each.
  std::string news() {
    std::string lines;
    told_.resize(now_->recipients.size());
    for (std::size_t i = 0; i < told_.size(); ++i) {
      const auto& recipient = now_->recipients[i];
      if (recipient.progress == told_[i]) continue;
      told_[i] = recipient.progress;
      lines += recipient_json(recipient) + '\n';
    }
    return lines;
  }

  // For a list: never empty before the end.
  std::string piece() {
    std::string lines = news();
    while (lines.empty() && change()) lines = news();
    return lines;
  }

  const MailOutcome& now() const { return *now_; }

 private:
  std::function<bool()> is_wanted_;
  Rights rights_;
  mail::MailId id_;
  Instant end_;
  ControlDesk& desk_;
  Clock& clock_;
  std::optional<MailOutcome> now_;
  std::vector<mail::RecipientProgress> told_;
};

ControlAnswer stream(std::shared_ptr<Watching> watching) {
  ControlAnswer answer;
  answer.type = "application/x-ndjson";
  answer.pieces = [watching = std::move(watching)] { return std::optional(watching->piece()); };
  return answer;
}

Result<Duration, std::string> parse_wait(const ControlRequest& request) {
  auto given = request.parameters.find("wait");
  if (given == request.parameters.end()) return Duration(0);
  auto seconds = parse_number(given->second);
  if (seconds && *seconds <= kLongestWait) return std::chrono::seconds(*seconds);
  return std::unexpected(cat("wait must be a number of seconds, at most ", std::to_string(kLongestWait)));
}

}  // namespace

ControlAnswer answer_outcome(const ControlRequest& request, std::string_view id, ControlDesk& desk,
                             Clock& clock) {
  auto parsed = mail::parse_mail_id(id);
  if (!parsed) return control_error(400, cat(printable(id), " is not a mail ID"));
  auto wait = parse_wait(request);
  if (!wait) return control_error(400, wait.error());
  auto format = request.parameters.find("format");
  bool wants_lines = format != request.parameters.end() && format->second == "lines";
  if (format != request.parameters.end() && !wants_lines && format->second != "json")
    return control_error(400, "format must be json or lines");
  auto watching = std::make_shared<Watching>(request, *parsed, *wait, desk, clock);
  auto begun = watching->begin();
  if (!begun) return no_answer();
  if (!begun->outcome)
    return control_error(404, cat("there is no mail ", to_text(*parsed),
                                  " in the queue, and none with this ID ended recently; see the log"));
  if (wants_lines) return stream(std::move(watching));
  while (watching->change()) continue;
  return control_json(outcome_json(watching->now()));
}

}  // namespace hikyaku::app
