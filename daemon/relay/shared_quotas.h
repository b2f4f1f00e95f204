// SPDX-License-Identifier: MIT
// The hourly and daily rates that the daemons of a shared spool use up together. What all of them have used stands in
// one account for each rate; from it this daemon sets a hundredth aside ahead of need, so that counting a message never
// waits. What is set aside may be used for a hundredth of the unit, and counts as if it were all used at the end of
// that; then the rest goes back. So no period has more than the rate says, whoever dies, and a death costs at most what
// was set aside. The clock is the accounts'. While they cannot be reached only what is set aside may be used: then mail
// waits, and it is said why. The loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/io/nursery.h"
#include "daemon/log/mail_log.h"
#include "daemon/mail/shared_accounts.h"
#include "smtpc/rate.h"

namespace hikyaku::relay {

// What is used of a quota, as text: a line "quota 1", then "FIRST LAST COUNT" for each portion, oldest first, in
// microseconds since 1970. nullopt for what is none of ours.
std::string to_text(const smtpc::Quota& used);
std::optional<smtpc::Quota> parse_quota(std::string_view text, const mail::Rate& rate);

class SharedQuotas {
 public:
  // All outlive the object. `on_more`: mail that has waited for a rate may go.
  SharedQuotas(io::Loop& loop, mail::SharedAccounts& accounts, log::MailLog& log,
               std::function<void()> on_more);
  ~SharedQuotas();

  // From now on the limiter's allotments are filled. `mark`: of the account at the smarthost, the same in all daemons.
  void serve(std::uint64_t mark, const std::string& smarthost, std::shared_ptr<smtpc::RateLimiter> limiter);
  // A sentence about the rate that mail waits for; empty: it waits for none.
  std::string used_up(const smtpc::RateLimiter& limiter) const;
  // The part that is used, 0 to 1, of the rate that has the least left; nullopt: there is none, or it is not known yet.
  std::optional<double> used(const smtpc::RateLimiter& limiter) const;
  // Gives back what is set aside. To be called at the end, when no mail is under way.
  Task<void> stop();

 private:
  struct Pot;   // what is set aside of one rate, and what is known of it
  struct Deal;  // what one exchange with the account comes to

  void look(std::uint64_t mark, const std::string& smarthost,
            const std::shared_ptr<smtpc::RateLimiter>& limiter);
  Pot& pot(std::uint64_t mark, const std::string& smarthost,
           const std::shared_ptr<smtpc::RateLimiter>& limiter, const mail::Rate& rate);
  Task<void> keep(Pot& pot);
  Task<void> exchange(Pot& pot, bool wants);
  Deal deal(const Pot& pot, const smtpc::Allotment& mine, const mail::Account& account, bool wants) const;
  void settle(Pot& pot, const Deal& deal, Instant begun);
  void be_away(Pot& pot, const mail::AccountsError& error);
  void tell(Pot& pot);
  bool misses(const Pot& pot) const;
  std::string in_words(const Pot& pot) const;

  io::Loop& loop_;
  mail::SharedAccounts& accounts_;
  log::MailLog& log_;
  std::function<void()> on_more_;
  std::vector<std::unique_ptr<Pot>> pots_;
  io::Cancel stopping_;
  io::Nursery nursery_;
};

}  // namespace hikyaku::relay
