// SPDX-License-Identifier: MIT
// The credentials file as the operator's commands change it: judged as the daemon will judge it, changed under a
// lock, and written so that nobody but root and the daemon can read it at any time. Blocks. Errors hold no
// secret.
#pragma once

#include <optional>
#include <string>

#include "daemon/base/exit.h"
#include "daemon/config/authinfo_edit.h"
#include "daemon/system/accounts.h"

namespace hikyaku::setup {

// The account that the daemon has or will have, to which a file of secrets is given; nullopt: ours.
std::optional<system::Account> daemon_account(const std::string& user);

// Which entries are meant; what is not said is any.
struct AuthinfoSelection {
  std::string host;  // as entries have it; empty: the default for any host
  std::optional<std::uint16_t> port = std::nullopt;
  std::optional<std::string> user = std::nullopt;

  bool fits(const config::AuthinfoEntry& entry) const;
};

class AuthinfoStore {
 public:
  // Of the daemon that uses this configuration file, which may have problems, and which may be missing if it is
  // the default one. Errors: configuration.
  static Result<AuthinfoStore, StartError> of(const std::string& config_file);
  AuthinfoStore(std::string path, std::optional<system::Account> daemon)
      : path_(std::move(path)), daemon_(std::move(daemon)) {}

  const std::string& path() const { return path_; }
  // A missing file has no entries.
  Result<config::Authinfo, StartError> list() const;
  Result<config::AuthinfoChange, StartError> put(const config::AuthinfoEntry& entry) const;
  // Returns what has been removed: one entry, and others for the same host, port and user, which it hid. Errors:
  // no_input (none fits), usage (several do; the text lists them).
  Result<config::AuthinfoEntry, StartError> remove(const AuthinfoSelection& selection) const;

 private:
  Result<config::AuthinfoFile, StartError> read(const std::string& file) const;

  std::string path_;
  std::optional<system::Account> daemon_;
};

// "smtp.example.com port 587, user me@example.com"; for people.
std::string to_text(const config::AuthinfoEntry& entry);

}  // namespace hikyaku::setup
