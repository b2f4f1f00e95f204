// SPDX-License-Identifier: MIT
#include "daemon/base/text.h"
#include "daemon/config/smarthost_draft.h"

namespace hikyaku::config {
namespace {

// Of the provider's ways in, the one that goes with the port or the mode that was written.
void complete_target(const Preset& preset, SmarthostDraft& draft) {
  auto offer = [&](std::uint16_t port, mail::TlsMode mode) {
    const bool contradicts = draft.port.value_or(port) != port || draft.mode.value_or(mode) != mode;
    if (contradicts) return;
    draft.port = port;
    draft.mode = mode;
  };
  offer(preset.port, preset.tls);
  for (std::string_view text : words(preset.also)) {
    auto url = parse_smarthost_url(text);
    if (url && url->host == draft.host) offer(url->port.value_or(default_port(url->mode)), url->mode);
  }
}

void apply_limits(const Value& entry, const Preset& preset, mail::Smarthost& smarthost) {
  if (preset.connections != 0 && !entry.has("connections")) smarthost.connections = preset.connections;
  if (preset.messages_per_connection != 0 && !entry.has("messages_per_connection"))
    smarthost.messages_per_connection = preset.messages_per_connection;
  if (entry.has("rate")) return;
  for (std::string_view rate : split(preset.rates, ','))
    if (auto parsed = mail::parse_rate(trim(rate))) smarthost.rates.push_back(*parsed);
}

}  // namespace

void read_preset(const Value& value, SmarthostDraft& draft) {
  draft.has_target = true;
  const std::string_view name = value.text().value_or("");
  const Preset* preset = find_preset(name);
  if (preset == nullptr) return value.problem(cat("is the name of no preset", explain_unknown_preset(name)));
  if (!preset->ended.empty())
    return value.problem(
        cat(preset->title, " ended on ", preset->ended, "; `hikyaku presets` lists other providers"));
  draft.preset = preset;
}

void apply_preset(const Value& entry, SmarthostDraft& draft) {
  if (draft.preset == nullptr) return;
  const Preset& preset = *draft.preset;
  mail::Smarthost& smarthost = draft.smarthost;
  smarthost.preset = preset.name;
  if (smarthost.name.empty()) smarthost.name = preset.name;
  if (smarthost.user.empty()) smarthost.user = preset.user;
  apply_limits(entry, preset, smarthost);
  if (!draft.says_omit)
    for (std::string_view name : words(preset.unsigned_fields)) smarthost.dkim.omit.emplace_back(name);
  if (draft.url) return;
  if (!draft.host && !preset.host.empty()) draft.host = preset.host;
  if (!draft.host && !entry.has("host"))
    entry.problem(cat("needs `host` as well, because the servers of ", preset.title, " are called ",
                      words(preset.hosts).front(), "; `hikyaku presets ", preset.name, "` says more"));
  complete_target(preset, draft);
}

void send_as_account(mail::Smarthost& smarthost) {
  const Preset* preset = find_preset(smarthost.preset);
  mail::Rewriting& rules = smarthost.rewrite;
  if (preset == nullptr || !rules.envelope_from.empty() || !rules.header_from.empty()) return;
  rules.envelope_from = rules.header_from = address_demanded(*preset, smarthost.user);
}

}  // namespace hikyaku::config
