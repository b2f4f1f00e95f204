// SPDX-License-Identifier: MIT
// What mails have in common that wait for the same reason. Reasons name addresses: a smarthost that is slow with
// a thousand mailboxes makes a thousand texts, but one common reason. Lists group by it, and the spool keeps a
// number for it beside each mail, so that a million mails are grouped without reading one of them. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace hikyaku::mail {

// `reason` with "<...>" for each address in it.
std::string common_reason(std::string_view reason);

// A number for the common reason and the smarthost that was tried last; 0 where there is neither. Stands on the
// disk: a spool keeps the number with which it was written. Different reasons have different numbers but for one
// pair in four thousand millions.
std::uint32_t reason_code(std::string_view reason, std::string_view smarthost);

// What a code stands for.
struct CommonReason {
  std::string text;  // as common_reason() has it
  std::string smarthost;
};
using CommonReasonPtr = std::shared_ptr<const CommonReason>;
CommonReasonPtr make_common_reason(std::string_view reason, std::string_view smarthost);

}  // namespace hikyaku::mail
