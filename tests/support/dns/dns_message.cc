// SPDX-License-Identifier: MIT
#include "tests/support/dns/dns_message.h"

#include "daemon/base/error.h"
#include "daemon/base/ip.h"
#include "daemon/base/text.h"

namespace hikyaku::test {
namespace {

constexpr std::size_t kHeader = 12;
constexpr std::uint16_t kAnswer = 0x8180;  // QR, RD, RA
constexpr std::uint16_t kTruncated = 0x0200;

std::string number16(std::uint16_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
}

std::string number32(std::uint32_t value) {
  return number16(static_cast<std::uint16_t>(value >> 16)) +
         number16(static_cast<std::uint16_t>(value & 0xffff));
}

std::uint16_t read16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) << 8 |
                                    static_cast<unsigned char>(bytes[at + 1]));
}

}  // namespace

DnsQuestion parse_question(std::string_view message) {
  DnsQuestion question;
  if (message.size() < kHeader) return question;
  question.id = read16(message, 0);
  std::size_t at = kHeader;
  while (at < message.size() && message[at] != 0) {
    const auto length = static_cast<unsigned char>(message[at]);
    if (length > 63 || at + length + 1 > message.size()) return question;
    question.name += cat(question.name.empty() ? "" : ".", to_lower(message.substr(at + 1, length)));
    at += length + 1U;
  }
  if (at + 5 <= message.size()) question.type = read16(message, at + 1);
  return question;
}

DnsMessage::DnsMessage(const DnsQuestion& question, int code)
    : id_(question.id),
      flags_(static_cast<std::uint16_t>(kAnswer | code)),
      question_(labels(question.name) + number16(question.type) + number16(1)) {}

DnsMessage& DnsMessage::a(std::string_view name, std::string_view text, std::uint32_t ttl) {
  const auto address = IpAddress::parse(text);
  check(address.has_value(), "a test's address is none");
  const std::string_view bytes(reinterpret_cast<const char*>(address->bytes().data()),
                               address->is_v6() ? 16 : 4);
  return record(name, address->is_v6() ? kAaaa : kA, ttl, bytes);
}

DnsMessage& DnsMessage::mx(std::string_view name, std::uint16_t preference, std::string_view exchange,
                           std::uint32_t ttl) {
  return record(name, kMx, ttl, number16(preference) + labels(exchange));
}

DnsMessage& DnsMessage::srv(std::string_view name, std::uint16_t priority, std::uint16_t weight,
                            std::uint16_t port, std::string_view target, std::uint32_t ttl) {
  return record(name, kSrv, ttl, number16(priority) + number16(weight) + number16(port) + labels(target));
}

DnsMessage& DnsMessage::txt(std::string_view name, const std::vector<std::string>& strings,
                            std::uint32_t ttl) {
  std::string data;
  for (const std::string& each : strings) data += static_cast<char>(each.size()) + each;
  return record(name, kTxt, ttl, data);
}

DnsMessage& DnsMessage::cname(std::string_view name, std::string_view target, std::uint32_t ttl) {
  return record(name, kCname, ttl, labels(target));
}

DnsMessage& DnsMessage::soa(std::string_view zone, std::uint32_t ttl) {
  const std::string numbers = number32(1) + number32(2) + number32(3) + number32(4) + number32(ttl);
  const std::string data = labels("ns.example") + labels("root.example") + numbers;
  ++authorities_;
  authority_ += labels(zone) + number16(kSoa) + number16(1) + number32(ttl) +
                number16(static_cast<std::uint16_t>(data.size())) + data;
  return *this;
}

DnsMessage& DnsMessage::record(std::string_view name, std::uint16_t type, std::uint32_t ttl,
                               std::string_view data) {
  return raw_record(labels(name), type, ttl, data);
}

DnsMessage& DnsMessage::raw_record(std::string_view name_bytes, std::uint16_t type, std::uint32_t ttl,
                                   std::string_view data) {
  ++answers_;
  records_ += std::string(name_bytes) + number16(type) + number16(1) + number32(ttl) +
              number16(static_cast<std::uint16_t>(data.size())) + std::string(data);
  return *this;
}

DnsMessage& DnsMessage::truncated() {
  flags_ |= kTruncated;
  return *this;
}

DnsMessage& DnsMessage::with_id(std::uint16_t id) {
  id_ = id;
  return *this;
}

std::string DnsMessage::bytes() const {
  return number16(id_) + number16(flags_) + number16(1) + number16(answers_) + number16(authorities_) +
         number16(0) + question_ + records_ + authority_;
}

std::string DnsMessage::labels(std::string_view name) {
  std::string bytes;
  for (std::string_view label : name.empty() ? std::vector<std::string_view>{} : split(name, '.')) {
    bytes += static_cast<char>(label.size());
    bytes += label;
  }
  return bytes + '\0';
}

}  // namespace hikyaku::test
