// SPDX-License-Identifier: MIT
// What the DNS says about one name and one type of record, and how it is read out of a message (RFC 1035).
// Whatever a message holds, the result is bounded: in records, in names, in time. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/ip.h"
#include "daemon/base/task.h"
#include "daemon/io/wait.h"

namespace hikyaku::dns {

enum class RecordType : std::uint16_t { a = 1, mx = 15, txt = 16, aaaa = 28, srv = 33 };
std::string_view to_text(RecordType type);

struct MxRecord {
  std::uint16_t preference = 0;
  std::string exchange;  // lower case, without the last dot; empty: the root, "no mail" (RFC 7505)
  bool operator==(const MxRecord&) const = default;
};

// Where a service of a domain is (RFC 2782). An answer has the greater weight first among equals, for we do not
// share a load.
struct SrvRecord {
  std::uint16_t priority = 0;  // the lowest first
  std::uint16_t weight = 0;    // among equals
  std::uint16_t port = 0;
  std::string target;  // lower case, without the last dot; empty: the root, "not offered"
  bool operator==(const SrvRecord&) const = default;
};

enum class Status : std::uint8_t {
  found,
  no_data,       // the name exists, without records of this type
  no_such_name,  // NXDOMAIN
  alias,         // it is another name (CNAME), about which this answer says no more
  failed,        // nothing is known: SERVFAIL, time-out, nonsense
};

// At most kMostRecords of each list are kept; of MX and SRV records those of the best preference.
struct Answer {
  Status status = Status::failed;
  std::vector<IpAddress> addresses = {};  // of A and AAAA
  std::vector<MxRecord> exchanges = {};
  std::vector<SrvRecord> services = {};
  std::vector<std::string> texts = {};  // of TXT, each with its strings joined; any bytes
  std::string alias = {};               // the other name
  std::string trouble = {};             // of `failed`: plain words
  Duration ttl{0};                      // how long it may be kept; 0: not at all
  bool is_kept = false;                 // comes from a cache
};

inline constexpr std::size_t kMostRecords = 20;
inline constexpr std::size_t kMostAliases = 8;  // one after the other

Answer failed(std::string trouble);

// `name` is the one that was asked for. Records of other names do not count; an answer that has no others is
// a failure.
Answer parse_answer(std::span<const unsigned char> message, std::string_view name, RecordType type);

// Whom to ask. An interface, because tests inject it.
class RecordSource {
 public:
  virtual ~RecordSource() = default;
  // `name` is a domain name in ASCII. What does not come in time, or is cancelled, is `failed`.
  virtual Task<Answer> look_up(std::string name, RecordType type, io::Until until) = 0;
};

}  // namespace hikyaku::dns
