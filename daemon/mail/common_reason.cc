// SPDX-License-Identifier: MIT
#include "daemon/mail/common_reason.h"

#include "daemon/base/checksum.h"
#include "daemon/base/text.h"

namespace hikyaku::mail {
namespace {

constexpr std::string_view kAnyAddress = "<...>";
constexpr std::uint64_t kCodeSeed = 0x7265'6173'6f6e;  // never changes: codes stand on the disk

// "<" up to its ">" with neither blank nor another "<" between; "<>" names nobody and stays.
std::string_view address_at(std::string_view text, std::size_t begin) {
  const std::size_t end = text.find_first_of("<> \t", begin + 1);
  const bool is_address = end != text.npos && text[end] == '>' && end > begin + 1;
  return is_address ? text.substr(begin, end + 1 - begin) : std::string_view();
}

}  // namespace

std::string common_reason(std::string_view reason) {
  std::string common;
  std::size_t begin = 0;  // of what is not in `common` yet
  for (std::size_t at = reason.find('<'); at != reason.npos; at = reason.find('<', at + 1)) {
    const std::string_view address = address_at(reason, at);
    if (address.empty()) continue;
    common.append(reason, begin, at - begin) += kAnyAddress;
    begin = at + address.size();
  }
  return common.append(reason, begin);
}

std::uint32_t reason_code(std::string_view reason, std::string_view smarthost) {
  if (reason.empty() && smarthost.empty()) return 0;
  const std::uint64_t sum = checksum(common_reason(reason), checksum(smarthost, kCodeSeed));
  const auto code = static_cast<std::uint32_t>(sum ^ (sum >> 32U));
  return code == 0 ? 1 : code;
}

CommonReasonPtr make_common_reason(std::string_view reason, std::string_view smarthost) {
  return std::make_shared<const CommonReason>(CommonReason{common_reason(reason), std::string(smarthost)});
}

}  // namespace hikyaku::mail
