// SPDX-License-Identifier: MIT
#include "daemon/import/postfix_smarthosts.h"

#include <algorithm>
#include <map>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/presets.h"
#include "daemon/import/routing.h"

namespace hikyaku::importing {
namespace {

constexpr std::string_view kLooked[] = {
    "relayhost",
    "fallback_relay",
    "smtp_fallback_relay",
    "default_transport",
    "relay_transport",
    "transport_maps",
    "sender_dependent_relayhost_maps",
    "sender_dependent_default_transport_maps",
    "smtp_sasl_auth_enable",
    "smtp_sasl_password_maps",
    "smtp_sasl_mechanism_filter",
    "smtp_sasl_security_options",
    "smtp_sasl_tls_security_options",
    "smtp_sender_dependent_authentication",
};

bool is_mail_transport(std::string_view name) {
  return name.empty() || name == "smtp" || name == "relay" || name == "smtps" || name == "submission";
}

class SmarthostImport {
 public:
  SmarthostImport(const PostfixParameters& parameters, const ReadText& read, Imported& imported)
      : parameters_(parameters), read_(read), imported_(imported), tls_(parameters, read, imported) {}

  void run() {
    read_logins();
    import_rest();
    import_map("transport_maps", [this](const MapRow& row) { import_transport(row, true); });
    import_map("sender_dependent_default_transport_maps",
               [this](const MapRow& row) { import_transport(row, false); });
    import_map("sender_dependent_relayhost_maps", [this](const MapRow& row) { import_sender(row); });
    import_sender_logins();
    routing_.put_into(imported_);
    tls_.import_common();
    import_mechanisms();
  }

 private:
  std::vector<MapRow> rows_of(std::string_view parameter) {
    const Place place = parameters_.place_of(parameter);
    return read_maps(parameters_.value_of(parameter), place, parameter, read_, imported_);
  }

  template <class Import>
  void import_map(std::string_view parameter, const Import& import) {
    for (const MapRow& row : rows_of(parameter)) import(row);
  }

  void read_logins() {
    if (!parameters_.is_yes("smtp_sasl_auth_enable")) {
      if (parameters_.find("smtp_sasl_password_maps") != nullptr)
        imported_.remark(
            parameters_.place_of("smtp_sasl_password_maps"), "smtp_sasl_password_maps",
            "smtp_sasl_auth_enable is not yes, so Postfix never logged in, and the passwords were "
            "left out");
      return;
    }
    for (MapRow& row : rows_of("smtp_sasl_password_maps")) {
      const std::size_t colon = row.value.find(':');
      if (colon == row.value.npos)
        imported_.remark(row.place, "", "has no user:password, so this line was left out");
      else
        logins_.push_back(std::move(row));
    }
  }

  // Postfix looks for the next hop as it is written, and for its host alone.
  const MapRow* login_for(std::string_view next_hop, const Hop& hop) const {
    for (const std::string& key :
         {std::string(next_hop), hop.host, cat("[", hop.host, "]"), std::string("*")})
      for (const MapRow& row : logins_)
        if (equals_ignoring_case(row.key, key)) return &row;
    return nullptr;
  }

  // nullptr: what stands there is no next hop.
  mail::Smarthost* smarthost_for(std::string_view next_hop, const Place& place,
                                 const MapRow* login = nullptr) {
    auto hop = parse_hop(next_hop, true, place);
    if (!hop) return nullptr;
    settle_lookup(*hop);
    if (login == nullptr) login = login_for(next_hop, *hop);
    hop->logs_in = login != nullptr;
    tls_.apply(next_hop, *hop);
    if (login == nullptr) return &tls_.refine(next_hop, imported_.smarthost_for(*hop));
    const std::size_t colon = login->value.find(':');
    const std::string user = login->value.substr(0, colon);
    imported_.add_login(*hop, user, login->value.substr(colon + 1), login->place);
    return &tls_.refine(next_hop, imported_.smarthost_for(*hop, user));
  }

  // A submission server has no MX records, and Postfix then uses the host itself.
  void settle_lookup(Hop& hop) {
    if (!hop.by_mx) return;
    const bool is_submission =
        hop.port == 587 || hop.port == 465 || config::preset_of_host(hop.host) != nullptr;
    if (is_submission) hop.by_mx = false;
    imported_.remark(hop.place, "",
                     is_submission
                         ? cat(hop.host,
                               " stands without brackets, so Postfix looked for MX records first. A "
                               "submission server has none: hikyaku uses the host as it is")
                         : cat(hop.host,
                               " stands without brackets, so it is a domain whose MX records are "
                               "looked up (`lookup: mx`); if it is the host itself, remove that key"));
  }

  void import_rest() {
    std::string next_hops = parameters_.value_of("relayhost");
    std::string_view parameter = "relayhost";
    auto [transport, own] = split_transport(parameters_.value_of("default_transport"));
    if (is_mail_transport(transport) && !own.empty() && next_hops.empty()) {
      next_hops = own;
      parameter = "default_transport";
    } else if (!is_mail_transport(transport)) {
      remark_transport(parameters_.place_of("default_transport"), "default_transport");
    }
    for (std::string_view next_hop : list_of(next_hops)) add_rest(next_hop, parameter);
    for (std::string_view fallback : {"smtp_fallback_relay", "fallback_relay"})
      for (std::string_view next_hop : list_of(parameters_.value_of(fallback)))
        if (routing_.has_rest()) add_rest(next_hop, fallback);
    if (routing_.has_rest()) return;
    routing_.add_rest(imported_.direct_smarthost().name);
    imported_.remark(parameters_.place_of("relayhost"), "relayhost",
                     "is empty, so mail goes straight to each recipient's own servers, as with Postfix. Most "
                     "networks block that, or their mail is refused");
  }

  void add_rest(std::string_view next_hop, std::string_view parameter) {
    const mail::Smarthost* smarthost = smarthost_for(next_hop, parameters_.place_of(parameter));
    if (smarthost == nullptr)
      imported_.remark_unusable(parameters_.place_of(parameter), parameter);
    else
      routing_.add_rest(smarthost->name);
  }

  // "smtp:[host]:587" is transport and next hop.
  static std::pair<std::string, std::string> split_transport(std::string_view value) {
    const std::size_t colon = value.find(':');
    return {std::string(value.substr(0, colon)),
            std::string(colon == value.npos ? std::string_view() : trim(value.substr(colon + 1)))};
  }

  void remark_transport(const Place& place, std::string_view subject) {
    imported_.remark(
        place, subject,
        "names a transport that is not SMTP (a program, a mailbox, an error); hikyaku has none, so "
        "this was left out");
  }

  void import_transport(const MapRow& row, bool is_recipient) {
    auto [transport, next_hop] = split_transport(row.value);
    if (!is_mail_transport(transport)) return remark_transport(row.place, "");
    if (transport.empty() && next_hop.empty()) return;  // as if the line were not there
    const mail::Smarthost* smarthost =
        next_hop.empty() ? &imported_.direct_smarthost() : smarthost_for(next_hop, row.place);
    add_route(row, smarthost, is_recipient);
  }

  void import_sender(const MapRow& row) {
    senders_seen_.push_back(row.key);
    if (row.value == "DUNNO") return;
    add_route(row, smarthost_for(row.value, row.place, sender_login(row.key)), false);
  }

  void add_route(const MapRow& row, const mail::Smarthost* smarthost, bool is_recipient) {
    if (smarthost == nullptr) return imported_.remark_unusable(row.place, "");
    const std::string name = smarthost->name;
    if (row.key == "*")
      imported_.remark(row.place, "",
                       cat("takes all mail, and beats relayhost; write `{via: [", name,
                           "]}` as the last of `routes`, if that is what is meant"));
    else if (!(is_recipient ? routing_.add_recipient(row.key, name) : routing_.add_sender(row.key, name)))
      imported_.remark(
          row.place, "",
          "is neither an address nor a domain, so this line was left out; write it into `routes`");
  }

  bool has_sender_logins() const { return parameters_.is_yes("smtp_sender_dependent_authentication"); }

  const MapRow* sender_login(std::string_view sender) const {
    auto found = std::ranges::find_if(logins_, [&](const MapRow& row) {
      return row.key.contains('@') && equals_ignoring_case(row.key, sender);
    });
    return has_sender_logins() && found != logins_.end() ? &*found : nullptr;
  }

  // A sender with a log-in of its own and no smarthost of its own: the usual one, with that log-in.
  void import_sender_logins() {
    const std::string usual = parameters_.value_of("relayhost");
    for (const MapRow& row : logins_) {
      if (!row.key.contains('@')) continue;
      if (!has_sender_logins())
        imported_.remark(
            row.place, "",
            "is for a sender, but smtp_sender_dependent_authentication is not yes, so Postfix did "
            "not use it, and it was left out");
      else if (std::ranges::find(senders_seen_, row.key) == senders_seen_.end())
        add_route({row.key, usual, row.place}, smarthost_for(usual, row.place, &row), false);
    }
  }

  void import_mechanisms() {
    static constexpr std::string_view kKnown[] = {"EXTERNAL", "SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5",
                                                  "CRAM-MD5", "PLAIN",         "LOGIN"};
    constexpr std::string_view kKey = "smtp_sasl_mechanism_filter";
    std::vector<std::string> mechanisms;
    const std::string value = parameters_.value_of(kKey);
    for (std::string_view word : list_of(value)) {
      mechanisms.push_back(to_upper(word));
      if (std::ranges::find(kKnown, mechanisms.back()) == std::end(kKnown))
        return imported_.remark(parameters_.place_of(kKey), kKey,
                                "is more than a list of mechanisms that hikyaku knows, so `auth` stays auto: "
                                "the strongest that both sides know");
    }
    for (mail::Smarthost& smarthost : imported_.settings.smarthosts)
      if (!smarthost.direct) smarthost.mechanisms = mechanisms;
  }

  const PostfixParameters& parameters_;
  const ReadText& read_;
  Imported& imported_;
  PostfixTls tls_;
  Routing routing_;
  std::vector<MapRow> logins_;
  std::vector<std::string> senders_seen_;  // keys of sender_dependent_relayhost_maps
};

}  // namespace

bool is_about_postfix_smarthosts(std::string_view parameter) {
  return std::ranges::find(kLooked, parameter) != std::end(kLooked) || PostfixTls::knows(parameter);
}

void import_postfix_smarthosts(const PostfixParameters& parameters, const ReadText& read,
                               Imported& imported) {
  SmarthostImport(parameters, read, imported).run();
}

}  // namespace hikyaku::importing
