// SPDX-License-Identifier: MIT
// Recipients and sender, from the command line and from the header (-t). Every address for the envelope is
// checked here as the daemon will check it, so that a wrong address is reported at once and nothing is
// stored. Pure.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "daemon/sendmail/exit.h"
#include "daemon/sendmail/header.h"

namespace hikyaku::sendmail {

// "user@example.com" or "root", to which the daemon adds a domain.
using Address = std::string;

// Collects recipients in order, each once; the case of domains is ignored.
class Recipients {
 public:
  // Adds an argument: "a@b", "Al <a@b>", "a@b,c@d". Fails with bad_data.
  Result<void, Failure> add_operand(std::string_view operand);
  // Adds To, Cc and Bcc; or, if the message was resent, Resent-To, -Cc and -Bcc of the latest resending,
  // which is the first block (RFC 5322 3.6.6).
  Result<void, Failure> add_header(const Fields& fields);

  const std::vector<Address>& addresses() const { return addresses_; }

 private:
  Result<void, Failure> add_list(std::string_view list, std::string_view where);
  std::vector<Address> addresses_;
  std::unordered_set<std::string> seen_;
};

// The sender from -f: one address, or empty for the null sender.
Result<Address, Failure> sender_of(std::string_view text);
// The first address in From, or in Resent-From of the latest resending; empty if there is none.
Result<Address, Failure> sender_of(const Fields& fields);
// The local part for a user name, quoted if necessary.
Address address_of_user(std::string_view name);

bool needs_smtputf8(const Address& sender, const std::vector<Address>& recipients);

}  // namespace hikyaku::sendmail
