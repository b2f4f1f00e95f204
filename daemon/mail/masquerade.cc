// SPDX-License-Identifier: MIT
#include "daemon/mail/masquerade.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/mail/address.h"
#include "daemon/mail/address_list.h"

namespace hikyaku::mail {
namespace {

constexpr std::string_view kResentPrefix = "Resent-";
constexpr std::string_view kSenderFields[] = {"From", "Sender", "Reply-To"};

}  // namespace

bool Masquerade::hides(std::string_view host) const {
  return std::ranges::any_of(hosts, [host](auto& hidden) { return equals_ignoring_case(hidden, host); });
}

std::string Masquerade::apply(std::string address) const {
  if (!hides(domain_of(address))) return address;
  return cat(local_part_of(address), "@", domain);
}

bool Masquerade::apply_to_field(std::string& value) const {
  if (hosts.empty()) return false;
  std::string changed;
  std::size_t done = 0;
  for (const ListedMailbox& mailbox : parse_address_list(value).mailboxes) {
    if (!hides(domain_of(mailbox.address))) continue;
    changed += cat(value.substr(done, mailbox.begin - done), apply(mailbox.address));
    done = mailbox.end;
  }
  if (done == 0) return false;
  value = changed.append(value, done);
  return true;
}

bool is_sender_field(std::string_view name) {
  if (starts_with_ignoring_case(name, kResentPrefix)) name.remove_prefix(kResentPrefix.size());
  return std::ranges::any_of(kSenderFields, [name](auto field) { return equals_ignoring_case(field, name); });
}

}  // namespace hikyaku::mail
