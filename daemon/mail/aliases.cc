// SPDX-License-Identifier: MIT
#include "daemon/mail/aliases.h"

#include <algorithm>
#include <set>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/mail/address.h"

namespace hikyaku::mail {
namespace {

// Two addresses are equal if only the case of their domains differs (RFC 5321 2.4); local parts are compared
// exactly.
std::string identity_of(std::string_view address) {
  return cat(local_part_of(address), "@", to_lower(domain_of(address)));
}

// The targets still to be visited, the next one at the back. No recursion, because entries may nest as deeply
// as the file is long.
class Walk {
 public:
  void enter(const AliasTargets& targets) {
    if (!entered_.insert(&targets).second) return;
    for (auto target = targets.rbegin(); target != targets.rend(); ++target) pending_.push_back(&*target);
  }
  const AliasTarget* next() {
    if (pending_.empty()) return nullptr;
    const AliasTarget* target = pending_.back();
    pending_.pop_back();
    return target;
  }

 private:
  std::vector<const AliasTarget*> pending_;
  std::set<const AliasTargets*> entered_;
};

// Keeps the first of each address.
class Gathering {
 public:
  void add(Recipient recipient) {
    if (seen_.insert(identity_of(recipient.address)).second) recipients_.push_back(std::move(recipient));
  }
  std::vector<Recipient> take() { return std::move(recipients_); }

 private:
  std::set<std::string> seen_;
  std::vector<Recipient> recipients_;
};

bool is_localhost(std::string_view domain) {
  return equals_ignoring_case(domain, "localhost") || equals_ignoring_case(domain, "localhost.localdomain");
}

// Empty: the recipient stays as it is.
std::vector<std::string> addresses_instead_of(const Recipient& recipient, const AliasRules& rules,
                                              const IsUser& is_user) {
  auto is_users = [&](std::string_view name) {
    return !rules.local_mail.empty() && is_user(alias_key(name));
  };
  const std::string_view name = local_part_of(recipient.address);
  if (rules.apply_to(recipient.address))
    return rules.aliases.expand(name, [&](std::string_view end) {
      return is_users(end) ? rules.local_mail : cat(end, "@", rules.domain);
    });
  if (rules.may_mean_user(recipient) && is_users(name)) return {rules.local_mail};
  return {};
}

}  // namespace

std::string alias_key(std::string_view local_part) {
  if (!local_part.starts_with('"') || local_part.size() < 2) return to_lower(local_part);
  std::string key;
  for (std::size_t i = 1; i + 1 < local_part.size(); ++i) {
    if (local_part[i] == '\\' && i + 2 < local_part.size()) ++i;
    key += to_lower(local_part[i]);
  }
  return key;
}

bool Aliases::add(std::string_view name, AliasTargets targets) {
  return entries_.try_emplace(alias_key(name), std::move(targets)).second;
}

const AliasTargets* Aliases::find(std::string_view local_part) const {
  auto entry = entries_.find(alias_key(local_part));
  return entry == entries_.end() ? nullptr : &entry->second;
}

std::vector<std::string> Aliases::expand(std::string_view local_part, std::string_view domain) const {
  return expand(local_part, [domain](std::string_view name) { return cat(name, "@", domain); });
}

std::vector<std::string> Aliases::expand(std::string_view local_part, const AddressOf& address_of) const {
  std::vector<std::string> addresses;
  std::set<std::string> seen;
  Walk walk;
  if (const AliasTargets* first = find(local_part)) walk.enter(*first);
  while (const AliasTarget* target = walk.next()) {
    if (const AliasTargets* further = target->kind == AliasTargetKind::name ? find(target->text) : nullptr) {
      walk.enter(*further);
      continue;
    }
    bool has_domain = target->kind == AliasTargetKind::address;
    std::string address = has_domain ? target->text : address_of(target->text);
    if (seen.insert(identity_of(address)).second) addresses.push_back(std::move(address));
  }
  return addresses;
}

bool AliasRules::is_local(std::string_view domain_of_address) const {
  return equals_ignoring_case(domain_of_address, domain) ||
         equals_ignoring_case(domain_of_address, hostname) || is_localhost(domain_of_address);
}

bool AliasRules::apply_to(std::string_view address) const {
  return is_local(domain_of(address)) && aliases.find(local_part_of(address)) != nullptr;
}

bool AliasRules::may_mean_user(const Recipient& recipient) const {
  const std::string_view domain_of_it = domain_of(recipient.address);
  return recipient.is_bare || equals_ignoring_case(domain_of_it, hostname) || is_localhost(domain_of_it);
}

AliasExpansion expand(const AliasRules& rules, const std::vector<Recipient>& recipients,
                      const IsUser& is_user) {
  AliasExpansion expansion;
  Gathering gathering;
  for (const Recipient& recipient : recipients) {
    const std::vector<std::string> addresses = addresses_instead_of(recipient, rules, is_user);
    if (addresses.empty()) {
      gathering.add(recipient);
      continue;
    }
    expansion.replaced.push_back(recipient.address);
    for (const std::string& address : addresses) gathering.add({address, recipient.notify, recipient.orcpt});
  }
  if (!expansion.replaced.empty()) expansion.recipients = gathering.take();
  return expansion;
}

}  // namespace hikyaku::mail
