// SPDX-License-Identifier: MIT
// The credentials file in the four notations in use: sendmail's AuthInfo:, netrc, Postfix's sasl_passwd and
// clsmtpc's. A problem has the line's number and what is wrong, and never shows any part of the line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/error.h"
#include "daemon/base/ip.h"
#include "daemon/config/problem.h"
#include "daemon/config/secret_file.h"
#include "daemon/config/settings.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::config {

enum class AuthinfoNotation : std::uint8_t { sendmail, netrc, postfix, clsmtpc };

struct AuthinfoEntry {
  std::string host;  // lower case, without brackets; empty: the default for any host
  std::optional<std::uint16_t> port;
  mail::Credentials credentials;
  AuthinfoNotation notation = AuthinfoNotation::netrc;
  unsigned line = 0;  // from 1; 0: not from a file
};
using Authinfo = std::vector<AuthinfoEntry>;  // in the file's order

// Pure. `file` is for problems and Credentials::origin only.
Result<Authinfo, Problems> parse_authinfo(std::string_view text, const std::string& file);

// The file to read: if the configuration names none, the service manager's credential of that name
// (LoadCredential=authinfo:PATH) where there is one. Blocks.
AuthinfoSettings choose_authinfo(AuthinfoSettings settings, const AuthinfoReader& reader);
// The reader with what the settings allow.
AuthinfoReader reader_with(const AuthinfoSettings& settings, AuthinfoReader reader);
// What is accepted in spite of the file's mode, to be said once (secret_file.h).
std::optional<std::string> accepted_access(const AuthinfoSettings& settings, const AuthinfoReader& reader);

// Blocks. A missing file has no entries if it is the default one, and is a problem if the configuration
// names it; who else may read it is judged (secret_file.h).
Result<Authinfo, Problems> load_authinfo(const AuthinfoSettings& settings, const AuthinfoReader& reader);
// The same, with the text that the entries were read from, to be changed (authinfo_edit.h). Empty where the
// file is missing.
struct AuthinfoFile {
  Secret text;
  Authinfo entries;
};
Result<AuthinfoFile, Problems> load_authinfo_file(const AuthinfoSettings& settings,
                                                  const AuthinfoReader& reader);

struct AuthinfoQuery {
  std::string host;
  std::uint16_t port = 0;
  std::string user{};                  // of the configuration, or empty; excludes the entries of other users
  bool lookup_mx = false;              // excludes the default for any host
  std::vector<IpAddress> addresses{};  // what the host resolved to, as far as known
};

// The most specific entry: host and port, host, address, default; among equals the first.
std::optional<mail::Credentials> find_credentials(const Authinfo& entries, const AuthinfoQuery& query);

// Puts the result of find_credentials() into the smarthost, unless that has `auth: none`.
void attach_credentials(mail::Smarthost& smarthost, const Authinfo& entries,
                        std::vector<IpAddress> addresses = {});
// Whether another entry could be the most specific one once the addresses of this smarthost are known.
bool depends_on_addresses(const mail::Smarthost& smarthost, const Authinfo& entries);

}  // namespace hikyaku::config
