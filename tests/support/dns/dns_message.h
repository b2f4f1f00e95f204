// SPDX-License-Identifier: MIT
// DNS messages for tests, good ones and bad ones, byte by byte (RFC 1035 4.1).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hikyaku::test {

struct DnsQuestion {
  std::uint16_t id = 0;
  std::string name;  // lower case, without the last dot
  std::uint16_t type = 0;
  bool over_tcp = false;
};

// What is asked; an empty name: it is no question.
DnsQuestion parse_question(std::string_view message);

class DnsMessage {
 public:
  enum Type : std::uint16_t { kA = 1, kCname = 5, kSoa = 6, kMx = 15, kTxt = 16, kAaaa = 28, kSrv = 33 };

  // An answer to the question.
  explicit DnsMessage(const DnsQuestion& question, int code = 0);

  DnsMessage& a(std::string_view name, std::string_view address, std::uint32_t ttl = 300);  // or AAAA
  DnsMessage& mx(std::string_view name, std::uint16_t preference, std::string_view exchange,
                 std::uint32_t ttl = 300);
  DnsMessage& srv(std::string_view name, std::uint16_t priority, std::uint16_t weight, std::uint16_t port,
                  std::string_view target, std::uint32_t ttl = 300);
  DnsMessage& txt(std::string_view name, const std::vector<std::string>& strings, std::uint32_t ttl = 300);
  DnsMessage& cname(std::string_view name, std::string_view target, std::uint32_t ttl = 300);
  DnsMessage& soa(std::string_view zone, std::uint32_t ttl);  // in the authority section
  DnsMessage& record(std::string_view name, std::uint16_t type, std::uint32_t ttl, std::string_view data);
  // The name as it stands in the message: labels, or a pointer.
  DnsMessage& raw_record(std::string_view name_bytes, std::uint16_t type, std::uint32_t ttl,
                         std::string_view data);
  DnsMessage& truncated();
  DnsMessage& with_id(std::uint16_t id);

  std::string bytes() const;
  static std::string labels(std::string_view name);

 private:
  std::uint16_t id_;
  std::uint16_t flags_;
  std::string question_;
  std::uint16_t answers_ = 0;
  std::uint16_t authorities_ = 0;
  std::string records_;
  std::string authority_;
};

}  // namespace hikyaku::test
