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
constexpr std::string_view kDrain = "/v1/drain";
constexpr std::string_view kAliases = "/v1/aliases/reload";
constexpr std::string_view kMails = "/v1/mails/";
constexpr std::string_view kOutcome = "/outcome";
constexpr std::string_view kDialogue = "/dialogue";

std::optional<JsonObject> object_of(const mail::DialoguePtr& dialogue) {
  return dialogue == nullptr ? std::nullopt : std::optional(to_object(*dialogue));
}

JsonObject to_object(const mail::SmarthostReport& smarthost, bool is_verbose) {
  JsonObject object;
  object.add("name", smarthost.name)
      .add("host", smarthost.host)
      .add("port", smarthost.port)
      .add("state", smarthost.trouble.empty() ? "up" : "waiting")
      .add("why", unless_empty(smarthost.trouble))
      .add("since", smarthost.since)
      .add("next_probe", smarthost.next_probe)
      .add("proven", smarthost.is_proven)
      .add("connections", smarthost.connections);
  if (smarthost.oauth) object.add("oauth", mail::to_object(*smarthost.oauth));
  return is_verbose ? object.add("last_failure", object_of(smarthost.last_failure)) : object;
}

JsonObject to_object(const mail::FleetReport& fleet) {
  JsonList nodes;
  for (const mail::NodeReport& node : fleet.nodes)
    nodes.add(JsonObject()
                  .add("name", node.name)
                  .add("this", node.is_this)
                  .add("started", node.started)
                  .add("alive_until", node.alive_until)
                  .add("away", node.is_away())
                  .add("free_at", node.free_at)
                  .add("mails", node.mails)
                  .add("held", node.held));
  JsonObject object;
  object.add("mails", fleet.mails).add("free", fleet.free).add("held", fleet.held);
  return object.add("is_estimate", fleet.is_estimate).add("oldest", fleet.oldest).add("nodes", nodes);
}

std::string status_json(const relay::StatusReport& status, bool is_verbose) {
  JsonList smarthosts;
  for (const mail::SmarthostReport& smarthost : status.smarthosts)
    smarthosts.add(to_object(smarthost, is_verbose));
  JsonObject queue;
  queue.add("active", status.active).add("deferred", status.deferred).add("held", status.held);
  JsonObject json;
  json.add("version", status.version)
      .add("uptime", std::chrono::duration_cast<std::chrono::seconds>(status.uptime).count())
      .add("queue", queue)
      .add("released", status.released)
      .add("spool", status.spool_trouble.empty() ? "healthy" : "failing")
      .add("spool_trouble", unless_empty(status.spool_trouble))
      .add("last_delivery", status.last_delivery)
      .add("failed_last_day", status.failed)
      .add("smarthosts", smarthosts)
      .add("warnings", JsonList(status.warnings))
      .add("drain", status.drain ? std::optional(drain_object(*status.drain)) : std::nullopt);
  if (status.fleet) json.add("fleet", to_object(*status.fleet));
  return json.text();
}

// The id in /v1/mails/ID/outcome, where `what` is "/outcome"; nullopt for another path.
std::optional<std::string_view> id_before(std::string_view what, std::string_view path) {
  if (!path.starts_with(kMails) || !path.ends_with(what)) return std::nullopt;
  path.remove_prefix(kMails.size());
  return path.size() < what.size() ? std::nullopt : std::optional(path.substr(0, path.size() - what.size()));
}

bool is_for_operators(std::string_view path, bool is_get) {
  if (!is_get) return path == kReload || path == kAliases;
  return path == kStatus || path == kMetrics || id_before(kDialogue, path).has_value();
}

}  // namespace

ControlAnswer ControlRoutes::answer(const ControlRequest& request) {
  if (is_about_oauth(request.path)) return answer_oauth(request, daemon_, clock_);
  if (request.method == "PUT") return control_error(405, "only GET and POST are supported here");
  bool is_get = request.method == "GET";
  auto id = id_before(kOutcome, request.path);
  if (is_get && id) return answer_outcome(request, *id, daemon_, clock_);
  if (is_get && request.path == kQueue) return answer_queue(request, reader_, daemon_, clock_);
  if (!is_get && request.path == kRetry) return answer_retry(request, reader_, daemon_, retry_pace_, clock_);
  if (auto decision = is_get ? std::nullopt : decision_of(request.path))
    return answer_steering(request, *decision, reader_, daemon_, clock_);
  if (is_get && request.path == kVersion)
    return control_json(JsonObject().add("version", HIKYAKU_VERSION).text());
  if (is_get && request.path == kHealth) return answer_health(request, daemon_);
  if (!is_get && request.path == kDrain) return answer_drain(request, daemon_);
  if (!is_for_operators(request.path, is_get)) return control_error(404, "there is no such path");
  if (!request.rights.is_operator)
    return control_error(
        403, "only root, the daemon's user and the members of its group (see `control`) may do that");
  return answer_for_operator(request);
}

ControlAnswer ControlRoutes::answer_for_operator(const ControlRequest& request) {
  if (request.path == kStatus) return answer_status(request);
  if (request.path == kMetrics) return answer_metrics(daemon_);
  if (auto id = id_before(kDialogue, request.path)) return answer_dialogue(*id);
  return request.path == kReload ? answer_reload() : answer_aliases();
}

ControlAnswer ControlRoutes::answer_status(const ControlRequest& request) {
  const auto verbose = request.parameters.find("verbose");
  const bool is_verbose = verbose != request.parameters.end() && verbose->second == "1";
  auto status = daemon_.status();
  return status ? control_json(status_json(*status, is_verbose)) : no_answer();
}

ControlAnswer ControlRoutes::answer_dialogue(std::string_view id) {
  auto parsed = mail::parse_mail_id(id);
  if (!parsed) return control_error(400, cat(printable(id), " is not a mail ID"));
  auto report = daemon_.dialogue(*parsed);
  if (!report) return no_answer();
  return control_json(JsonObject()
                          .add("id", to_text(*parsed))
                          .add("since", report->since)
                          .add("dialogue", object_of(report->dialogue))
                          .text());
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
