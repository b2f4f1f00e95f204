// SPDX-License-Identifier: MIT
#include "daemon/base/json_value.h"
#include "daemon/base/text.h"
#include "daemon/control/control_routes.h"

namespace hikyaku::control {
namespace {

using Verb = DrainOrder::Verb;

constexpr std::string_view kDrainForms =
    R"(the body must be {"to":URL}, {}, {"follow":true} or {"end":true})";

std::string_view name_of(relay::DrainReport::Stage stage) {
  static constexpr std::string_view kNames[] = {"trying", "handing_over", "drained", "left_over"};
  return kNames[static_cast<std::size_t>(stage)];
}

bool is_set(const JsonValue& json, std::string_view name) {
  const JsonValue* value = json.find(name);
  return value != nullptr && value->boolean().value_or(false);
}

// An empty body is {}.
std::optional<DrainOrder> order_in(const std::string& body) {
  auto json = parse_json(body.empty() ? "{}" : body);
  if (!json || json->members() == nullptr || json->members()->size() > 1) return std::nullopt;
  DrainOrder order{.to = json->text_of("to")};
  if (is_set(*json, "follow")) order.verb = Verb::follow;
  if (is_set(*json, "end")) order.verb = Verb::end;
  const bool is_understood = order.verb != Verb::begin || !order.to.empty() || json->members()->empty();
  return is_understood ? std::optional(std::move(order)) : std::nullopt;
}

}  // namespace

JsonObject drain_object(const relay::DrainReport& drain) {
  return JsonObject()
      .add("stage", name_of(drain.stage))
      .add("to", unless_empty(drain.to))
      .add("why", unless_empty(drain.why))
      .add("left", drain.left)
      .add("held", drain.held)
      .add("drops", drain.drops)
      .add("clients", drain.clients);
}

ControlAnswer answer_drain(const ControlRequest& request, DaemonControl& daemon) {
  if (!request.rights.may_change_all)
    return control_error(403,
                         "only root, the daemon's user and the members of its group may drain the daemon");
  auto order = order_in(request.body);
  if (!order) return control_error(400, kDrainForms);
  order->by = name_of_user(request.rights.uid);
  auto report = daemon.drain(std::move(*order));
  if (!report) return no_answer();
  return *report ? control_json(drain_object(**report).text()) : control_error(422, report->error());
}

}  // namespace hikyaku::control
