// SPDX-License-Identifier: MIT
// Where mail for a domain goes: its mail servers in the order in which to try them (RFC 5321 5.1). The order
// and the search for ourselves are pure; mx_resolver.h asks the DNS for what they need.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "daemon/base/random.h"
#include "daemon/dns/answer.h"
#include "daemon/mail/failure.h"

namespace hikyaku::dns {

inline constexpr std::size_t kMostHosts = 10;
inline constexpr std::size_t kMostAddresses = 4;  // of a host

struct MailHost {
  std::string name;  // or an address as text
  std::uint16_t preference = 0;
  std::vector<IpAddress> addresses = {};  // at most kMostAddresses
  bool operator==(const MailHost&) const = default;
};

struct Destination {
  std::string domain;           // as A-labels
  std::vector<MailHost> hosts;  // at least one, each with an address
};

struct DestinationError {
  mail::FailureKind kind = mail::FailureKind::lookup_failed;
  // Mail for this domain fails. If false it is to be tried again: the DNS may say something else.
  bool is_permanent = false;
  std::string detail;  // plain words
};
using DestinationAnswer = Result<Destination, DestinationError>;

// An interface, because tests inject it.
class DestinationResolver {
 public:
  virtual ~DestinationResolver() = default;
  // `domain` as it stands in an address, or as a host's name. A name or an address in brackets, and an
  // address without them, is not looked up as MX but used as it is. `port` is the one to be dialled there: it
  // tells whether a server is ourselves.
  virtual Task<DestinationAnswer> resolve(std::string domain, std::uint16_t port, io::Until until) = 0;
  // Whether look-ups of several domains have failed since the DNS last answered: it is the DNS that is out of
  // reach, not those domains.
  virtual bool finds_nothing() const { return false; }
};

// By preference, equal ones shuffled; each name once; at most kMostHosts. Names that are none are left out.
std::vector<MailHost> in_order(std::vector<MxRecord> records, const Jitter& jitter);

// IPv6 and IPv4 in turn, so that a machine without one of them has addresses left; at most kMostAddresses.
std::vector<IpAddress> in_turn(const std::vector<IpAddress>& v6, const std::vector<IpAddress>& v4);

// Who we are: what must not be among a domain's servers, because mail would come back.
struct Ourselves {
  std::string hostname;                                // in EHLO
  std::function<bool(const Endpoint&)> has = nullptr;  // whether we listen there; may be empty
};

// Removes the host that is ourselves and all of equal or worse preference, which would only bring the mail to
// us (RFC 5321 5.1). `hosts` are in order.
void cut_off_at_ourselves(std::vector<MailHost>& hosts, std::uint16_t port, const Ourselves& ourselves);

}  // namespace hikyaku::dns
