// SPDX-License-Identifier: MIT
// The key `listen`: addresses, and those of them at which more is offered than plain SMTP, for applications that
// insist on it: TLS, and a log-in that means nothing. Who may send is `allow` alone, whatever is offered.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/ip.h"
#include "daemon/config/problem.h"
#include "daemon/config/yaml.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::config {

class Value;

inline constexpr std::string_view kSelfSigned = "self-signed";

// An entry that is a map.
struct Door {
  Endpoint at;
  mail::TlsMode tls = mail::TlsMode::none;  // or starttls, implicit
  std::string cert{};                       // a PEM file, kSelfSigned, or empty: no TLS
  std::string key{};                        // a PEM file; empty without one for `cert`
  bool takes_any_login = false;
  std::vector<Network> proxies{};  // whose connections begin with a PROXY header

  bool is_self_signed() const { return cert == kSelfSigned; }
  bool has_files() const { return !cert.empty() && !is_self_signed(); }
  bool operator==(const Door&) const = default;
};

// Of the default addresses, one whose family the host lacks is skipped; explicit ones must work.
struct ListenSettings {
  std::vector<Endpoint> endpoints;
  bool is_explicit = false;
  std::vector<Door> doors{};  // each at one of the endpoints

  const Door* door_at(const Endpoint& at) const;  // nullptr: none, so plain SMTP
  bool operator==(const ListenSettings&) const = default;
};

ListenSettings read_listen(const Value& value);
YamlNode show_listen(const ListenSettings& listen);

// The plain words, with the command that helps, where this process cannot read a door's files. Blocks.
void check_door_files(const ListenSettings& listen, Problems& problems);
// Of each door with files of its own: whether they are a certificate and its key. `trouble_with` says in words
// why they are not; empty: they are.
Problems check_door_pairs(
    const ListenSettings& listen,
    const std::function<std::string(const std::string& cert, const std::string& key)>& trouble_with);
// A sentence for each private key that anybody on this machine may read. Blocks.
std::vector<std::string> warnings_of_door_keys(const ListenSettings& listen);

}  // namespace hikyaku::config
