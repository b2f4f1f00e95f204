// SPDX-License-Identifier: MIT
// Who shall get the message and who sends it: from the command line and from the header (-t). Everything that
// goes into an envelope is judged here as the daemon will judge it, so that a wrong address is told at once
// and nothing is stored. Pure.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "daemon/sendmail/exit.h"
#include "daemon/sendmail/header.h"

namespace hikyaku::sendmail {

// In the form for a path, "user@example.com" or "root": what lacks a domain gets it from the daemon.
using Address = std::string;

// Each once, in their order; a domain's case does not count.
class Recipients {
 public:
  // What a caller gave as an operand: "a@b", "Al <a@b>", "a@b,c@d". Fails with bad_data.
  Result<void, Failure> add_operand(std::string_view operand);
  // To, Cc and Bcc; or, if the message was sent on, Resent-To, -Cc and -Bcc of its latest sending, which
  // stands first (RFC 5322 3.6.6).
  Result<void, Failure> add_header(const Fields& fields);

  const std::vector<Address>& addresses() const { return addresses_; }

 private:
  Result<void, Failure> add_list(std::string_view list, std::string_view where);
  std::vector<Address> addresses_;
  std::unordered_set<std::string> seen_;
};

// `text` of -f: one address, or none for the null sender.
Result<Address, Failure> sender_of(std::string_view text);
// The first address in From, or in Resent-From of the latest sending; empty if there is none.
Result<Address, Failure> sender_of(const Fields& fields);
// The local part for a user's name, in quotes if it needs them.
Address address_of_user(std::string_view name);

bool needs_smtputf8(const Address& sender, const std::vector<Address>& recipients);

}  // namespace hikyaku::sendmail
