// SPDX-License-Identifier: MIT
// `hikyaku probe`, which `hikyaku setup` uses as well: finds out by itself which host, port and TLS mode a smarthost
// wants, and what it offers there; on request tries one log-in, at what it recommends and nowhere else, so that a
// password crosses the network only under TLS with a certificate that holds. Sends no mail. What cannot be found out
// is part of the result, never an error. The loop's thread.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/checkup/probe_choice.h"
#include "daemon/checkup/probe_port.h"
#include "daemon/checkup/probe_target.h"
#include "daemon/dns/answer.h"
#include "daemon/io/loop.h"
#include "daemon/mail/failure.h"

namespace hikyaku::checkup {

// All references outlive the probe.
struct ProbeContext {
  ProbeDialling dialling;
  dns::RecordSource& records;       // follows aliases
  std::set<std::string> installed;  // mechanisms: smtpc::available_mechanisms()
};

struct LoginFinding {
  std::string user;
  std::string mechanism;                 // that logged in, or the one that was tried
  std::optional<mail::Failure> trouble;  // nullopt: logged in
};

struct ProbeResult {
  ProbeTarget target;
  std::optional<DomainRecords> records;  // nullopt: it cannot be a mail domain
  std::vector<HostFinding> hosts;        // in the order in which they were thought of
  Choice choice;
  std::optional<LoginFinding> login;  // nullopt: none was asked for, or there was nowhere to log in

  // Something can be used, and the log-in, where there was one, has succeeded.
  bool is_good() const { return choice.recommended && !(login && login->trouble); }
  // Whose account it would be, as far as that is known; or empty.
  const std::string& user() const { return login ? login->user : target.user; }
};

// `credentials` are for one log-in; without them there is none.
Task<ProbeResult> probe(ProbeContext context, ProbeTarget target,
                        std::optional<mail::Credentials> credentials = {});

// The same over the real network, as this machine's daemon would see it: by the same name service and DNS server,
// and under the same name in EHLO. Needs no daemon and no configuration that is valid.

// How this machine looks at the network.
struct Standpoint {
  std::string hostname;         // in EHLO
  std::optional<Endpoint> dns;  // asked for records instead of the servers in resolv.conf
};
// Of a configuration, as far as it can be read; of the machine where it says nothing, or is not there. Blocks, for
// at most some seconds.
Standpoint standpoint_of(const std::string& config_file);

// The loop's thread. `credentials` are for one log-in, as in probe().
Task<ProbeResult> probe_from_here(io::Loop& loop, Standpoint here, ProbeTarget target,
                                  std::optional<mail::Credentials> credentials = {});

}  // namespace hikyaku::checkup
