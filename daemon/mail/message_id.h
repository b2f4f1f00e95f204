// SPDX-License-Identifier: MIT
// Message-IDs for messages that come without one (RFC 5322 3.6.4). Pure: time and randomness are passed in.
#pragma once

#include <string>
#include <string_view>

#include "daemon/base/clock.h"

namespace hikyaku::mail {

// "<20261122031404.k3j4h5@example.com>". `random` is letters and digits (base/random.h). A domain that is
// empty, "localhost", below it or below "localdomain", or no domain at all gives way to `fallback`, and that,
// by the same rule, to "hikyaku.invalid": an id that ends in @localhost is unique to nobody and costs points
// with spam filters.
std::string make_message_id(WallTime now, std::string_view random, std::string_view domain,
                            std::string_view fallback);

}  // namespace hikyaku::mail
