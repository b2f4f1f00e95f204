// SPDX-License-Identifier: MIT
#include "daemon/setup/plan.h"

#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/load.h"
#include "daemon/config/yaml_text.h"
#include "daemon/setup/config_text.h"

namespace hikyaku::setup {
namespace {

constexpr std::string_view kExampleHost = "smtp.example.com";

constexpr std::string_view kNewFile =
    "# hikyaku's configuration. Every other key has its default: `hikyaku config show` prints them all.\n"
    "# The password is in the authinfo file. After a change: hikyaku reload\n";

std::string scalar(std::string_view text) { return config::to_flow(config::to_node(text)); }

bool is_the_same(const mail::Smarthost& smarthost, const Answers& answers) {
  const Target& target = answers.target;
  return smarthost.host == target.host && smarthost.port == target.port && smarthost.tls.mode == target.tls &&
         smarthost.user == answers.user && smarthost.auth == !answers.user.empty() &&
         from_of(smarthost) == answers.from && client_id_of(smarthost) == answers.client_id;
}

bool is_usual(const config::Preset& preset, const Target& target) {
  return preset.port == target.port && preset.tls == target.tls;
}

std::string smarthost_text(const Answers& answers) {
  const Target& target = answers.target;
  std::string text = "smarthost:\n";
  if (target.preset != nullptr) text += cat("  preset: ", target.preset->name, "\n");
  if (target.preset != nullptr && is_usual(*target.preset, target)) {
    if (target.host != target.preset->host) text += cat("  host: ", scalar(target.host), "\n");
  } else {
    text += cat("  url: ", scalar(url_of(target.host, target.port, target.tls)), "\n");
  }
  text += answers.user.empty() ? "  auth: none\n" : cat("  user: ", scalar(answers.user), "\n");
  if (answers.client_id.empty()) return text;
  return cat(text, "  oauth: {provider: ", target.preset->oauth, ", client_id: ", scalar(answers.client_id),
             "}\n");
}

std::string line_unless_empty(std::string_view key, const std::string& value) {
  return value.empty() ? "" : cat(key, ": ", scalar(value), "\n");
}

// With any smarthost the rest of a configuration shows whether it is right.
constexpr const char* kAnySmarthost = "smarthost: smtps://smtp.example.com\n";

Result<std::string, std::string> changed_text(const Existing& existing, const std::vector<KeyText>& keys) {
  auto text = with_keys(existing.exists ? existing.text : std::string(kNewFile), keys);
  if (!text) return std::unexpected(cat(existing.file, " ", text.error()));
  auto read = config::load_text(*text, existing.file, {"localhost.localdomain", ""});
  if (!read) return std::unexpected(config::to_text(read.error(), "\n"));
  return text;
}

}  // namespace

const mail::Smarthost* Existing::smarthost() const {
  const bool is_real = settings.smarthosts.size() == 1 && settings.smarthosts.front().host != kExampleHost;
  return is_real ? &settings.smarthosts.front() : nullptr;
}

std::string explain_refusal(const Existing& existing) {
  const config::Settings& settings = existing.settings;
  if (auto changed = changed_text(existing, {{"smarthosts", ""}, {"smarthost", kAnySmarthost}, {"from", ""}});
      !changed && existing.exists)
    return cat("correct what is wrong with the configuration, or move it away to begin anew: ",
               changed.error());
  if (settings.smarthosts.size() <= 1 && settings.routes.empty()) return {};
  return cat(
      existing.file, " has ", settings.routes.empty() ? "several smarthosts" : "routes",
      ", and setup knows only one smarthost. Edit that file (`hikyaku probe HOST` prints what to put into "
      "it), or move it away to begin anew");
}

std::string from_of(const mail::Smarthost& smarthost) {
  const mail::Rewriting& rules = smarthost.rewrite;
  return rules.envelope_from == rules.header_from ? rules.envelope_from : std::string();
}

std::string client_id_of(const mail::Smarthost& smarthost) {
  return smarthost.oauth ? smarthost.oauth->client_id : std::string();
}

Result<std::string, std::string> configuration_for(const Existing& existing, const Answers& answers) {
  std::vector<KeyText> keys;
  const mail::Smarthost* old = existing.smarthost();
  if (old == nullptr || !is_the_same(*old, answers)) {
    keys.push_back({"smarthosts", ""});
    keys.push_back({"smarthost", smarthost_text(answers)});
    keys.push_back({"from", line_unless_empty("from", answers.from)});
  }
  if (existing.settings.local_mail != answers.root_mail)
    keys.push_back({"local_mail", line_unless_empty("local_mail", answers.root_mail)});
  return changed_text(existing, keys);
}

config::AuthinfoEntry entry_for(const Answers& answers) {
  config::AuthinfoEntry entry{answers.target.host, {}, {}};
  entry.credentials.user = answers.user;
  entry.credentials.password = answers.password;
  return entry;
}

}  // namespace hikyaku::setup
