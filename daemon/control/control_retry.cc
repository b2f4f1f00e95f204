// SPDX-License-Identifier: MIT
#include "daemon/control/control_retry.h"

#include <algorithm>
#include <utility>

#include "daemon/base/json.h"
#include "daemon/base/json_value.h"
#include "daemon/base/text.h"

namespace hikyaku::control {
namespace {

constexpr Duration kBetweenRetries = 30s;

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
  auto report = daemon.retry(std::move(ids), rights, name_of_user(rights.uid));
  if (!report) return no_answer();
  JsonObject json;
  json.add("retried", report->retried.size()).add("held", to_list(report->held));
  json.add("unknown", to_list(report->unknown));
  if (!report->elsewhere.empty()) json.add("elsewhere", to_list(report->elsewhere));
  if (!report->refused.empty()) json.add("refused", to_list(report->refused));
  return control_json(json.text());
}

// Found in the spool's files; the loop gets ids.
ControlAnswer retry_fitting(const ControlRequest& request, const Fitting& wanted,
                            listing::QueueReader& reader, DaemonControl& daemon, Clock& clock) {
  mail::RouteState route = route_state_now(daemon, clock);
  auto fits = [&](const spool::ViewedMail& mail) {
    return request.rights.may_see(mail.mail.envelope.uid) && !mail.mail.progress.held &&
           wanted.matches(mail, route, request.rights.is_operator);
  };
  auto rules_out = [&](const listing::MailBrief& mail) {
    return mail.is_held || wanted.rules_out(mail, route, request.rights.is_operator);
  };
  const std::string by = name_of_user(request.rights.uid);
  bool answers = true;
  auto retry = [&](std::vector<mail::MailId> ids) {
    return answers = daemon.retry_known(std::move(ids), request.rights, by);
  };
  auto count = for_all_fitting(request, reader, clock.now(), {fits, rules_out}, retry);
  if (!answers) return no_answer();
  return count ? answer_count(*count) : spool_trouble(count.error());
}

}  // namespace

Duration RetryPace::wait(std::uint32_t uid, Instant now) {
  Lock lock(mutex_);
  std::erase_if(last_, [now](const auto& entry) { return now - entry.second >= kBetweenRetries; });
  auto [found, is_first] = last_.try_emplace(uid, now);
  return is_first ? Duration(0) : found->second + kBetweenRetries - now;
}

ControlAnswer answer_retry(const ControlRequest& request, listing::QueueReader& reader, DaemonControl& daemon,
                           RetryPace& pace, Clock& clock) {
  auto question = parse_selection(request.body, clock.wall());
  if (!question) return control_error(400, question.error());
  Duration wait = request.rights.is_operator ? Duration(0) : pace.wait(request.rights.uid, clock.now());
  if (wait > Duration(0)) return too_soon(wait);
  if (auto* ids = std::get_if<std::vector<mail::MailId>>(&*question))
    return retry_ids(std::move(*ids), request.rights, daemon);
  auto* fitting = std::get_if<Fitting>(&*question);
  if (fitting == nullptr && request.rights.is_operator) {
    auto count = daemon.retry_all(name_of_user(request.rights.uid));
    return count ? answer_count(*count) : no_answer();
  }
  return retry_fitting(request, fitting != nullptr ? *fitting : Fitting{}, reader, daemon, clock);
}

ControlAnswer no_answer() {
  return control_error(503, "hikyakud has too much to do to answer, or is stopping; try again");
}

}  // namespace hikyaku::control
