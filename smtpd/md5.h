// SPDX-License-Identifier: MIT
// MD5 (RFC 1321) and HMAC-MD5 (RFC 2104) for CRAM-MD5, which protocol and old clients still ask for. For
// nothing else: MD5 protects nothing.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace hikyaku::smtpd {

using Md5Digest = std::array<std::uint8_t, 16>;

Md5Digest md5(std::string_view text);
Md5Digest hmac_md5(std::string_view key, std::string_view text);
std::string to_hex(const Md5Digest& digest);

}  // namespace hikyaku::smtpd
