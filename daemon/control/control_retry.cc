// SPDX-License-Identifier: MIT
#include "daemon/control/control_retry.h"

#include <algorithm>
#include <utility>

#include "daemon/base/json.h"
#include "daemon/base/json_value.h"
#include "daemon/base/text.h"

namespace hikyaku::control {
namespace {

constexpr std::size_t kMostIds = 1000;
constexpr std::size_t kRetriedAtOnce = 500;
constexpr Duration kBetweenRetries = 30s;

using ParsedRetry = Result<RetryQuestion, std::string>;
constexpr const char* kForms =
    R"(must be {"ids":[...]}, {"all":true}, or filters: "recipient_domain", "state", "from", "to")";

ParsedRetry parse_ids(const JsonValue& value) {
  if (value.list() == nullptr) return std::unexpected("ids must be a list of mail IDs");
  if (value.list()->size() > kMostIds)
    return std::unexpected(cat("at most ", std::to_string(kMostIds), " ids at a time"));
  std::vector<mail::MailId> ids;
  for (const JsonValue& element : *value.list()) {
    auto id = element.text() != nullptr ? mail::parse_mail_id(*element.text()) : std::nullopt;
    if (!id) return std::unexpected("ids must be mail IDs, as strings");
    ids.push_back(*id);
  }
  return ids;
}

ParsedRetry parse_filters(const JsonValue::Members& members) {
  RetryFitting fitting;
  for (const auto& [name, value] : members) {
    if (value.text() == nullptr) return std::unexpected(cat(printable(name), ": the body ", kForms));
    if (name == "recipient_domain")
      fitting.recipient_domain = *value.text();
    else if (name == "from")
      fitting.filter.from = *value.text();
    else if (name == "to")
      fitting.filter.to = *value.text();
    else if (name == "state" && mail::parse_queue_state(*value.text()))
      fitting.filter.state = mail::parse_queue_state(*value.text());
    else if (name == "state")
      return std::unexpected("state must be active, deferred (or waiting) or held");
    else
      return std::unexpected(cat(printable(name), ": the body ", kForms));
  }
  return fitting;
}

bool has_domain(std::string_view address, std::string_view domain) {
  std::size_t at = address.rfind('@');
  return at != address.npos && equals_ignoring_case(address.substr(at + 1), domain);
}

JsonList to_list(const std::vector<mail::MailId>& ids) {
  JsonList texts;
  for (mail::MailId id : ids) texts.add(to_text(id));
  return texts;
}

ControlAnswer answer_count(std::size_t count) {
  return control_json(JsonObject().add("retried", count).text());
}

ControlAnswer too_soon(Duration wait) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
  JsonObject json;
  json.add("error", cat("a retry is allowed once in 30 s; try again in ", std::to_string(seconds), " s"));
  ControlAnswer answer = control_json(json.add("retry_after", seconds).text());
  answer.status = 429;
  return answer;
}

ControlAnswer retry_ids(std::vector<mail::MailId> ids, const Rights& rights, DaemonControl& daemon) {
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  auto report = daemon.retry(std::move(ids), rights);
  if (!report) return no_answer();
  JsonObject json;
  json.add("retried", report->retried.size()).add("held", to_list(report->held));
  return control_json(json.add("unknown", to_list(report->unknown)).text());
}

// Found in the spool's files, a page at a time; the loop gets ids.
ControlAnswer retry_fitting(const ControlRequest& request, const RetryFitting& wanted,
                            listing::QueueReader& reader, DaemonControl& daemon, Clock& clock) {
  mail::RouteState route = route_state_now(daemon, clock);
  auto fits = [&](const spool::ViewedMail& mail) {
    return request.rights.may_see(mail.mail.envelope.uid) && !mail.mail.progress.held &&
           wanted.matches(mail, route);
  };
  Instant begin = clock.now();
  std::size_t count = 0;
  std::optional<mail::MailId> next = mail::MailId{};
  while (next && request.is_wanted()) {
    auto page = reader.page(*next, kRetriedAtOnce, fits, begin);
    if (!page) return spool_trouble(page.error());
    std::vector<mail::MailId> ids;
    for (const spool::ViewedMail& mail : page->mails) ids.push_back(mail.mail.id);
    count += ids.size();
    next = page->next;
    if (!ids.empty() && !daemon.retry_known(std::move(ids), request.rights)) return no_answer();
  }
  return answer_count(count);
}

}  // namespace

bool RetryFitting::matches(const spool::ViewedMail& mail, const mail::RouteState& route) const {
  if (!filter.matches(mail, route)) return false;
  if (!recipient_domain) return true;
  const auto& recipients = mail.mail.envelope.recipients;
  for (std::size_t i = 0; i < recipients.size(); ++i)
    if (mail.mail.progress.recipients[i].state == mail::RecipientState::pending &&
        has_domain(recipients[i].address, *recipient_domain))
      return true;
  return false;
}

ParsedRetry parse_retry_question(std::string_view body) {
  auto value = parse_json(body);
  if (!value) return std::unexpected(cat("the body is not JSON: ", value.error()));
  const JsonValue::Members* members = value->members();
  if (members == nullptr || members->empty()) return std::unexpected(cat("the body ", kForms));
  const auto& [name, first] = members->front();
  if (members->size() == 1 && name == "ids") return parse_ids(first);
  if (members->size() == 1 && name == "all" && first.boolean() == true) return RetryEverything{};
  return parse_filters(*members);
}

Duration RetryPace::wait(std::uint32_t uid, Instant now) {
  Lock lock(mutex_);
  std::erase_if(last_, [now](const auto& entry) { return now - entry.second >= kBetweenRetries; });
  auto [found, is_first] = last_.try_emplace(uid, now);
  return is_first ? Duration(0) : found->second + kBetweenRetries - now;
}

ControlAnswer answer_retry(const ControlRequest& request, listing::QueueReader& reader, DaemonControl& daemon,
                           RetryPace& pace, Clock& clock) {
  auto question = parse_retry_question(request.body);
  if (!question) return control_error(400, question.error());
  Duration wait = request.rights.is_operator ? Duration(0) : pace.wait(request.rights.uid, clock.now());
  if (wait > Duration(0)) return too_soon(wait);
  if (auto* ids = std::get_if<std::vector<mail::MailId>>(&*question))
    return retry_ids(std::move(*ids), request.rights, daemon);
  auto* fitting = std::get_if<RetryFitting>(&*question);
  if (fitting == nullptr && request.rights.is_operator) {
    auto count = daemon.retry_all();
    return count ? answer_count(*count) : no_answer();
  }
  return retry_fitting(request, fitting != nullptr ? *fitting : RetryFitting{}, reader, daemon, clock);
}

ControlAnswer no_answer() {
  return control_error(503, "hikyakud has too much to do to answer, or is stopping; try again");
}

}  // namespace hikyaku::control
