// SPDX-License-Identifier: MIT
// What a DNS server sends: never crashes, keeps its bounds, and takes no records of another name. The first
// byte chooses the type.
#include <span>

#include "daemon/dns/answer.h"
#include "tests/fuzz/fuzz.h"

using namespace hikyaku;
using namespace hikyaku::dns;

namespace {

constexpr std::size_t kMostName = 255;

void check_answer(const Answer& answer, RecordType type) {
  check(answer.addresses.size() <= kMostRecords && answer.exchanges.size() <= kMostRecords &&
            answer.services.size() <= kMostRecords && answer.texts.size() <= kMostRecords,
        "too many records");
  check(answer.ttl >= 0s && answer.ttl <= std::chrono::seconds(INT32_MAX), "an impossible TTL");
  const bool has_records = !answer.addresses.empty() || !answer.exchanges.empty() ||
                           !answer.services.empty() || !answer.texts.empty();
  check(has_records == (answer.status == Status::found), "records and status do not agree");
  check(answer.trouble.empty() == (answer.status != Status::failed), "a failure says why");
  for (const IpAddress& address : answer.addresses)
    check(address.is_v6() ? type == RecordType::aaaa : type == RecordType::a || type == RecordType::aaaa,
          "an address of another type");
  for (const MxRecord& record : answer.exchanges)
    check(type == RecordType::mx && record.exchange.size() <= kMostName, "an exchange of any length");
  for (const SrvRecord& record : answer.services)
    check(type == RecordType::srv && record.target.size() <= kMostName, "a target of any length");
  check(answer.texts.empty() || type == RecordType::txt, "a text of another type");
  check(answer.alias.size() <= kMostName, "an alias of any length");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr RecordType kTypes[] = {RecordType::mx, RecordType::a, RecordType::aaaa, RecordType::srv,
                                          RecordType::txt};
  if (size == 0) return 0;
  const RecordType type = kTypes[data[0] % 5];
  check_answer(parse_answer(std::span(data + 1, size - 1), "shop.example", type), type);
  return 0;
}
