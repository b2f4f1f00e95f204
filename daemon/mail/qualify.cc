// SPDX-License-Identifier: MIT
#include <algorithm>

#include "daemon/base/text.h"
#include "daemon/mail/address.h"
#include "daemon/mail/address_list.h"
#include "daemon/mail/intake.h"

namespace hikyaku::mail {
namespace {

constexpr std::string_view kResent = "Resent-";
constexpr std::string_view kFields[] = {"From", "Sender", "Reply-To", "To", "Cc"};

// A display name encoded by RFC 2047 is not a local user name.
bool is_encoded_word(std::string_view text) { return text.starts_with("=?") && text.ends_with("?="); }

bool lacks_only_domain(const ListedMailbox& mailbox, std::string_view domain) {
  if (mailbox.has_domain || is_encoded_word(mailbox.address)) return false;
  auto path = parse_path(mailbox.address, {.default_domain = domain});
  return path && path->address.size() == mailbox.address.size() + 1 + domain.size();
}

}  // namespace

bool is_address_field(std::string_view name) {
  if (starts_with_ignoring_case(name, kResent)) name.remove_prefix(kResent.size());
  return std::ranges::any_of(kFields, [name](auto field) { return equals_ignoring_case(field, name); });
}

bool qualify_addresses(std::string& value, std::string_view domain) {
  std::string qualified;
  std::size_t done = 0;
  for (const ListedMailbox& mailbox : parse_address_list(value).mailboxes) {
    if (!lacks_only_domain(mailbox, domain)) continue;
    qualified += cat(value.substr(done, mailbox.end - done), "@", domain);
    done = mailbox.end;
  }
  if (done == 0) return false;
  value = qualified.append(value, done);
  return true;
}

}  // namespace hikyaku::mail
