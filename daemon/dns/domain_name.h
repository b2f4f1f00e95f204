// SPDX-License-Identifier: MIT
// Domain names as the DNS has them. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/ip.h"

namespace hikyaku::dns {

// Lower case, without the last dot, letters beyond ASCII as A-labels (RFC 5890, by libidn2: "bücher.example"
// becomes "xn--bcher-kva.example"); nullopt: it is no host name. The underscore is allowed, since some use
// it.
std::optional<std::string> to_a_labels(std::string_view domain);

// Whether `name` could be a host's: such a name is asked for, others are not.
bool is_host_name(std::string_view name);

// What stands between the brackets of an address's domain, "[192.0.2.1]" or "[IPv6:2001:db8::1]"
// (RFC 5321 4.1.3); nullopt: it is neither.
std::optional<IpAddress> parse_address_literal(std::string_view domain);

}  // namespace hikyaku::dns
