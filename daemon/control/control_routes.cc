// SPDX-License-Identifier: MIT
#include "daemon/control/control_routes.h"

#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/control/control_outcome.h"
#include "daemon/control/control_queue.h"
#include "daemon/control/control_retry.h"

namespace hikyaku::control {
namespace {

constexpr std::string_view kQueue = "/v1/queue";
constexpr std::string_view kRetry = "/v1/queue/retry";
constexpr std::string_view kVersion = "/v1/version";
constexpr std::string_view kStatus = "/v1/status";
constexpr std::string_view kReload = "/v1/reload";
constexpr std::string_view kAliases = "/v1/aliases/reload";
constexpr std::string_view kMails = "/v1/mails/";
constexpr std::string_view kOutcome = "/outcome";

std::string time_or_null(const std::optional<WallTime>& time) {
  return time ? json_string(to_rfc3339(*time)) : "null";
}

std::string text_or_null(const std::string& text) { return text.empty() ? "null" : json_string(text); }

std::string smarthost_json(const mail::SmarthostReport& smarthost) {
  return cat("{\"name\":", json_string(smarthost.name), ",\"host\":", json_string(smarthost.host),
             ",\"port\":", std::to_string(smarthost.port),
             ",\"state\":", smarthost.trouble.empty() ? "\"up\"" : "\"waiting\"",
             ",\"why\":", text_or_null(smarthost.trouble), ",\"since\":", time_or_null(smarthost.since),
             ",\"next_probe\":", time_or_null(smarthost.next_probe),
             ",\"proven\":", smarthost.is_proven ? "true" : "false",
             ",\"connections\":", std::to_string(smarthost.connections), "}");
}

std::string texts_json(const std::vector<std::string>& texts) {
  std::vector<std::string> all;
  for (const std::string& text : texts) all.push_back(json_string(text));
  return cat("[", join(all, ","), "]");
}

std::string status_json(const relay::StatusReport& status) {
  std::vector<std::string> smarthosts;
  for (const mail::SmarthostReport& smarthost : status.smarthosts)
    smarthosts.push_back(smarthost_json(smarthost));
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(status.uptime).count();
  return cat("{\"version\":", json_string(status.version), ",\"uptime\":", std::to_string(seconds),
             ",\"queue\":{\"active\":", std::to_string(status.active),
             ",\"deferred\":", std::to_string(status.deferred), ",\"held\":", std::to_string(status.held),
             "},\"released\":", time_or_null(status.released),
             ",\"spool\":", status.spool_trouble.empty() ? "\"healthy\"" : "\"failing\"",
             ",\"spool_trouble\":", text_or_null(status.spool_trouble),
             ",\"last_delivery\":", time_or_null(status.last_delivery),
             ",\"failed_last_day\":", std::to_string(status.failed), ",\"smarthosts\":[",
             join(smarthosts, ","), "],\"warnings\":", texts_json(status.warnings), "}");
}

// The id in /v1/mails/ID/outcome; nothing: it is another path.
std::optional<std::string_view> outcome_of_what(std::string_view path) {
  if (!path.starts_with(kMails) || !path.ends_with(kOutcome)) return std::nullopt;
  path.remove_prefix(kMails.size());
  return path.size() < kOutcome.size() ? std::nullopt
                                       : std::optional(path.substr(0, path.size() - kOutcome.size()));
}

}  // namespace

std::vector<std::string> ControlRoutes::posts() {
  return {std::string(kRetry), std::string(kReload), std::string(kAliases)};
}

ControlAnswer ControlRoutes::answer(const ControlRequest& request) {
  bool is_get = request.method == "GET";
  auto id = outcome_of_what(request.path);
  if (is_get && id) return answer_outcome(request, *id);
  if (is_get && request.path == kQueue) return answer_queue(request, reader_, desk_, clock_);
  if (!is_get && request.path == kRetry) return answer_retry(request, reader_, desk_, retry_pace_, clock_);
  if (is_get && request.path == kVersion)
    return control_json(cat("{\"version\":", json_string(HIKYAKU_VERSION), "}"));
  bool is_operators = (is_get && request.path == kStatus) ||
                      (!is_get && (request.path == kReload || request.path == kAliases));
  if (!is_operators) return control_error(404, "there is no such path");
  if (!request.rights.all)
    return control_error(403,
                         "only root, the daemon's user and members of its group (see `control`) may do that");
  if (is_get) return answer_status();
  return request.path == kReload ? answer_reload() : answer_aliases();
}

ControlAnswer ControlRoutes::answer_outcome(const ControlRequest& request, std::string_view id) {
  return control::answer_outcome(request, id, desk_, clock_);
}

ControlAnswer ControlRoutes::answer_status() {
  auto status = desk_.status();
  return status ? control_json(status_json(*status)) : no_answer();
}

ControlAnswer ControlRoutes::answer_reload() {
  auto report = desk_.reload();
  if (!report) return no_answer();
  if (report->problems.empty())
    return control_json(cat("{\"needs_restart\":", texts_json(report->kept), "}"));
  ControlAnswer answer = control_json(cat("{\"error\":", json_string(join(report->problems, "\n")),
                                          ",\"problems\":", texts_json(report->problems), "}"));
  answer.status = 422;
  return answer;
}

ControlAnswer ControlRoutes::answer_aliases() {
  auto count = desk_.reload_aliases();
  if (!count) return no_answer();
  return *count ? control_json(cat("{\"aliases\":", std::to_string(**count), "}"))
                : control_error(422, count->error());
}

}  // namespace hikyaku::control
