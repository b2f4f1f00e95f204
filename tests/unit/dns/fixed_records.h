// SPDX-License-Identifier: MIT
// A DNS in memory: the records of some names, `otherwise` for all others.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "daemon/dns/answer.h"

namespace hikyaku::test {

class FixedRecords final : public dns::RecordSource {
 public:
  void set(const std::string& name, dns::RecordType type, dns::Answer answer) {
    records_[{name, type}] = std::move(answer);
  }
  void mx(const std::string& name, std::vector<dns::MxRecord> exchanges) {
    set(name, dns::RecordType::mx, {.status = dns::Status::found, .exchanges = std::move(exchanges)});
  }
  // Of one family.
  void addresses(const std::string& name, const std::vector<const char*>& texts) {
    dns::Answer answer{.status = dns::Status::found};
    for (const char* text : texts) answer.addresses.push_back(*IpAddress::parse(text));
    const bool v6 = answer.addresses[0].is_v6();
    set(name, v6 ? dns::RecordType::aaaa : dns::RecordType::a, std::move(answer));
  }
  void forget(const std::string& name) {
    std::erase_if(records_, [&](const auto& entry) { return entry.first.first == name; });
  }

  Task<dns::Answer> look_up(std::string name, dns::RecordType type, io::Until) override {
    ++asked;
    auto known = records_.find({name, type});
    co_return known == records_.end() ? otherwise : known->second;
  }

  std::size_t asked = 0;
  dns::Answer otherwise{.status = dns::Status::no_data};

 private:
  std::map<std::pair<std::string, dns::RecordType>, dns::Answer> records_;
};

}  // namespace hikyaku::test
