// SPDX-License-Identifier: MIT
// `hikyaku setup`: from nothing to a mail that has arrived, by questions with answers proposed. What cannot
// work is said before anything is written, what will be written is shown, and then it is checked. Sees no
// terminal and no network: it speaks through `Talk` and acts through `Deeds`. Blocks.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "daemon/base/exit.h"
#include "daemon/setup/plan.h"
#include "daemon/setup/talk.h"
#include "daemon/setup/target.h"

namespace hikyaku::setup {

// What setup has done for it. `check` and `send_test` tell of their steps by themselves.
struct Deeds {
  std::string root_alias{};  // the addresses that root's mail goes to by the aliases file; empty: none
  // The password that is there for this host and user.
  std::function<std::optional<Secret>(const Answers&)> find_password;
  // Writes; returns lines for people.
  std::function<Result<std::vector<std::string>, StartError>(const std::string& text, const Answers&)>
      install;
  // Makes a daemon that runs read the new files: true. false: none runs.
  std::function<Result<bool, StartError>()> reload;
  // Has somebody consent that mail is sent as the user (OAuth2), and logs in: whether that works.
  std::function<bool()> consent;
  // Whether mail can be sent; also sends a test mail to `send_to` unless that is empty.
  std::function<bool(const std::string& send_to)> check;
  // Sends a mail through the daemon and follows it: whether the smarthost has accepted it.
  std::function<bool(const std::string& address)> send_test;
};

// Errors: usage (no answer), unavailable (the provider cannot be used, or nobody answers), configuration,
// those of `install`; attention: all is written, but mail cannot be sent yet, as has been said.
Result<void, StartError> set_up(Talk& talk, const Given& given, const Existing& existing, const Probe& probe,
                                const Deeds& deeds);

}  // namespace hikyaku::setup
