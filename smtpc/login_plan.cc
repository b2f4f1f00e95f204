// SPDX-License-Identifier: MIT
#include <algorithm>

#include "smtpc/login.h"
#include "smtpc/sasl_client.h"

namespace hikyaku::smtpc {
namespace {

using mail::FailureKind;

// The best first; of one family at most one is tried, since a peer that refuses one refuses the others too.
using Families = std::vector<std::vector<std::string>>;

Families automatic(const mail::Smarthost& smarthost) {
  Families families;
  if (!smarthost.tls.client_cert.empty()) families.push_back({"EXTERNAL"});
  families.push_back({"SCRAM-SHA-256", "SCRAM-SHA-1"});
  families.push_back({"DIGEST-MD5", "CRAM-MD5"});
  families.push_back({"PLAIN"});
  families.push_back({"LOGIN"});
  return families;
}

bool contains(const std::vector<std::string>& list, const std::string& name) {
  return std::ranges::find(list, name) != list.end();
}

// The credentials' own list sets the order; the smarthost's restricts it.
Families wanted(const mail::Smarthost& smarthost) {
  const auto& configured = smarthost.mechanisms;
  std::vector<std::string> list = configured;
  if (smarthost.credentials && !smarthost.credentials->mechanisms.empty()) {
    list = smarthost.credentials->mechanisms;
    if (!configured.empty())
      std::erase_if(list, [&](const auto& name) { return !contains(configured, name); });
  } else if (list.empty()) {
    return automatic(smarthost);
  }
  Families families;
  for (const std::string& name : list) families.push_back({name});
  return families;
}

void keep(Families& families, const auto& is_kept) {
  for (auto& family : families)
    std::erase_if(family, [&](const std::string& name) { return !is_kept(name); });
  std::erase_if(families, [](const auto& family) { return family.empty(); });
}

std::unexpected<NoMechanism> none(FailureKind kind, std::string mechanism = {}) {
  return std::unexpected(NoMechanism{kind, std::move(mechanism)});
}

std::unexpected<NoMechanism> nothing_offered(const mail::Capabilities& capabilities, bool encrypted) {
  if (!capabilities.mechanisms.empty()) return none(FailureKind::no_usable_mechanism);
  bool after_tls = !encrypted && capabilities.starttls;
  return none(after_tls ? FailureKind::auth_only_after_tls : FailureKind::auth_not_offered);
}

}  // namespace

bool wants_login(const mail::Smarthost& smarthost) {
  return smarthost.auth && (smarthost.oauth || smarthost.credentials || !smarthost.mechanisms.empty());
}

Result<std::vector<std::string>, NoMechanism> usable_mechanisms(const mail::Smarthost& smarthost,
                                                                const mail::Capabilities& capabilities,
                                                                bool encrypted,
                                                                const std::set<std::string>& available) {
  Families families = wanted(smarthost);
  keep(families, [&](const auto& name) { return smarthost.credentials || name == "EXTERNAL"; });
  if (families.empty() && !smarthost.credentials) return none(FailureKind::credentials_demanded);
  keep(families, [&](const auto& name) { return capabilities.offers(name); });
  if (families.empty()) return nothing_offered(capabilities, encrypted);
  bool plaintext_allowed = encrypted || smarthost.allow_plaintext_auth;
  keep(families, [&](const auto& name) { return plaintext_allowed || !is_plaintext(name); });
  if (families.empty()) return none(FailureKind::plaintext_auth_not_allowed);
  std::string best = families.front().front();
  keep(families, [&](const auto& name) { return available.contains(name); });
  if (families.empty()) return none(FailureKind::missing_plugin, best);
  std::vector<std::string> usable;
  for (const auto& family : families) usable.push_back(family.front());
  return usable;
}

std::vector<std::string> mechanisms_to_try(const std::vector<std::string>& usable,
                                           const LoginKnowledge& known) {
  if (known.none_works) return {usable[known.turn % usable.size()]};
  std::vector<std::string> list = usable;
  std::erase_if(list, [&](const std::string& name) { return known.refused.contains(name); });
  if (list.empty()) return {usable.front()};  // the smarthost offers others than before
  auto worked = std::ranges::find(list, known.worked);
  if (worked != list.end()) std::rotate(list.begin(), worked, worked + 1);
  return list;
}

void note_success(LoginKnowledge& known, const std::string& mechanism) {
  known = LoginKnowledge{};
  known.worked = mechanism;
}

void note_refusal(LoginKnowledge& known, const std::string& mechanism,
                  const std::vector<std::string>& usable) {
  if (known.none_works) {
    ++known.turn;
    return;
  }
  known.refused.insert(mechanism);
  auto is_refused = [&](const std::string& name) { return known.refused.contains(name); };
  if (!std::ranges::all_of(usable, is_refused)) return;
  known.none_works = true;
  known.refused.clear();
}

}  // namespace hikyaku::smtpc
