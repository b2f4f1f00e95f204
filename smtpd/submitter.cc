// SPDX-License-Identifier: MIT
#include "smtpd/submitter.h"

#include "daemon/base/text.h"
#include "daemon/mail/address.h"

namespace hikyaku::smtpd {
namespace {

bool is_own(std::string_view address, std::string_view own, const OwnDomains& domains) {
  const std::string_view domain = mail::domain_of(address);
  return equals_ignoring_case(mail::local_part_of(address), mail::local_part_of(own)) &&
         (equals_ignoring_case(domain, domains.domain) || equals_ignoring_case(domain, domains.hostname));
}

}  // namespace

std::string own_address(std::uint32_t uid, const Submitter& submitter, std::string_view domain) {
  const std::string address = cat(submitter.name, "@", domain);
  auto parsed = mail::parse_path(cat("<", address, ">"), {});
  const bool is_plain = parsed && parsed->address == address;
  return is_plain ? address : cat("uid", std::to_string(uid), "@", domain);
}

std::string sender_of(std::uint32_t uid, const Submitter& submitter, std::string wished,
                      const OwnDomains& domains) {
  if (submitter.may_choose_sender || wished.empty()) return wished;
  std::string own = own_address(uid, submitter, domains.domain);
  return is_own(wished, own, domains) ? wished : own;
}

}  // namespace hikyaku::smtpd
