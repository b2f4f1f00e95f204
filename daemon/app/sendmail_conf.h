// SPDX-License-Identifier: MIT
// What sendmail(1) must know of the configuration, in a form that it can read without a YAML library: a small
// file in the spool directory, written at the start and at each reload. "hikyaku-sendmail 1", then a line
// "key value" each; readers skip keys that they do not know. Nothing secret stands in it.
#pragma once

#include <optional>
#include <string>

#include "daemon/base/ip.h"
#include "daemon/config/settings.h"

namespace hikyaku::app {

std::string sendmail_conf_path(const config::Settings& settings);
// `listening` is one of the addresses where we listen; with an address for any, one of loopback is named.
std::string sendmail_conf(const config::Settings& settings, const std::optional<Endpoint>& listening);

}  // namespace hikyaku::app
