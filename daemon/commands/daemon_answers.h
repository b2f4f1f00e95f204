// SPDX-License-Identifier: MIT
// The daemon's answers to `hikyaku status` and `hikyaku queue retry`, as text for people.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/base/exit.h"
#include "daemon/base/json_value.h"

namespace hikyaku::commands {

// The answer to GET /v1/status as several lines. Pure.
std::string status_text(const JsonValue& status);
// Whether the operator may have to act: a smarthost is paused, the spool has trouble, mail is held, or a node of a shared
// spool is away.
// Warnings about the set-up do not count, because the set-up may be intended. Pure.
bool needs_operator(const JsonValue& status);
// The names of those nodes.
std::vector<std::string> away_nodes(const JsonValue& status);

// The answer to GET /v1/mails/ID/outcome: a line for each recipient, and one that says what a mail waits for. Pure.
std::string outcome_text(const std::string& id, const JsonValue& outcome);
bool has_reached_all(const JsonValue& outcome);

// Which queued mails a command is about: exactly one of `ids`, `all` and the filters.
struct MailSelection {
  std::vector<std::string> ids;
  bool all = false;
  std::map<std::string, std::string> filters{};  // by listing/queue_filter.h's names
};
// As the body of a request. Fails with usage unless exactly one way is given. Pure.
Result<std::string, StartError> selection_body(const MailSelection& selection);

enum class Form : bool { text, json };

// Makes the daemon retry the mails now. Prints how many, and, if `waits`, the outcomes of those that were named by
// ID; as JSON its answers, a line each. Returns ok only if every mail named by ID was retried and, if `waits`, none of
// them still waits.
Exit retry_queue(const std::string& socket, const MailSelection& selection, bool waits, Form form);

}  // namespace hikyaku::commands
