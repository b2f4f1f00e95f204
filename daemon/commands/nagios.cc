// SPDX-License-Identifier: MIT
#include "daemon/commands/nagios.h"

#include <algorithm>
#include <vector>

#include "daemon/base/text.h"
#include "daemon/commands/daemon_answers.h"

namespace hikyaku::commands {
namespace {

// What the state depends on, and what is drawn.
struct Figures {
  std::uint64_t active = 0;
  std::uint64_t waiting = 0;
  std::uint64_t held = 0;
  std::uint64_t failed = 0;  // in the last day
  std::size_t smarthosts = 0;
  std::vector<std::string> paused;  // their names
  std::vector<std::string> away;    // names of nodes
  std::string spool_trouble;
};

Figures figures_in(const JsonValue& status) {
  Figures figures;
  if (const JsonValue* queue = status.find("queue")) {
    figures.active = queue->whole_number_of("active");
    figures.waiting = queue->whole_number_of("deferred");
    figures.held = queue->whole_number_of("held");
  }
  figures.away = away_nodes(status);
  figures.failed = status.whole_number_of("failed_last_day");
  for (const JsonValue& smarthost : status.list_of("smarthosts")) {
    ++figures.smarthosts;
    if (!smarthost.text_of("next_probe").empty()) figures.paused.push_back(smarthost.text_of("name"));
  }
  if (status.text_of("spool") != "healthy")
    figures.spool_trouble = cat("the spool takes no mail: ", status.text_of("spool_trouble"));
  return figures;
}

PluginState state_of(const Figures& figures) {
  const bool none_is_up = figures.smarthosts > 0 && figures.paused.size() == figures.smarthosts;
  if (!figures.spool_trouble.empty() || none_is_up) return PluginState::critical;
  return figures.paused.empty() && figures.away.empty() && figures.held == 0 ? PluginState::ok
                                                                             : PluginState::warning;
}

std::string_view name_of(PluginState state) {
  static constexpr std::string_view kNames[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
  return kNames[static_cast<std::size_t>(state)];
}

// In one line; what stands behind "|" would be taken for performance data.
std::string first_line(PluginState state, std::string_view text) {
  std::string line = cat("HIKYAKU ", name_of(state), " - ", still_printable(text, 1024));
  std::ranges::replace(line, '|', '/');
  return line;
}

std::string summary(const Figures& figures) {
  std::string text;
  if (!figures.spool_trouble.empty()) text = cat(figures.spool_trouble, "; ");
  if (!figures.paused.empty())
    text += cat(std::to_string(figures.paused.size()), " of ", std::to_string(figures.smarthosts),
                " smarthosts paused: ", join(figures.paused, ", "), "; ");
  if (!figures.away.empty()) text += cat("away: ", join(figures.away, ", "), "; ");
  const std::uint64_t queued = figures.active + figures.waiting + figures.held;
  text += cat(std::to_string(queued), queued == 1 ? " mail queued" : " mails queued");
  if (figures.held > 0) text += cat(", ", std::to_string(figures.held), " held");
  return text;
}

std::string performance(const Figures& figures) {
  auto value = [](std::string_view name, std::uint64_t number) {
    return cat(" ", name, "=", std::to_string(number), ";;;0");
  };
  return cat(" |", value("active", figures.active), value("waiting", figures.waiting),
             value("held", figures.held), value("failed_last_day", figures.failed),
             value("paused", figures.paused.size()), value("smarthosts", figures.smarthosts));
}

}  // namespace

PluginReport plugin_report(const JsonValue& status) {
  if (status.find("queue") == nullptr)
    return {PluginState::unknown,
            cat(first_line(PluginState::unknown, "the daemon's answer has no `queue`"), "\n")};
  const Figures figures = figures_in(status);
  const PluginState state = state_of(figures);
  std::string details = status_text(status);
  std::ranges::replace(details, '|', '/');
  return {state, cat(first_line(state, summary(figures)), performance(figures), "\n", details)};
}

// Only a daemon that is gone or hangs is known not to move mail.
PluginReport plugin_report(const StartError& error) {
  const bool is_silent = error.kind == Exit::unavailable || error.kind == Exit::try_again;
  const PluginState state = is_silent ? PluginState::critical : PluginState::unknown;
  return {state, cat(first_line(state, error.text), "\n")};
}

}  // namespace hikyaku::commands
