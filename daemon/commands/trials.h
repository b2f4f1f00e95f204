// SPDX-License-Identifier: MIT
// What commands try out over the network: a smarthost that nobody has configured yet, those that are
// configured, and a test mail through the running daemon. `hikyaku setup` does all of it. They block, and
// print what they see.
#pragma once

#include <cstdint>
#include <string>

#include "daemon/base/exit.h"
#include "daemon/config/load.h"
#include "daemon/config/settings.h"
#include "daemon/setup/target.h"
#include "daemon/system/loading.h"

namespace hikyaku::commands {

// What `hikyaku probe` finds, of the standpoint of this configuration. The error has what was found, and what
// to do instead.
Result<setup::FoundServer, std::string> probe_for_setup(const std::string& config_file,
                                                        const std::string& host);

struct CheckOptions {
  std::string config = config::kDefaultConfig;
  std::string name{};     // of a smarthost; empty: all
  std::string send_to{};  // an address; empty: no mail is sent
  bool json = false;
};
// `hikyaku check`. Returns ok only if mail can be sent through each of them; attention if not; usage,
// configuration. As root the process becomes the daemon's user, for good, and a name service that hangs ends
// it at the end: a caller that has more to do runs this in a child.
Exit run_check(const CheckOptions& options, const system::LoadCalls& calls = {});

// The same with what has been loaded: one smarthost, and no mail. What has been done to the process stays.
Exit run_login_check(const system::Loaded& loaded, const std::string& name);

// `hikyaku oauth login`: has somebody consent that mail is sent as the smarthost's `user`, by a code that is
// typed at another device, or by a browser, here or elsewhere; keeps what comes of it, and then really logs
// in.

enum class ConsentWay : std::uint8_t { usual, device, browser, paste };

struct OAuthLoginOptions {
  std::string config = config::kDefaultConfig;
  std::string name{};  // empty: the only smarthost with `oauth`
  ConsentWay way = ConsentWay::usual;
  std::uint16_t port = 0;  // of the browser's redirect; 0: any that is free
};

// Prints as it goes. As root the process becomes the daemon's user, for good. Returns ok only if the
// smarthost has accepted the log-in.
Exit run_oauth_login(const OAuthLoginOptions& options, const system::LoadCalls& calls = {});

// Sends a test mail over the daemon's socket, and prints what becomes of it. Whether the smarthost has
// accepted it within a minute.
bool send_test_mail(const config::Settings& settings, const std::string& recipient);

}  // namespace hikyaku::commands
