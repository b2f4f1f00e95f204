// SPDX-License-Identifier: MIT
// `hikyaku status --nagios`: the daemon's state for Nagios, Icinga and whatever else runs monitoring plugins: one line
// with the state's name and performance data, more lines for people, and an exit code from 0 to 3
// (nagios-plugins.org, "Plugin Development Guidelines"). Pure.
#pragma once

#include <string>

#include "daemon/base/error.h"
#include "daemon/base/exit.h"
#include "daemon/base/json_value.h"

namespace hikyaku::commands {

enum class PluginState : int {
  ok = 0,
  warning = 1,   // mail flows, but something waits for the operator: a smarthost is paused, mail is held
  critical = 2,  // no mail flows: no daemon, no room, or no smarthost takes any
  unknown = 3,   // it cannot be found out
};

struct PluginReport {
  PluginState state = PluginState::unknown;
  std::string text;  // lines
  // These codes belong to this way of asking alone, and so are none of Exit's.
  Exit exit() const { return static_cast<Exit>(state); }
};

// `status`: the answer to GET /v1/status.
PluginReport plugin_report(const JsonValue& status);
// There is no answer.
PluginReport plugin_report(const StartError& error);

}  // namespace hikyaku::commands
