// SPDX-License-Identifier: MIT
// What `hikyaku sink` is told to refuse, as people write it on a command line:
//   rcpt=550 5.1.1 no such user               every recipient
//   rcpt:you@example.com=450 4.2.1 busy       one of them
//   mail=…, data=…, message=552 5.2.2 full    likewise; message is the reply after the content
// Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "smtpd/options.h"

namespace hikyaku::tryout {

struct SinkRefusal {
  smtpd::Stage stage = smtpd::Stage::rcpt;
  std::string address;  // empty: any
  smtpd::Reply reply;
};

// Nothing if it is not written so.
std::optional<SinkRefusal> parse_refusal(std::string_view text);
// As SessionOptions::refuse wants it; the first that applies.
std::function<std::optional<smtpd::Reply>(smtpd::Stage, std::string_view)> make_refuse(
    std::vector<SinkRefusal> refusals);

}  // namespace hikyaku::tryout
