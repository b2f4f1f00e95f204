// SPDX-License-Identifier: MIT
// Finds a domain's mail servers in the DNS: MX and their addresses, the domain's own address where there is
// no MX, null MX (RFC 7505). Bounded in time, in servers and in look-ups, whatever the DNS answers. What the
// DNS does not know for certain is never permanent (absence.h). The loop's thread.
#pragma once

#include <string>

#include "daemon/base/random.h"
#include "daemon/dns/absence.h"
#include "daemon/dns/destination.h"
#include "daemon/dns/streak.h"
#include "daemon/io/loop.h"

namespace hikyaku::dns {

class MxResolver final : public DestinationResolver {
 public:
  static constexpr Duration kLimit = 30s;  // for all look-ups of one domain
  static constexpr std::size_t kManyDomains = 3;

  // `records` follows aliases (RecordCache). Both references outlive the resolver.
  MxResolver(io::Loop& loop, RecordSource& records, Ourselves ourselves, Jitter jitter = random_fraction);

  Task<DestinationAnswer> resolve(std::string domain, std::uint16_t port, io::Until until) override;

  bool finds_nothing() const override { return failures_.is_long(); }

  void set_hostname(std::string hostname) { ourselves_.hostname = std::move(hostname); }
  // Another resolver is asked from now on: what the one before said, or did not say, proves nothing.
  void forget_evidence() {
    evidence_.forget();
    failures_.succeeded();
  }

 private:
  struct Search;
  struct Addresses;

  Task<DestinationAnswer> find(std::string domain, std::uint16_t port, io::Until until);
  Task<DestinationAnswer> look_up(std::string domain, std::uint16_t port, io::Until until);
  Task<DestinationAnswer> use_host(std::string host, std::uint16_t port, io::Until until);
  Task<void> find_addresses(Search& search, io::Until until);
  Task<void> ask(std::string name, RecordType type, io::Until until, Answer& into);
  static void take(const Addresses& found, MailHost& host, Search& search);
  DestinationAnswer result_of(Search search, std::uint16_t port);
  DestinationError absent(const std::string& domain, mail::FailureKind kind, bool is_kept);
  void note(const std::string& name, const Answer& answer);

  io::Loop& loop_;
  RecordSource& records_;
  Ourselves ourselves_;
  Jitter jitter_;
  AbsenceEvidence evidence_;
  Streak failures_{kManyDomains};
};

}  // namespace hikyaku::dns
