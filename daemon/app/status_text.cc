// SPDX-License-Identifier: MIT
#include "daemon/app/status_text.h"

#include "daemon/base/clock.h"
#include "daemon/base/text.h"

namespace hikyaku::app {
namespace {

std::uint64_t number_in(const JsonValue& object, std::string_view name) {
  const JsonValue* value = object.find(name);
  return value != nullptr ? value->whole_number().value_or(0) : 0;
}

// Printable, since it may be a smarthost's words; in a diagnosis they are so already.
std::string text_in(const JsonValue& object, std::string_view name, std::string_view otherwise = "") {
  const JsonValue* value = object.find(name);
  return value != nullptr && value->text() != nullptr ? still_printable(*value->text())
                                                      : std::string(otherwise);
}

std::string counted(std::uint64_t count, std::string_view what) {
  return cat(std::to_string(count), " ", what);
}

std::string queue_line(const JsonValue& queue) {
  return cat("queue          ", counted(number_in(queue, "active"), "active, "),
             counted(number_in(queue, "deferred"), "deferred, "),
             counted(number_in(queue, "held"), "held\n"));
}

std::string smarthost_line(const JsonValue& smarthost) {
  std::string next = text_in(smarthost, "next_probe");
  std::string why = text_in(smarthost, "why");
  std::uint64_t connections = number_in(smarthost, "connections");
  return cat("smarthost      ", text_in(smarthost, "name"), " (", text_in(smarthost, "host"), ":",
             std::to_string(number_in(smarthost, "port")), "): ",
             why.empty() ? cat("up, ", counted(connections, connections == 1 ? "connection" : "connections"))
             : next.empty() ? why
                            : cat("backing off until ", next, ": ", why),
             "\n");
}

const std::vector<JsonValue>& list_in(const JsonValue& object, std::string_view name) {
  static const std::vector<JsonValue> kNone;
  const JsonValue* value = object.find(name);
  return value != nullptr && value->list() != nullptr ? *value->list() : kNone;
}

}  // namespace

std::string status_text(const JsonValue& status) {
  auto uptime = std::chrono::seconds(static_cast<std::int64_t>(number_in(status, "uptime")));
  std::string text =
      cat("hikyakud ", text_in(status, "version"), ", up for ", to_text(Duration(uptime)), "\n");
  if (const JsonValue* queue = status.find("queue")) text += queue_line(*queue);
  text += cat("last delivery  ", text_in(status, "last_delivery", "none since the start"), "\n");
  text += cat("spool          ", text_in(status, "spool"), "\n");
  for (const JsonValue& smarthost : list_in(status, "smarthosts")) text += smarthost_line(smarthost);
  for (const JsonValue& warning : list_in(status, "warnings"))
    if (warning.text() != nullptr) text += cat("warning        ", still_printable(*warning.text()), "\n");
  return text;
}

}  // namespace hikyaku::app
