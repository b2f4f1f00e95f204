// SPDX-License-Identifier: MIT
// msmtp's ~/.msmtprc and /etc/msmtprc: accounts become smarthosts, and their `from` routes.
#include <algorithm>
#include <map>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/hostname.h"
#include "daemon/import/import.h"
#include "daemon/import/routing.h"

namespace hikyaku::importing {
namespace {

struct Setting {
  std::string value;
  Place place;
  bool operator==(const Setting&) const = default;
};
using Settings = std::map<std::string, Setting, std::less<>>;

struct Account {
  std::string name;
  Settings settings;
};

std::string_view unquoted(std::string_view text) {
  const bool is_quoted = text.size() >= 2 && text.starts_with('"') && text.ends_with('"');
  return is_quoted ? text.substr(1, text.size() - 2) : text;
}

class MsmtpFile {
 public:
  MsmtpFile(std::string_view text, const std::string& file, Imported& imported) : imported_(imported) {
    for (const Line& line : lines_of(text)) {
      auto [command, argument] = first_word(line.text);
      take(to_lower(command), std::string(unquoted(argument)), {file, line.number});
    }
  }

  const std::vector<Account>& accounts() const { return accounts_; }
  const Account* find(std::string_view name) const {
    auto found = std::ranges::find(accounts_, name, &Account::name);
    return found == accounts_.end() ? nullptr : &*found;
  }

 private:
  void take(const std::string& command, std::string argument, const Place& place) {
    if (command == "defaults") return void(in_defaults_ = true);
    if (command == "account") return begin_account(argument, place);
    if (!in_defaults_ && accounts_.empty())
      return imported_.remark(place, command, "stands before any account, so it was left out");
    Settings& settings = in_defaults_ ? defaults_ : accounts_.back().settings;
    settings.insert_or_assign(command, Setting{std::move(argument), place});
  }

  // "NAME", or "NAME : BASE, BASE".
  void begin_account(std::string_view argument, const Place& place) {
    in_defaults_ = false;
    const std::size_t colon = argument.find(':');
    Account account{std::string(trim(argument.substr(0, colon))), defaults_};
    if (colon != argument.npos)
      for (std::string_view base : list_of(argument.substr(colon + 1))) {
        const Account* found = find(base);
        if (found == nullptr) imported_.remark(place, "account", "refers to an account that is not there");
        if (found != nullptr)
          for (const auto& [key, setting] : found->settings) account.settings.insert_or_assign(key, setting);
      }
    std::erase_if(accounts_, [&](const Account& each) { return each.name == account.name; });
    accounts_.push_back(std::move(account));
  }

  Imported& imported_;
  Settings defaults_;
  std::vector<Account> accounts_;
  bool in_defaults_ = false;
};

// What becomes of a key. Those that are not here have no counterpart.
constexpr std::string_view kRead[] = {"host",
                                      "port",
                                      "from",
                                      "auth",
                                      "user",
                                      "password",
                                      "passwordeval",
                                      "tls",
                                      "tls_starttls",
                                      "tls_certcheck",
                                      "tls_trust_file",
                                      "tls_fingerprint",
                                      "tls_key_file",
                                      "tls_cert_file",
                                      "tls_host_override",
                                      "domain",
                                      "maildomain",
                                      "aliases",
                                      "timeout",
                                      "protocol",
                                      "eval"};
constexpr std::string_view kIgnored[] = {"syslog",
                                         "logfile",
                                         "logfile_time_format",
                                         "add_missing_from_header",
                                         "add_missing_date_header",
                                         "remove_bcc_headers",
                                         "undisclosed_recipients",
                                         "set_date_header",
                                         "set_msgid_header",
                                         "keepbcc",
                                         "auto_from",
                                         "set_from_header",
                                         "allow_from_override",
                                         "from_full_name"};

// %U, the user's name, %H, the host's, and the like.
bool has_substitute(std::string_view value) { return value.contains('%'); }

class AccountImport {
 public:
  AccountImport(const Account& account, Imported& imported) : account_(account), imported_(imported) {}

  // The name of the smarthost; empty if there is none.
  std::string run() {
    const Setting* host = find("host");
    if (host == nullptr || value_of("protocol") == "lmtp") {
      imported_.remark(place_of(host == nullptr ? "from" : "protocol"), "account",
                       host == nullptr ? "names no host, so it was left out"
                                       : "speaks LMTP, which hikyaku does not, so it was left out");
      return {};
    }
    auto hop = parse_hop(host->value, false, host->place);
    if (!hop) {
      imported_.remark_unusable(host->place, "host");
      return {};
    }
    fill(*hop);
    mail::Smarthost& smarthost = imported_.add_smarthost(*hop, hop->logs_in ? value_of("user") : "");
    smarthost.name = name_of_account(smarthost.name);
    finish(smarthost);
    if (hop->logs_in) import_login(*hop);
    return smarthost.name;
  }

 private:
  const Setting* find(std::string_view key) const {
    auto found = account_.settings.find(key);
    return found == account_.settings.end() ? nullptr : &found->second;
  }
  std::string value_of(std::string_view key) const {
    const Setting* setting = find(key);
    return setting == nullptr ? "" : setting->value;
  }
  Place place_of(std::string_view key) const {
    const Setting* setting = find(key);
    return setting == nullptr ? Place{} : setting->place;
  }
  bool is_on(std::string_view key, bool by_default) const {
    const Setting* setting = find(key);
    return setting == nullptr ? by_default : setting->value.empty() || is_yes(setting->value);
  }

  void fill(Hop& hop) {
    if (const Setting* port = find("port")) {
      hop.port = config::parse_port(port->value);
      if (!hop.port) imported_.remark_unusable(port->place, "port");
    }
    const bool has_tls = is_on("tls", false);
    hop.tls = !has_tls ? TlsWish::none : is_on("tls_starttls", true) ? TlsWish::starttls : TlsWish::implicit;
    hop.is_verified = has_tls && is_on("tls_certcheck", true);
    const std::string auth = to_lower(value_of("auth"));
    hop.logs_in = !auth.empty() && auth != "off" && find("user") != nullptr;
  }

  // "default" says nothing in a log line; the host does.
  std::string name_of_account(const std::string& host) const {
    const bool is_plain = !account_.name.empty() && account_.name.size() <= 64 &&
                          std::ranges::all_of(account_.name, [](char c) {
                            return is_alpha(c) || is_digit(c) || c == '.' || c == '-' || c == '_';
                          });
    const bool is_taken = std::ranges::any_of(imported_.settings.smarthosts, [&](const auto& each) {
      return equals_ignoring_case(each.name, account_.name);
    });
    return !is_plain || account_.name == "default" || is_taken ? host : account_.name;
  }

  void finish(mail::Smarthost& smarthost) {
    if (find("tls_certcheck") != nullptr && !is_on("tls_certcheck", true) && is_on("tls", false))
      imported_.remark(place_of("tls_certcheck"), "tls_certcheck",
                       "is off; hikyaku checks certificates before it sends a password. `tls_verify: false` "
                       "switches that off, `tls_fingerprint` pins the certificate");
    const std::string trust = value_of("tls_trust_file");
    const bool is_usual = trust.empty() || trust == "system" || trust == "/etc/ssl/certs/ca-certificates.crt";
    if (!is_usual && trust.starts_with('/')) smarthost.tls.ca_file = trust;
    if (find("tls_cert_file") != nullptr && find("tls_key_file") != nullptr) {
      smarthost.tls.client_cert = value_of("tls_cert_file");
      smarthost.tls.client_key = value_of("tls_key_file");
    }
    if (auto name = config::parse_host(value_of("tls_host_override"))) smarthost.tls.hostname = *name;
    import_fingerprint(smarthost);
    import_mechanism(smarthost);
    if (auto from = plain_address(value_of("from")); from && !has_substitute(*from))
      smarthost.rewrite.envelope_from = smarthost.rewrite.header_from = *from;
    if (auto seconds = parse_number(value_of("timeout")); seconds && *seconds > 0 && *seconds <= 86'400)
      smarthost.timeout.connect = std::chrono::seconds(*seconds);
  }

  void import_fingerprint(mail::Smarthost& smarthost) {
    std::string digits = to_lower(value_of("tls_fingerprint"));
    std::erase(digits, ':');
    if (digits.empty()) return;
    if (digits.size() == 64 && digits.find_first_not_of("0123456789abcdef") == digits.npos)
      smarthost.tls.fingerprint = cat("sha256:", digits);
    else
      imported_.remark(place_of("tls_fingerprint"), "tls_fingerprint",
                       "is no SHA-256 fingerprint; `openssl x509 -noout -fingerprint -sha256` prints one");
  }

  void import_mechanism(mail::Smarthost& smarthost) {
    const std::string method = to_upper(value_of("auth"));
    static constexpr std::string_view kKnown[] = {"PLAIN",       "LOGIN",         "CRAM-MD5", "DIGEST-MD5",
                                                  "SCRAM-SHA-1", "SCRAM-SHA-256", "EXTERNAL"};
    const bool is_general = method.empty() || method == "ON" || method == "OFF";
    if (std::ranges::find(kKnown, method) != std::end(kKnown))
      smarthost.mechanisms = {method};
    else if (!is_general)
      imported_.remark(place_of("auth"), "auth", "names a mechanism that hikyaku does not have");
  }

  void import_login(const Hop& hop) {
    const Setting* password = find("password");
    if (password != nullptr)
      return imported_.add_login(hop, value_of("user"), password->value, password->place);
    const bool has_command = find("passwordeval") != nullptr;
    imported_.remark(place_of(has_command ? "passwordeval" : "user"), has_command ? "passwordeval" : "user",
                     cat(has_command ? "is a command, which was not run" : "has no password beside it",
                         "; put the password in with: hikyaku authinfo add ", hop.host, " --user ",
                         printable(value_of("user"), 200)));
  }

  const Account& account_;
  Imported& imported_;
};

// "%U@example.com" is each user's own address at this domain.
void import_own_addresses(std::string_view from, Imported& imported) {
  constexpr std::string_view kUser = "%U@";
  const std::string_view domain = from.starts_with(kUser) ? from.substr(kUser.size()) : std::string_view();
  if (config::is_host_name(domain) && imported.settings.domain.empty())
    imported.settings.domain = to_lower(domain);
}

// What concerns the whole machine, in the account that counts for mail of no other.
void import_machine(const Account& account, const ReadText& read, Imported& imported) {
  auto value_of = [&](std::string_view key) {
    auto found = account.settings.find(key);
    return found == account.settings.end() ? std::string() : found->second.value;
  };
  const std::string hostname = value_of("domain"), domain = value_of("maildomain"),
                    aliases = value_of("aliases");
  if (config::is_full_name(hostname) && config::is_host_name(hostname))
    imported.settings.hostname = to_lower(hostname);
  if (config::is_host_name(domain) && !config::is_localhost(domain))
    imported.settings.domain = to_lower(domain);
  import_own_addresses(value_of("from"), imported);
  if (!aliases.starts_with('/')) return;
  if (aliases != imported.settings.aliases.path) imported.settings.aliases = {aliases, true};
  auto text = read(aliases);
  for (const Line& line : lines_of(text.value_or(""))) {
    const std::size_t colon = line.text.find(':');
    if (trim(std::string_view(line.text).substr(0, colon)) != "default" || colon == line.text.npos) continue;
    auto address = plain_address(trim(std::string_view(line.text).substr(colon + 1)));
    if (address) imported.settings.local_mail = *address;
    imported.remark({aliases, line.number}, "default",
                    address ? "became `local_mail`, for all users of this machine; remove this line from the "
                              "file, where it would be an alias for a user of that name"
                            : "is no address, so `local_mail` was not set");
  }
}

void account_for(const MsmtpFile& file, Imported& imported) {
  for (const Account& account : file.accounts())
    for (const auto& [key, setting] : account.settings) {
      const bool is_read = std::ranges::find(kRead, key) != std::end(kRead);
      if (is_read && key != "eval") continue;
      if (std::ranges::find(kIgnored, key) != std::end(kIgnored))
        imported.ignore(key);
      else
        imported.remark(setting.place, key,
                        is_read ? "is a command, which was not run" : "has no counterpart and was left out");
    }
}

// "account default : NAME" is NAME again.
const Account* original_of(const Account& account, const std::vector<Account>& accounts) {
  return &*std::ranges::find(accounts, account.settings, &Account::settings);
}

}  // namespace

Imported import_msmtp(std::string_view text, const std::string& file, const ReadText& read) {
  Imported imported;
  const MsmtpFile parsed(text, file, imported);
  const Account* usual = parsed.find("default");
  if (usual == nullptr && !parsed.accounts().empty()) usual = &parsed.accounts().front();
  Routing routing;
  std::map<const Account*, std::string> names;
  for (const Account& account : parsed.accounts()) {
    const Account* original = original_of(account, parsed.accounts());
    const std::string name = original == &account ? AccountImport(account, imported).run() : names[original];
    if (name.empty()) continue;
    names[&account] = name;
    if (&account == usual) routing.add_rest(name);
    auto from = account.settings.find("from");
    if (from == account.settings.end() || has_substitute(from->second.value)) continue;
    if (account.name != "default") routing.add_sender(from->second.value, name);
  }
  if (usual != nullptr) import_machine(*usual, read, imported);
  if (imported.settings.smarthosts.size() > 1) routing.put_into(imported);
  account_for(parsed, imported);
  imported.finish();
  return imported;
}

}  // namespace hikyaku::importing
