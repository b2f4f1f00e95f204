// SPDX-License-Identifier: MIT
// The oldest TLS version that a connection may use: in the configuration, and where TLS is spoken.
#pragma once

#include <cstdint>

namespace hikyaku {

enum class TlsVersion : std::uint8_t { tls1_0, tls1_1, tls1_2, tls1_3 };

}  // namespace hikyaku
