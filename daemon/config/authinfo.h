// SPDX-License-Identifier: MIT
// The credentials file in all four notations that people bring along: sendmail's AuthInfo:, netrc, Postfix's
// sasl_passwd and clsmtpc's. A problem names the line's number and what is wrong, and never shows anything of
// it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/error.h"
#include "daemon/base/ip.h"
#include "daemon/config/problem.h"
#include "daemon/config/settings.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::config {

struct AuthinfoEntry {
  std::string host;  // lower case, without brackets; empty: the default for any host
  std::optional<std::uint16_t> port;
  mail::Credentials credentials;
};
using Authinfo = std::vector<AuthinfoEntry>;  // in the file's order

// Pure. `file` is for problems and Credentials::origin only.
Result<Authinfo, Problems> parse_authinfo(std::string_view text, const std::string& file);

// Who reads the file, as far as its permissions depend on that.
struct AuthinfoReader {
  uid_t uid = 0;                      // the daemon's user
  gid_t gid = 0;                      // and group: the only one that may read the file besides the owner
  std::string credentials_directory;  // $CREDENTIALS_DIRECTORY, or empty
  static AuthinfoReader this_process();
};

// What is to be read: where the configuration names no file, what the service manager has handed over under
// this very name (LoadCredential=authinfo:PATH), if anything. Blocks.
AuthinfoSettings choose_authinfo(AuthinfoSettings settings, const AuthinfoReader& reader);

// Blocks. A missing file is no entries if it is the default path, and a problem if the configuration names
// it. Refused: others may read or write it, its group may write it or may read it without being the daemon's
// own (unless it lies under the credentials directory), it belongs to a third user, it is no regular file.
Result<Authinfo, Problems> load_authinfo(const AuthinfoSettings& settings, const AuthinfoReader& reader);

struct AuthinfoQuery {
  std::string host;
  std::uint16_t port = 0;
  std::string user{};                  // of the configuration: then no other user's entry is used; or empty
  bool lookup_mx = false;              // then the default for any host is never used
  std::vector<IpAddress> addresses{};  // what the host resolved to, as far as known
};

// The most specific entry: host and port, host, address, default; among equals the first.
std::optional<mail::Credentials> find_credentials(const Authinfo& entries, const AuthinfoQuery& query);

// Puts into the smarthost what find_credentials() gives; nothing with `auth: none`.
void attach_credentials(mail::Smarthost& smarthost, const Authinfo& entries,
                        std::vector<IpAddress> addresses = {});
// Whether another entry could be the most specific one once the addresses of this smarthost are known.
bool depends_on_addresses(const mail::Smarthost& smarthost, const Authinfo& entries);

}  // namespace hikyaku::config
