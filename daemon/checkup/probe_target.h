// SPDX-License-Identifier: MIT
// What `hikyaku probe` was asked about, and the hosts and ports where a smarthost for it may be: as it was given,
// by the SRV records of RFC 6186 and RFC 8314, by the providers that are known, by guessing. Records of the DNS are not
// authenticated, so each place remembers where its name comes from. Bounded, whatever the DNS says. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/error.h"
#include "daemon/dns/answer.h"

namespace hikyaku::checkup {

struct ProbeTarget {
  std::string host;  // a name or an address; empty: a mail address was given
  std::string
      domain;  // may have mail addresses; empty: no, for there is a port, or it is an address or a short name
  std::string user;  // the mail address; empty: a host or a domain was given
  std::optional<std::uint16_t> port;
  bool operator==(const ProbeTarget&) const = default;
};

// HOST, HOST:PORT, DOMAIN or ADDRESS. The error says what is wrong, and repeats the text escaped.
Result<ProbeTarget, std::string> parse_probe_target(std::string_view text);

// What the DNS says about a mail domain.
struct DomainRecords {
  dns::Answer submissions;  // SRV: TLS from the first byte
  dns::Answer submission;   // SRV: STARTTLS
  dns::Answer mx;
};
std::string submissions_name(std::string_view domain);
std::string submission_name(std::string_view domain);

// Whether there is no record of any kind: probably no mail domain.
bool is_without_records(const DomainRecords& records);
// Whether the domain says itself that it has no server for sending: each SRV record's target is the root.
bool offers_no_submission(const DomainRecords& records);

enum class Origin : std::uint8_t {
  given,           // by whoever asks
  srv,             // a SRV record of the domain
  provider,        // the domain is a known provider's
  provider_by_mx,  // a MX record of the domain is a known provider's
  guess,           // smtp.DOMAIN and the like
};
std::string_view to_text(Origin origin);

struct Place {
  std::string host;
  std::vector<std::uint16_t> ports;
  Origin origin = Origin::given;
  std::string preset =
      {};  // config/presets.h, of the provider whose host it is; empty: nobody's that is known
  bool operator==(const Place&) const = default;
};

inline constexpr std::uint16_t kUsualPorts[] = {465, 587, 25};
inline constexpr std::size_t kMostPlaces = 6;  // named by SRV records
inline constexpr std::size_t kMostPorts = 6;   // of each

// The places in groups: the next group is for when nothing usable is in those before. `records` is nullopt where
// the target has no domain.
std::vector<std::vector<Place>> places_for(const ProbeTarget& target,
                                           const std::optional<DomainRecords>& records);

// Whether `host` is the domain or below it.
bool is_within(std::string_view host, std::string_view domain);

}  // namespace hikyaku::checkup
