// SPDX-License-Identifier: MIT
#include "daemon/commands/status_text.h"

#include <algorithm>

#include "daemon/base/clock.h"
#include "daemon/base/text.h"

namespace hikyaku::commands {
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

const std::vector<JsonValue>& list_in(const JsonValue& object, std::string_view name) {
  static const std::vector<JsonValue> kNone;
  const JsonValue* value = object.find(name);
  return value != nullptr && value->list() != nullptr ? *value->list() : kNone;
}

std::string counted(std::uint64_t count, std::string_view what) {
  return cat(std::to_string(count), " ", what);
}

std::string queue_line(const JsonValue& queue) {
  return cat("queue          ", counted(number_in(queue, "active"), "active, "),
             counted(number_in(queue, "deferred"), "waiting, "), counted(number_in(queue, "held"), "held\n"));
}

std::string smarthost_line(const JsonValue& smarthost) {
  std::string next = text_in(smarthost, "next_probe");
  std::string since = text_in(smarthost, "since");
  std::string why = text_in(smarthost, "why");
  std::uint64_t connections = number_in(smarthost, "connections");
  return cat("smarthost      ", text_in(smarthost, "name"), " (", text_in(smarthost, "host"), ":",
             std::to_string(number_in(smarthost, "port")), "): ",
             why.empty() ? cat("up, ", counted(connections, connections == 1 ? "connection" : "connections"))
             : next.empty() ? why
                            : cat("backing off until ", next,
                                  since.empty() ? "" : cat(" (since ", since, ")"), ": ", why),
             "\n");
}

}  // namespace

bool needs_operator(const JsonValue& status) {
  const JsonValue* queue = status.find("queue");
  if (queue != nullptr && number_in(*queue, "held") > 0) return true;
  if (text_in(status, "spool", "healthy") != "healthy") return true;
  return std::ranges::any_of(list_in(status, "smarthosts"), [](const JsonValue& smarthost) {
    return !text_in(smarthost, "next_probe").empty();
  });
}

std::string status_text(const JsonValue& status) {
  auto uptime = std::chrono::seconds(static_cast<std::int64_t>(number_in(status, "uptime")));
  std::string text =
      cat("hikyakud ", text_in(status, "version"), ", up for ", to_text(Duration(uptime)), "\n");
  if (const JsonValue* queue = status.find("queue")) text += queue_line(*queue);
  text += cat("last delivery  ", text_in(status, "last_delivery", "none since the start"), "\n");
  if (std::uint64_t failed = number_in(status, "failed_last_day"); failed > 0)
    text += cat("failed         ", counted(failed, failed == 1 ? "mail" : "mails"), " in the last day\n");
  std::string trouble = text_in(status, "spool_trouble");
  text += cat("spool          ", text_in(status, "spool"), trouble.empty() ? "" : ": ", trouble, "\n");
  for (const JsonValue& smarthost : list_in(status, "smarthosts")) text += smarthost_line(smarthost);
  for (const JsonValue& warning : list_in(status, "warnings"))
    if (warning.text() != nullptr)
      text += cat("warning        ", still_printable(*warning.text(), 4096), "\n");
  return text;
}

}  // namespace hikyaku::commands
