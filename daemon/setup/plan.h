// SPDX-License-Identifier: MIT
// What setup is going to write, from what was there and what was answered: the text of hikyaku.yaml and the
// entry of authinfo. Pure.
#pragma once

#include <optional>
#include <string>

#include "daemon/base/error.h"
#include "daemon/config/authinfo.h"
#include "daemon/config/settings.h"
#include "daemon/setup/target.h"

namespace hikyaku::setup {

// The configuration that is there.
struct Existing {
  std::string file;  // its path
  bool exists = false;
  std::string text{};
  config::Settings settings;  // what could be understood of it, or defaults
  // Its smarthost, unless that is the example which the package brings.
  const mail::Smarthost* smarthost() const;
};
// Why setup must leave this configuration alone, and what to do; empty: it may change it.
std::string explain_refusal(const Existing& existing);

struct Answers {
  Target target;
  std::string user{};       // empty: no log-in
  std::string from{};       // empty: addresses stay
  std::string root_mail{};  // empty: as the aliases say, or nowhere
  Secret password{};
  std::string client_id{};  // for OAuth2 instead of a password; empty: none
};

// The address that all mail already leaves with; empty: none.
std::string from_of(const mail::Smarthost& smarthost);
// The client id of its `oauth`; empty: none.
std::string client_id_of(const mail::Smarthost& smarthost);

// The new text of the configuration, which has been read and found right. The error says what is wrong with
// it.
Result<std::string, std::string> configuration_for(const Existing& existing, const Answers& answers);
config::AuthinfoEntry entry_for(const Answers& answers);

}  // namespace hikyaku::setup
