// SPDX-License-Identifier: MIT
// The DragonFly Mail Agent's dma.conf, and the auth.conf that it names.
#include <algorithm>
#include <map>

#include "daemon/base/text.h"
#include "daemon/config/hostname.h"
#include "daemon/import/import.h"

namespace hikyaku::importing {
namespace {

struct DmaKey {
  std::string value;
  Place place;
};
using DmaKeys = std::map<std::string, DmaKey, std::less<>>;

constexpr std::string_view kTaken[] = {"SMARTHOST",      "PORT",        "ALIASES",   "AUTHPATH",
                                       "SECURETRANSFER", "SECURE",      "STARTTLS",  "OPPORTUNISTIC_TLS",
                                       "CERTFILE",       "FINGERPRINT", "MAILNAME",  "MASQUERADE",
                                       "FULLBOUNCE",     "INSECURE",    "VERIFYCERT"};
constexpr std::string_view kNotNeeded[] = {"SPOOLDIR", "DEFER", "NULLCLIENT"};

class DmaImport {
 public:
  DmaImport(const DmaKeys& keys, const std::string& file, const ReadText& read, Imported& imported)
      : keys_(keys), file_(file), read_(read), imported_(imported) {}

  void run() {
    has("SMARTHOST") ? import_smarthost() : import_direct();
    import_names();
    if (has("ALIASES") && value_of("ALIASES") != imported_.settings.aliases.path)
      imported_.settings.aliases = {value_of("ALIASES"), true};
    if (has("FULLBOUNCE")) imported_.settings.queue.bounce_return = config::BounceReturn::full;
    for (const auto& [name, key] : keys_) {
      if (std::ranges::find(kTaken, name) != std::end(kTaken)) continue;
      std::ranges::find(kNotNeeded, name) != std::end(kNotNeeded)
          ? imported_.ignore(name)
          : imported_.remark(key.place, name, "has no counterpart and was left out");
    }
    imported_.finish();
  }

 private:
  bool has(std::string_view name) const { return keys_.contains(name); }
  std::string value_of(std::string_view name) const {
    auto found = keys_.find(name);
    return found == keys_.end() ? "" : found->second.value;
  }
  Place place_of(std::string_view name) const {
    auto found = keys_.find(name);
    return found == keys_.end() ? Place{file_, 0} : found->second.place;
  }

  void import_direct() {
    imported_.direct_smarthost();
    imported_.remark({file_, 0}, "SMARTHOST",
                     "is not set, so mail goes straight to each recipient's own servers, as with dma. Most "
                     "networks block that, or their mail is refused");
  }

  void import_smarthost() {
    auto hop = parse_hop(value_of("SMARTHOST"), false, place_of("SMARTHOST"));
    if (!hop) return imported_.remark_unusable(place_of("SMARTHOST"), "SMARTHOST");
    hop->port = config::parse_port(value_of("PORT"));
    const bool is_secure = has("SECURETRANSFER") || has("SECURE");
    hop->tls = has("OPPORTUNISTIC_TLS")       ? TlsWish::opportunistic
               : is_secure && has("STARTTLS") ? TlsWish::starttls
               : is_secure                    ? TlsWish::implicit
                                              : TlsWish::opportunistic;
    if (is_secure && !hop->port) hop->port = 25;
    hop->is_verified = has("VERIFYCERT");
    const auto login = find_login(*hop);
    hop->logs_in = login.has_value();
    mail::Smarthost& smarthost = imported_.smarthost_for(*hop);
    if (has("CERTFILE")) smarthost.tls.client_cert = smarthost.tls.client_key = value_of("CERTFILE");
    import_fingerprint(smarthost);
    if (login) imported_.add_login(*hop, login->user, login->password, login->place);
  }

  void import_fingerprint(mail::Smarthost& smarthost) {
    std::string digits = to_lower(value_of("FINGERPRINT"));
    std::erase(digits, ':');
    if (digits.size() == 64 && digits.find_first_not_of("0123456789abcdef") == digits.npos)
      smarthost.tls.fingerprint = cat("sha256:", digits);
    else if (!digits.empty())
      imported_.remark_unusable(place_of("FINGERPRINT"), "FINGERPRINT");
  }

  struct FoundLogin {
    std::string user;
    std::string password;
    Place place;
  };

  // "user|smarthost:password".
  std::optional<FoundLogin> find_login(const Hop& hop) {
    const std::string path = has("AUTHPATH") ? std::string(first_word(value_of("AUTHPATH")).word)
                                             : cat(directory_of(file_), "/auth.conf");
    auto text = read_(path);
    if (!text && has("AUTHPATH"))
      imported_.remark(place_of("AUTHPATH"), "AUTHPATH", cat(printable(path), " ", text.error()));
    std::optional<FoundLogin> found;
    for (const Line& line : lines_of(text.value_or(""))) {
      const std::string_view whole = line.text;
      const std::size_t bar = whole.find('|'), colon = whole.find(':', bar);
      const Place place{path, line.number};
      if (bar == whole.npos || colon == whole.npos) {
        imported_.remark(place, "", "is no line user|host:password, and was left out");
      } else if (!equals_ignoring_case(trim(whole.substr(bar + 1, colon - bar - 1)), hop.host)) {
        imported_.remark(place, "", "is for another host than the smarthost, and was left out");
      } else if (!found) {
        found =
            FoundLogin{std::string(trim(whole.substr(0, bar))), std::string(whole.substr(colon + 1)), place};
      }
    }
    return found;
  }

  void import_names() {
    std::string name = value_of("MAILNAME");
    if (name == "/etc/mailname") name.clear();  // the default of `domain`
    if (name.starts_with('/')) {
      const std::string text = read_(name).value_or("");
      name = trim(std::string_view(text).substr(0, text.find('\n')));
    }
    if (config::is_host_name(name) && config::is_full_name(name))
      imported_.settings.hostname = imported_.settings.domain = to_lower(name);
    import_masquerade(value_of("MASQUERADE"));
  }

  // "user@host": all mail is from it. "host": senders' domain. "user@": their name.
  void import_masquerade(const std::string& value) {
    if (value.empty()) return;
    if (auto address = plain_address(value)) return send_as(*address, imported_);
    if (!value.contains('@') && config::is_host_name(value))
      imported_.settings.domain = to_lower(value);
    else
      imported_.remark(
          place_of("MASQUERADE"), "MASQUERADE",
          "replaces the user's name only, which has no counterpart; `from` names a whole address");
  }

  const DmaKeys& keys_;
  const std::string& file_;
  const ReadText& read_;
  Imported& imported_;
};

}  // namespace

Imported import_dma(std::string_view text, const std::string& file, const ReadText& read) {
  Imported imported;
  DmaKeys keys;
  for (const Line& line : lines_of(text)) {
    auto [name, value] = first_word(line.text);
    keys.insert_or_assign(std::string(name), DmaKey{std::string(value), {file, line.number}});
  }
  DmaImport(keys, file, read, imported).run();
  return imported;
}

}  // namespace hikyaku::importing
