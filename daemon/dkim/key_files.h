// SPDX-License-Identifier: MIT
// Where the signing keys are, and what their names say. In the configured directory DOMAIN/SELECTOR.key signs. What the
// name ends with besides says that the key does not, so that a key's state is in its name, and changes with one rename:
//   SELECTOR.key            active: signs. Of several of one kind, the one that became active last
//   SELECTOR.key.prepared   made, its record is perhaps not published yet
//   SELECTOR.key.retired    has signed; its record must stay until mail that it signed has been verified
// The file's time of change says since when. Where no directory is configured, the service manager's credentials
// dkim_DOMAIN_SELECTOR.key sign instead, if there is one: so systemd names the files of a directory,
// LoadCredential=dkim:/etc/credstore/dkim. Files are judged as authinfo is: none that others may read. Blocks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/config/authinfo.h"
#include "daemon/config/problem.h"
#include "daemon/config/settings.h"
#include "daemon/dkim/signing_key.h"

namespace hikyaku::dkim {

enum class KeyState : std::uint8_t { active, prepared, retired };
std::string_view to_text(KeyState state);

struct KeyFile {
  std::string domain;  // A-labels, lower case
  std::string selector;
  KeyState state = KeyState::active;
  std::string path;
  WallTime since;  // a credential's is the epoch: its file is as old as the process
};
std::string key_path(const std::string& directory, const std::string& domain, const std::string& selector,
                     KeyState state);
// A label or several (RFC 6376 3.1), in lower case.
bool is_selector(std::string_view text);

// Sorted by domain, then from the newest to the oldest, then from the last selector to the first. Where the directory
// is the default and missing, there are none. A problem: something that cannot be read, or is named as no key.
Result<std::vector<KeyFile>, config::Problems> find_key_files(const config::DkimSettings& settings);
// The same of the credentials in this directory whose names begin with "dkim".
Result<std::vector<KeyFile>, config::Problems> find_key_credentials(const std::string& directory);

Result<SigningKey, config::Problem> read_key_file(const std::string& path,
                                                  const config::AuthinfoReader& reader);

}  // namespace hikyaku::dkim
