// SPDX-License-Identifier: MIT
// sendmail.mc (cf/README of sendmail), and the text of the authinfo or access table that it names.
#include <algorithm>
#include <map>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/hostname.h"
#include "daemon/import/import.h"
#include "daemon/import/routing.h"
#include "daemon/import/source.h"

namespace hikyaku::importing {
namespace {

std::string argument(const M4Call& call, std::size_t index) {
  return index < call.arguments.size() ? call.arguments[index] : "";
}

// sendmail.mc as definitions and features; of several of a name the last counts.
class MacroFile {
 public:
  MacroFile(std::string_view text, const std::string& file) : file_(file), calls_(m4_calls(text)) {
    for (const M4Call& call : calls_) {
      if (call.name == "define") defines_[argument(call, 0)] = &call;
      if (call.name == "FEATURE") features_[argument(call, 0)] = &call;
    }
  }
  MacroFile(const MacroFile&) = delete;

  const std::vector<M4Call>& calls() const { return calls_; }
  Place place_of(const M4Call& call) const { return {file_, call.line}; }
  Place place_of_definition(std::string_view name) const {
    auto found = defines_.find(name);
    return found == defines_.end() ? Place{file_, 0} : place_of(*found->second);
  }
  std::string defined(std::string_view name) const {
    auto found = defines_.find(name);
    return found == defines_.end() ? "" : argument(*found->second, 1);
  }
  // "hash -o /etc/mail/authinfo.db" is made of /etc/mail/authinfo. Empty: there is no such feature.
  std::string table_of(std::string_view feature, std::string_view usual) const {
    auto found = features_.find(feature);
    if (found == features_.end()) return "";
    const std::string map = argument(*found->second, 1);
    const auto parts = words(map);
    std::string path(parts.empty() ? usual : parts.back());
    if (path.ends_with(".db")) path.resize(path.size() - 3);
    return path.starts_with('/') ? path : std::string(usual);
  }

 private:
  const std::string& file_;
  std::vector<M4Call> calls_;
  std::map<std::string, const M4Call*, std::less<>> defines_;
  std::map<std::string, const M4Call*, std::less<>> features_;
};

// The AuthInfo: lines of the tables that may hold them.
class AuthInfoLines {
 public:
  AuthInfoLines(const MacroFile& macros, const ReadText& read, Imported& imported) : imported_(imported) {
    const std::string path = macros.table_of("authinfo", "/etc/mail/authinfo");
    if (!path.empty()) {
      auto text = read(path);
      text ? take(*text, path) : explain_missing(path, text.error());
    }
    const std::string access = macros.table_of("access_db", "/etc/mail/access");
    if (!access.empty() && access != path) take(read(access).value_or(""), access);
  }

  // nullptr: nobody logs in there.
  const Login* find(const Hop& hop) const {
    auto found =
        std::ranges::find_if(entries_, [&](const Login& login) { return login.entry.host == hop.host; });
    if (found == entries_.end())
      found = std::ranges::find_if(entries_, [](const Login& login) { return login.entry.host.empty(); });
    return found == entries_.end() ? nullptr : &*found;
  }

  void remark_unused() {
    for (const Login& login : entries_)
      if (std::ranges::find(imported_.logins, login.place, &Login::place) == imported_.logins.end())
        imported_.remark(login.place, "AuthInfo",
                         "is for a server that the configuration does not name, so it was left out");
  }

 private:
  void explain_missing(const std::string& path, const std::string& why) {
    imported_.remark({path, 0}, "authinfo",
                     cat(why, "; where only the .db is left, this makes a text of it: makemap -u hash ",
                         printable(path), ".db > ", printable(path)));
  }
  void take(std::string_view text, const std::string& path) {
    for (const Line& line : lines_of(text)) {
      if (!starts_with_ignoring_case(line.text, "AuthInfo:")) continue;
      auto entries = config::parse_authinfo(line.text, path);
      if (!entries || entries->empty())
        imported_.remark({path, line.number}, "AuthInfo", "was not understood, so this line was left out");
      else
        entries_.push_back({std::move(entries->front()), {path, line.number}});
    }
  }

  Imported& imported_;
  std::vector<Login> entries_;
};

class SendmailImport {
 public:
  SendmailImport(std::string_view text, const std::string& file, const ReadText& read, Imported& imported)
      : macros_(text, file), read_(read), imported_(imported), logins_(macros_, read, imported) {}

  void run() {
    import_smart_host();
    import_mailertable();
    routing_.put_into(imported_);
    for (const M4Call& call : macros_.calls()) take(call);
    logins_.remark_unused();
    imported_.finish();
  }

 private:
  // "esmtp:[host]", "smtp:host", "[host]", "host": the mailer is always SMTP. Its arguments may name a port.
  mail::Smarthost* smarthost_for(std::string_view value, const Place& place) {
    const std::size_t colon = value.find(':');
    const bool has_mailer = colon != value.npos && !value.starts_with('[');
    const std::string_view mailer = has_mailer ? value.substr(0, colon) : "relay";
    const bool is_smtp = mailer == "relay" || mailer.ends_with("smtp") || mailer.starts_with("smtp");
    auto hop = is_smtp ? parse_hop(has_mailer ? value.substr(colon + 1) : value, true, place) : std::nullopt;
    if (!hop) return nullptr;
    hop->port = port_of(mailer);
    const bool is_submission = hop->port == 587 || hop->port == 465;
    if (hop->by_mx && is_submission) hop->by_mx = false;
    if (hop->by_mx)
      imported_.remark(place, "",
                       cat(hop->host,
                           " stands without brackets, so it is a domain whose MX records are looked up "
                           "(`lookup: mx`); if it is the host itself, remove that key"));
    hop->tls = TlsWish::opportunistic;  // sendmail uses STARTTLS where it is offered
    const Login* login = logins_.find(*hop);
    hop->logs_in = login != nullptr;
    mail::Smarthost& smarthost = imported_.smarthost_for(*hop);
    if (login != nullptr) use(*login, *hop);
    import_certificates(smarthost);
    return &smarthost;
  }

  void use(Login login, const Hop& hop) {
    login.entry.host = hop.host;
    login.entry.port = hop.port;
    imported_.add_login(std::move(login));
  }

  // define(`RELAY_MAILER_ARGS', `TCP $h 587').
  std::optional<std::uint16_t> port_of(std::string_view mailer) const {
    const std::string arguments = macros_.defined(cat(to_upper(mailer), "_MAILER_ARGS"));
    const auto parts = words(arguments);
    return parts.size() > 2 ? config::parse_port(parts.back()) : std::nullopt;
  }

  void import_certificates(mail::Smarthost& smarthost) const {
    smarthost.tls.client_cert = macros_.defined("confCLIENT_CERT");
    smarthost.tls.client_key = macros_.defined("confCLIENT_KEY");
    const bool is_whole = !smarthost.tls.client_cert.empty() && !smarthost.tls.client_key.empty();
    const bool is_absolute =
        smarthost.tls.client_cert.starts_with('/') && smarthost.tls.client_key.starts_with('/');
    if (!is_whole || !is_absolute) smarthost.tls.client_cert = smarthost.tls.client_key = "";
  }

  void import_smart_host() {
    const std::string value = macros_.defined("SMART_HOST");
    const Place place = macros_.place_of_definition("SMART_HOST");
    if (value.empty()) {
      routing_.add_rest(imported_.direct_smarthost().name);
      return imported_.remark(place, "SMART_HOST",
                              "is not set, so mail goes straight to each recipient's own servers, as with "
                              "sendmail. Most networks block that, or their mail is refused");
    }
    const mail::Smarthost* smarthost = smarthost_for(value, place);
    if (smarthost == nullptr) return imported_.remark_unusable(place, "SMART_HOST");
    routing_.add_rest(smarthost->name);
  }

  // "example.com esmtp:[mail.example.com]".
  void import_mailertable() {
    const std::string path = macros_.table_of("mailertable", "/etc/mail/mailertable");
    const std::string text = path.empty() ? "" : read_(path).value_or("");
    for (const Line& line : lines_of(text)) {
      auto [domain, target] = first_word(line.text);
      const Place place{path, line.number};
      const mail::Smarthost* smarthost = smarthost_for(target, place);
      if (smarthost == nullptr || !routing_.add_recipient(domain, smarthost->name))
        imported_.remark(place, "", "names no SMTP server and domain, so this line was left out");
    }
  }

  void take(const M4Call& call) {
    if (call.name == "define") return take_definition(call);
    if (call.name == "FEATURE") return take_feature(call);
    if (call.name == "MASQUERADE_AS") return import_masquerade(call);
    if (call.name == "MASQUERADE_DOMAIN" || call.name == "MASQUERADE_DOMAIN_FILE") return hide(call);
    if (call.name == "DAEMON_OPTIONS") return import_listener(call);
    if (call.name == "INPUT_MAIL_FILTER")
      return imported_.remark(macros_.place_of(call), call.name, "hikyaku hands mail to no filter");
    static constexpr std::string_view kStructure[] = {
        "OSTYPE",   "DOMAIN", "MAILER",       "VERSIONID",    "include",        "divert",
        "undefine", "ifdef",  "LOCAL_DOMAIN", "EXPOSED_USER", "CLIENT_OPTIONS", "errprint"};
    std::ranges::find(kStructure, call.name) != std::end(kStructure)
        ? imported_.ignore(call.name)
        : imported_.remark(macros_.place_of(call), call.name, "has no counterpart and was left out");
  }

  void take_definition(const M4Call& call) {
    const std::string name = argument(call, 0), value = argument(call, 1);
    config::Settings& settings = imported_.settings;
    if (name == "SMART_HOST" || name.ends_with("_MAILER_ARGS") || name == "confCLIENT_CERT" ||
        name == "confCLIENT_KEY")
      return;
    if (name == "confDOMAIN_NAME") {
      if (config::is_full_name(value) && config::is_host_name(value)) settings.hostname = to_lower(value);
    } else if (name == "confMAX_MESSAGE_SIZE") {
      if (auto bytes = parse_number(value); bytes && *bytes > 0)
        settings.message.max_size = {std::clamp<std::uint64_t>(*bytes, 1024, (4_GiB).bytes)};
    } else if (name == "ALIAS_FILE") {
      if (value.starts_with('/') && value != settings.aliases.path) settings.aliases = {value, true};
    } else if (name == "confTO_QUEUERETURN" || name == "confTO_QUEUEWARN") {
      import_time(call, name == "confTO_QUEUERETURN");
    } else if (name == "confAUTH_MECHANISMS" || name.starts_with("conf") || name.starts_with('_')) {
      imported_.ignore(name);
    } else {
      imported_.remark(macros_.place_of(call), name, "has no counterpart and was left out");
    }
  }

  // "5d", "4h".
  void import_time(const M4Call& call, bool is_lifetime) {
    auto time = parse_duration(argument(call, 1));
    if (!time || *time <= 0s || *time > 365 * 24h)
      return imported_.remark_unusable(macros_.place_of(call), argument(call, 0));
    (is_lifetime ? imported_.settings.queue.lifetime : imported_.settings.queue.delay_notice) = *time;
  }

  void take_feature(const M4Call& call) {
    static constexpr std::string_view kServed[] = {"authinfo",
                                                   "access_db",
                                                   "mailertable",
                                                   "masquerade_envelope",
                                                   "masquerade_entire_domain",
                                                   "allmasquerade",
                                                   "always_add_domain",
                                                   "nullclient",
                                                   "use_cw_file",
                                                   "use_ct_file",
                                                   "no_default_msa",
                                                   "nouucp",
                                                   "smrsh",
                                                   "greet_pause",
                                                   "blocklist_recipients",
                                                   "nocanonify",
                                                   "dnsbl",
                                                   "enhdnsbl",
                                                   "ratecontrol",
                                                   "conncontrol",
                                                   "redirect",
                                                   "local_procmail",
                                                   "msp",
                                                   "blacklist_recipients",
                                                   "accept_unresolvable_domains",
                                                   "delay_checks"};
    const std::string name = argument(call, 0);
    if (std::ranges::find(kServed, name) != std::end(kServed)) return imported_.ignore(name);
    imported_.remark(macros_.place_of(call), name,
                     name == "genericstable"
                         ? "rewrites single addresses, which has no counterpart; `from` sends all mail of a "
                           "smarthost with one address"
                         : "has no counterpart and was left out");
  }

  void import_masquerade(const M4Call& call) {
    const std::string domain = argument(call, 0);
    if (!config::is_host_name(domain)) return imported_.remark_unusable(macros_.place_of(call), call.name);
    imported_.settings.domain = to_lower(domain);
    if (imported_.settings.masquerade.empty())
      imported_.remark(macros_.place_of(call), call.name,
                       "became `domain`, for addresses without one; hosts whose names it is to hide in full "
                       "addresses belong into `masquerade`");
  }

  void hide(const M4Call& call) {
    const std::string host = argument(call, 0);
    if (config::is_host_name(host) && call.name == "MASQUERADE_DOMAIN")
      imported_.settings.masquerade.push_back(to_lower(host));
    else
      imported_.remark(macros_.place_of(call), call.name, "names a file; write its hosts into `masquerade`");
  }

  // "Port=smtp,Addr=127.0.0.1, Name=MTA".
  void import_listener(const M4Call& call) {
    std::string address = "0.0.0.0";
    std::string port = "smtp";
    for (std::string_view part : list_of(argument(call, 0))) {
      if (starts_with_ignoring_case(part, "Addr=")) address = part.substr(5);
      if (starts_with_ignoring_case(part, "Port=")) port = part.substr(5);
    }
    auto ip = IpAddress::parse(address);
    auto number = config::parse_port(port);
    if (ip && ip->is_loopback() && number == 25) return;  // the default
    imported_.remark(
        macros_.place_of(call), call.name,
        "opens a port beyond 127.0.0.1:25; `listen` opens it here, and `allow` has to say who may send");
  }

  const MacroFile macros_;
  const ReadText& read_;
  Imported& imported_;
  AuthInfoLines logins_;
  Routing routing_;
};

}  // namespace

Imported import_sendmail(std::string_view text, const std::string& file, const ReadText& read) {
  Imported imported;
  SendmailImport(text, file, read, imported).run();
  return imported;
}

}  // namespace hikyaku::importing
