// SPDX-License-Identifier: MIT
// This machine's name for EHLO and Received, where the configuration gives none. No look-ups.
#pragma once

#include <string>
#include <string_view>

namespace hikyaku::config {

// The fullest name that the kernel, /etc/hostname and /etc/hosts know; "[127.0.0.1]" where there is no usable
// one, because servers refuse "localhost" but accept an address literal (RFC 5321 4.1.3). Blocks on two small
// files.
std::string default_hostname();

// The choice alone: `kernel` from uname(2), the texts of the two files.
std::string choose_hostname(std::string_view kernel, std::string_view hostname_file,
                            std::string_view hosts_file);

}  // namespace hikyaku::config
