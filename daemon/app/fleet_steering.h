// SPDX-License-Identifier: MIT
// What is decided about mail of a shared spool that is not this node's. Mail that nobody has becomes this node's, and is
// steered here; the owner of other mail is asked. The numbers of users mean something on the machine that accepted the
// mail, and only there: about the mail that another node has now, only operators decide. The loop's thread.
#pragma once

#include <string>
#include <vector>

#include "daemon/control/daemon_control.h"
#include "daemon/mail/fleet.h"
#include "daemon/relay/relay.h"

namespace hikyaku::app {

class FleetSteering {
 public:
  // All outlive the object. From now on this node obeys what others ask of it.
  FleetSteering(mail::Fleet& fleet, relay::Relay& relay, mail::MailSource& source, log::MailLog& log,
                std::string node);

  // For answers that are `unknown` so far, since this node has no such mail. What has become of each mail instead.
  Task<void> settle(std::vector<mail::Decided>& answers, control::SteeringOrder order);
  // Retries of mail that this node does not have. `unknown` of the report is what nobody has, or the caller may not see.
  Task<void> settle(control::RetryReport& report, control::Rights rights, std::string by);
  // The same of any number of mails that exist: nobody waits for their owners.
  Task<void> retry_known(std::vector<mail::MailId> ids, control::Rights rights, std::string by);
  // All mail of the others, and all that is nobody's; how many of these.
  Task<std::size_t> retry_all(std::string by);

 private:
  // What is to be done about mails that are not this node's, by whose they are.
  struct Plan {
    std::vector<mail::MailId> ours;    // by now
    std::vector<mail::MailId> free;    // nobody's
    std::vector<mail::MailId> others;  // a living node's
    std::vector<mail::Decided> not_possible;
    std::vector<mail::Fleet::Found> found;
  };
  Task<Plan> plan(std::vector<mail::MailId> ids, control::Rights rights, bool is_change);
  Task<void> take(Plan& plan);
  Task<std::vector<mail::Decided>> ask(const Plan& plan, mail::Decision decision, std::string by);
  Task<std::vector<mail::Decided>> obey(std::vector<mail::MailId> ids, mail::Decision decision,
                                        std::string by);
  Task<std::vector<mail::Decided>> retry_own(std::vector<mail::MailId> ids, bool probes);

  mail::Fleet& fleet_;
  relay::Relay& relay_;
  mail::MailSource& source_;
  log::MailLog& log_;
  std::string node_;
};

}  // namespace hikyaku::app
