// SPDX-License-Identifier: MIT
// This machine's name for EHLO and Received, where the configuration gives none. No look-ups.
#pragma once

#include <string>
#include <string_view>

namespace hikyaku::config {

// The fullest name that the kernel and /etc/hostname know; "[127.0.0.1]" where there is no usable one,
// because servers refuse "localhost" but accept an address literal (RFC 5321 4.1.3). Blocks on one small
// file.
std::string default_hostname();

// The choice alone: `kernel` from uname(2), `file` the text of /etc/hostname.
std::string choose_hostname(std::string_view kernel, std::string_view file);

}  // namespace hikyaku::config
