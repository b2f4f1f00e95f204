// SPDX-License-Identifier: MIT
#include "daemon/control/control_routes.h"

#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/control/control_retry.h"
#include "daemon/control/metrics_port.h"

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

JsonObject to_object(const mail::SmarthostReport& smarthost) {
  return JsonObject()
      .add("name", smarthost.name)
      .add("host", smarthost.host)
      .add("port", smarthost.port)
      .add("state", smarthost.trouble.empty() ? "up" : "waiting")
      .add("why", unless_empty(smarthost.trouble))
      .add("since", smarthost.since)
      .add("next_probe", smarthost.next_probe)
      .add("proven", smarthost.is_proven)
      .add("connections", smarthost.connections);
}

std::string status_json(const relay::StatusReport& status) {
  JsonList smarthosts;
  for (const mail::SmarthostReport& smarthost : status.smarthosts) smarthosts.add(to_object(smarthost));
  JsonObject queue;
  queue.add("active", status.active).add("deferred", status.deferred).add("held", status.held);
  return JsonObject()
      .add("version", status.version)
      .add("uptime", std::chrono::duration_cast<std::chrono::seconds>(status.uptime).count())
      .add("queue", queue)
      .add("released", status.released)
      .add("spool", status.spool_trouble.empty() ? "healthy" : "failing")
      .add("spool_trouble", unless_empty(status.spool_trouble))
      .add("last_delivery", status.last_delivery)
      .add("failed_last_day", status.failed)
      .add("smarthosts", smarthosts)
      .add("warnings", JsonList(status.warnings))
      .text();
}

// The id in /v1/mails/ID/outcome; nullopt for another path.
std::optional<std::string_view> id_of_outcome(std::string_view path) {
  if (!path.starts_with(kMails) || !path.ends_with(kOutcome)) return std::nullopt;
  path.remove_prefix(kMails.size());
  return path.size() < kOutcome.size() ? std::nullopt
                                       : std::optional(path.substr(0, path.size() - kOutcome.size()));
}

}  // namespace

ControlAnswer ControlRoutes::answer(const ControlRequest& request) {
  bool is_get = request.method == "GET";
  auto id = id_of_outcome(request.path);
  if (is_get && id) return answer_outcome(request, *id, daemon_, clock_);
  if (is_get && request.path == kQueue) return answer_queue(request, reader_, daemon_, clock_);
  if (!is_get && request.path == kRetry) return answer_retry(request, reader_, daemon_, retry_pace_, clock_);
  if (auto decision = is_get ? std::nullopt : decision_of(request.path))
    return answer_steering(request, *decision, reader_, daemon_, clock_);
  if (is_get && request.path == kVersion)
    return control_json(JsonObject().add("version", HIKYAKU_VERSION).text());
  if (is_get && request.path == kHealth) return answer_health(request, daemon_);
  bool is_operators = (is_get && (request.path == kStatus || request.path == kMetrics)) ||
                      (!is_get && (request.path == kReload || request.path == kAliases));
  if (!is_operators) return control_error(404, "there is no such path");
  if (!request.rights.is_operator)
    return control_error(
        403, "only root, the daemon's user and the members of its group (see `control`) may do that");
  if (is_get) return request.path == kStatus ? answer_status() : answer_metrics(daemon_);
  return request.path == kReload ? answer_reload() : answer_aliases();
}

ControlAnswer ControlRoutes::answer_status() {
  auto status = daemon_.status();
  return status ? control_json(status_json(*status)) : no_answer();
}

ControlAnswer ControlRoutes::answer_reload() {
  auto report = daemon_.reload();
  if (!report) return no_answer();
  if (report->problems.empty())
    return control_json(JsonObject().add("needs_restart", JsonList(report->kept)).text());
  ControlAnswer answer = control_json(JsonObject()
                                          .add("error", join(report->problems, "\n"))
                                          .add("problems", JsonList(report->problems))
                                          .text());
  answer.status = 422;
  return answer;
}

ControlAnswer ControlRoutes::answer_aliases() {
  auto count = daemon_.reload_aliases();
  if (!count) return no_answer();
  return *count ? control_json(JsonObject().add("aliases", **count).text())
                : control_error(422, count->error());
}

}  // namespace hikyaku::control
