// SPDX-License-Identifier: MIT
#include <set>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/smarthost_draft.h"

namespace hikyaku::config {
namespace {

using mail::Smarthost;
using mail::TlsMode;

// A URL says host, TLS and perhaps port; whoever says one of them again must say the same.
void merge_url(const Value& value, SmarthostDraft& draft) {
  const SmarthostUrl& url = *draft.url;
  if (draft.host) value.problem("has both `url` and `host`; write one of them");
  if (draft.mode && draft.mode != url.mode)
    value.problem(
        "`url` and `tls` contradict each other: smtps is implicit, submission is starttls, smtp is "
        "opportunistic; write `host` instead of `url` to combine them freely");
  if (draft.port && url.port && draft.port != url.port)
    value.problem("has one port in `url` and another in `port`");
  draft.host = url.host;
  draft.mode = url.mode;
  if (url.port) draft.port = url.port;
}

std::optional<Smarthost> finish(const Value& value, SmarthostDraft draft) {
  Smarthost& smarthost = draft.smarthost;
  if (draft.url) merge_url(value, draft);
  if (!draft.host) return std::nullopt;
  smarthost.host = *draft.host;
  smarthost.port = draft.port.value_or(default_port(draft.mode.value_or(TlsMode::opportunistic)));
  auto mode = draft.mode ? draft.mode : default_tls_mode(smarthost.port);
  if (!mode) value.problem(cat("this port says nothing about TLS: add `tls`, one of ", kTlsModes));
  smarthost.tls.mode = mode.value_or(TlsMode::implicit);
  if (smarthost.name.empty()) smarthost.name = smarthost.host;
  return smarthost;
}

}  // namespace

std::optional<Smarthost> read_smarthost(const Value& value) {
  SmarthostDraft draft;
  if (!value.is_map()) {
    read_url(value, draft);
    return finish(value, std::move(draft));
  }
  read_map(value, smarthost_schema(), draft);
  if (!draft.has_target) value.problem("needs `host` or `url`");
  return finish(value, std::move(draft));
}

std::vector<Smarthost> read_smarthosts(const Value& value) {
  std::vector<Smarthost> smarthosts;
  std::set<std::string> names;
  if (!value.is_list()) {
    value.problem("must be a list, with a line `- host: …` or `- url: …` for each smarthost");
    return smarthosts;
  }
  for (const Value& element : value.elements()) {
    auto smarthost = read_smarthost(element);
    if (smarthost && !names.insert(to_lower(smarthost->name)).second)
      element.problem("another smarthost has this name already; give each its own `name`");
    if (smarthost) smarthosts.push_back(std::move(*smarthost));
  }
  if (value.elements().empty()) value.problem("must have at least one smarthost");
  return smarthosts;
}

}  // namespace hikyaku::config
