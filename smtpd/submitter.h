// SPDX-License-Identifier: MIT
// Local users as a session sees them: the kernel gives the caller's uid over the Unix socket; from the uid
// follow a name for Received, and the sender addresses that the user may use (`submit`).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/task.h"
#include "daemon/io/wait.h"

namespace hikyaku::smtpd {

struct Submitter {
  std::string name;               // empty: the uid has none
  bool may_choose_sender = true;  // else mail gets the user's own address as sender
};

class Submitters {
 public:
  virtual ~Submitters() = default;
  // Suspends while a user database is asked. Returns nullopt if it did not answer in time and the answer
  // matters.
  virtual Task<std::optional<Submitter>> find(std::uint32_t uid, io::Until until) = 0;
};

// What a user's address ends in, and what it is taken for as well.
struct OwnDomains {
  std::string_view domain;
  std::string_view hostname;
};

// "www-data@example.com"; a user whose name makes no address is "uid1000@example.com".
std::string own_address(std::uint32_t uid, const Submitter& submitter, std::string_view domain);
// The sender that a message of this user gets. The null sender stays: it claims to be nobody.
std::string sender_of(std::uint32_t uid, const Submitter& submitter, std::string wished,
                      const OwnDomains& domains);

}  // namespace hikyaku::smtpd
