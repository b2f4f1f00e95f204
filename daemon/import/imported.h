// SPDX-License-Identifier: MIT
// What has been understood of another relay's configuration: our settings, the log-ins, and remarks about what has
// no counterpart or changes. Grows line by line while a file is read. Remarks name keys, never values, which may
// hold a password.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/authinfo.h"
#include "daemon/config/settings.h"
#include "daemon/import/source.h"

namespace hikyaku::importing {

struct Login {
  config::AuthinfoEntry entry;
  Place place;  // of its password
};

struct Remark {
  Place place;
  std::string subject;  // the key that stands there; may be empty
  std::string text;     // what becomes of it, and what to do
  bool operator==(const Remark&) const = default;
};

enum class TlsWish : std::uint8_t { unsaid, none, opportunistic, starttls, implicit };

// A server that mail was handed to, as the other relay saw it.
struct Hop {
  std::string host;  // lower case, without brackets
  std::optional<std::uint16_t> port = std::nullopt;
  bool by_mx = false;  // the MX records of `host`
  TlsWish tls = TlsWish::unsaid;
  bool is_verified = false;  // its certificate was checked
  bool logs_in = false;
  Place place{};
};

class Imported {
 public:
  config::Settings settings;
  std::vector<Login> logins;
  std::vector<Remark> remarks;
  std::vector<std::string> unneeded;  // keys that a relay such as ours has no use for

  // Settings with their defaults and no smarthost.
  Imported();

  // Of `subject` the first word; each remark once.
  void remark(const Place& place, std::string_view subject, std::string text);
  void ignore(std::string_view key);
  // Where the value cannot be used by us as it is.
  void remark_unusable(const Place& place, std::string_view key);

  // A smarthost for this hop, with a name of its own. What our rules about TLS and passwords change is remarked.
  // The reference lives until the next call.
  mail::Smarthost& add_smarthost(const Hop& hop, const std::string& user = {});
  // The same, but one for each host, port and user.
  mail::Smarthost& smarthost_for(const Hop& hop, const std::string& user = {});
  mail::Smarthost& direct_smarthost();
  // Once for each host, port and user.
  void add_login(Login login);
  void add_login(const Hop& hop, std::string user, std::string password, const Place& place);
  // At the end: what the configuration could not hold is left out, and `user` stays only where several log-ins are
  // for one host.
  void finish();

 private:
  void drop_unusable();
  bool is_taken(const std::string& name) const;
  std::string free_name(const std::string& name) const;
};

// "[host]:port", "host:port", "host"; the port may be a service's name. nullopt if it is none of these.
// `by_mx` says whether a name without brackets means its MX records.
std::optional<Hop> parse_hop(std::string_view text, bool by_mx, const Place& place);

// "me@example.com" or nothing.
std::optional<std::string> plain_address(std::string_view text);
// A domain as a pattern: "*@example.com", and for ".example.com" those below it.
std::optional<mail::AddressPattern> pattern_of(std::string_view address_or_domain);

// Lookup tables as far as they are text. "hash:/etc/postfix/transport" names a .db that was made of
// /etc/postfix/transport, and that text is what is read; never the .db.

struct MapRow {
  std::string key;
  std::string value;
  Place place;
};

// The rows of all tables that a parameter names, in order, $name already replaced. A table that cannot be read gets
// a remark that says how to make a text of it. `static:` and the patterns of regexp: and pcre: that fit
// everything are a row with the key "*"; other patterns are remarked.
std::vector<MapRow> read_maps(std::string_view value, const Place& place, std::string_view parameter,
                              const ReadText& read, Imported& imported);

// A key "*" stands for everybody. Each row that has no counterpart is remarked.
void import_address_map(const std::vector<MapRow>& rows, const Place& place, std::string_view parameter,
                        Imported& imported);

// All mail leaves with this address, by every smarthost that has none of its own.
void send_as(const std::string& address, Imported& imported);

}  // namespace hikyaku::importing
