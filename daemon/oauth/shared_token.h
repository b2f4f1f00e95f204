// SPDX-License-Identifier: MIT
// The tokens of one smarthost where the daemons of a shared spool have them in common. A rotated refresh token that is
// used twice kills the grant, so one daemon at a time asks the provider: it claims that right for as long as a request
// may take, whatever becomes of it; the others wait, and take what it has got. What stands there is a secret, as the
// files of tokens are: whoever reads it can send mail. Times there are by the clock that all share. The loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "daemon/io/loop.h"
#include "daemon/mail/shared_accounts.h"
#include "daemon/oauth/token_store.h"

namespace hikyaku::oauth {

inline constexpr Duration kClaim = 2min;  // longer than any request to a provider

class SharedToken {
 public:
  // Loop and accounts outlive it.
  SharedToken(io::Loop& loop, mail::SharedAccounts& accounts, const std::string& smarthost);

  // nullopt: nothing new since the last call of anything here. A token without a client: there is none.
  Task<Result<std::optional<StoredToken>, std::string>> look();
  // Waits for its turn to ask the provider; then, or as soon as what stands there `suffices`, returns what does. The
  // claim ends with the next save(), or by itself. Fails where `until` comes first, too.
  using Suffices = std::function<bool(const StoredToken&)>;
  Task<Result<StoredToken, std::string>> claim(Suffices suffices, io::Until until);
  bool has_claim() const { return has_claim_; }
  // Durable when it returns. Of two that do not know of each other the token that was obtained last stays, unless
  // somebody has decided so: `is_decided`.
  Task<Result<void, std::string>> save(StoredToken token, bool is_decided);

 private:
  // What stands in the account.
  struct Entry {
    std::string claimant;  // empty: nobody
    WallTime claimed_until{};
    StoredToken token;
  };
  static std::string to_state(const Entry& entry);
  static Entry parse(std::string_view state);
  Task<Result<Entry, std::string>> read();

  io::Loop& loop_;
  mail::SharedAccounts& accounts_;
  std::string name_;
  std::string me_;
  std::int64_t version_ = 0;  // as last read
  std::int64_t seen_ = -1;    // and as last returned
  WallTime now_{};            // by the shared clock, when it was read
  Duration ahead_{0};         // of that clock, of ours
  bool has_claim_ = false;
};

}  // namespace hikyaku::oauth
