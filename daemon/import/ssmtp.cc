// SPDX-License-Identifier: MIT
// sSMTP's ssmtp.conf, and revaliases beside it.
#include <algorithm>
#include <map>

#include "daemon/base/text.h"
#include "daemon/config/hostname.h"
#include "daemon/import/import.h"

namespace hikyaku::importing {
namespace {

struct Option {
  std::string name;  // as it is written
  std::string value;
  Place place;
};
using Options = std::map<std::string, Option, std::less<>>;  // by the name in lower case

// To sSMTP a # begins a comment wherever it stands, also inside a password.
Options read_options(std::string_view text, const std::string& file, Imported& imported) {
  Options options;
  for (const Line& line : lines_of(text)) {
    const Place place{file, line.number};
    const std::string_view whole = line.text;
    const std::string_view visible = whole.substr(0, whole.find('#'));
    const std::size_t equals = visible.find('=');
    const std::string name(trim(visible.substr(0, equals)));
    if (equals == visible.npos) {
      imported.remark(place, "", "is no line NAME=VALUE, and was left out");
      continue;
    }
    options.insert_or_assign(to_lower(name),
                             Option{name, std::string(trim(visible.substr(equals + 1))), place});
    if (visible.size() < whole.size() && equals_ignoring_case(name, "AuthPass"))
      imported.remark(place, name, "sSMTP takes what follows the # for a comment, so it was left away");
  }
  return options;
}

constexpr std::string_view kUsed[] = {
    "mailhub",     "root",     "rewritedomain", "hostname",         "usetls",
    "usestarttls", "authuser", "authpass",      "authmethod",       "tls_ca_file",
    "tlscert",     "tlskey",   "usetlscert",    "fromlineoverride", "port"};

class SsmtpImport {
 public:
  SsmtpImport(const Options& options, const std::string& file, const ReadText& read, Imported& imported)
      : options_(options), file_(file), read_(read), imported_(imported) {}

  void run() {
    import_hub();
    import_names();
    import_root();
    import_reverse_aliases();
    if (options_.contains("fromlineoverride") && !is_on("fromlineoverride"))
      imported_.remark(
          options_.find("fromlineoverride")->second.place, "FromLineOverride",
          "is NO: nobody may choose a From. `submit: {others: rewrite}` does that for senders other "
          "than a user's own");
    for (const auto& [name, option] : options_)
      if (std::ranges::find(kUsed, name) == std::end(kUsed))
        name == "debug" ? imported_.ignore(option.name)
                        : imported_.remark(option.place, option.name, "has no counterpart and was left out");
    imported_.finish();
  }

 private:
  std::string value_of(std::string_view name) const {
    auto found = options_.find(name);
    return found == options_.end() ? "" : found->second.value;
  }
  bool is_on(std::string_view name) const { return is_yes(value_of(name)); }

  void import_hub() {
    auto hub = options_.find("mailhub");
    const Place place = hub == options_.end() ? Place{file_, 0} : hub->second.place;
    auto hop = hub == options_.end() ? std::nullopt : parse_hop(hub->second.value, false, place);
    if (!hop)
      return imported_.remark(place, "mailhub",
                              "names no host that can be used, so there is no smarthost; add one");
    if (!hop->port) hop->port = config::parse_port(value_of("port"));
    const bool has_starttls = is_on("usestarttls");
    hop->tls = has_starttls ? TlsWish::starttls : is_on("usetls") ? TlsWish::implicit : TlsWish::none;
    if (hop->tls == TlsWish::none && !options_.contains("authuser")) hop->tls = TlsWish::opportunistic;
    hop->logs_in = options_.contains("authuser");
    mail::Smarthost& smarthost = imported_.smarthost_for(*hop);
    smarthost.tls.ca_file = value_of("tls_ca_file");
    if (is_on("usetlscert")) {
      smarthost.tls.client_cert = value_of("tlscert");
      smarthost.tls.client_key = options_.contains("tlskey") ? value_of("tlskey") : value_of("tlscert");
    }
    if (equals_ignoring_case(value_of("authmethod"), "cram-md5")) smarthost.mechanisms = {"CRAM-MD5"};
    auto password = options_.find("authpass");
    if (hop->logs_in && password != options_.end())
      imported_.add_login(*hop, value_of("authuser"), password->second.value, password->second.place);
  }

  void import_names() {
    const std::string hostname = value_of("hostname"), domain = value_of("rewritedomain");
    if (config::is_host_name(hostname) && config::is_full_name(hostname))
      imported_.settings.hostname = to_lower(hostname);
    if (config::is_host_name(domain) && !config::is_localhost(domain))
      imported_.settings.domain = to_lower(domain);
  }

  // Mail for root and all other users below 1000.
  void import_root() {
    auto root = options_.find("root");
    if (root == options_.end() || root->second.value.empty()) return;
    if (auto address = plain_address(root->second.value))
      imported_.settings.local_mail = *address;
    else
      imported_.remark(
          root->second.place, "root",
          "is no address with a domain, so nobody gets the mail of this machine's users yet: set "
          "`local_mail`");
  }

  // "root:me@example.com:smtp.example.com:587".
  void import_reverse_aliases() {
    const std::string path = cat(directory_of(file_), "/revaliases");
    auto text = read_(path);
    if (!text) return;
    std::vector<MapRow> rows;
    for (const Line& line : lines_of(*text)) {
      const auto parts = split(line.text, ':');
      if (parts.size() < 2) continue;
      rows.push_back({std::string(trim(parts[0])), std::string(trim(parts[1])), {path, line.number}});
      auto hop = parts.size() > 2 ? parse_hop(trim(parts[2]), false, {}) : std::nullopt;
      const bool is_other = hop && (imported_.settings.smarthosts.empty() ||
                                    hop->host != imported_.settings.smarthosts.front().host);
      if (is_other)
        imported_.remark(rows.back().place, "",
                         "names another mailhub for this user; write it into `routes`");
    }
    if (!rows.empty()) import_address_map(rows, {path, 0}, "", imported_);
  }

  const Options& options_;
  const std::string& file_;
  const ReadText& read_;
  Imported& imported_;
};

}  // namespace

Imported import_ssmtp(std::string_view text, const std::string& file, const ReadText& read) {
  Imported imported;
  const Options options = read_options(text, file, imported);
  SsmtpImport(options, file, read, imported).run();
  return imported;
}

}  // namespace hikyaku::importing
