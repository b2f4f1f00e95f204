// SPDX-License-Identifier: MIT
#include "daemon/config/settings_schema.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/hostname.h"
#include "daemon/config/load.h"
#include "daemon/config/rewriting_keys.h"
#include "daemon/config/smarthost_draft.h"
#include "daemon/mail/address.h"

namespace hikyaku::config {
namespace {

constexpr Duration kDay = 24h;

// A name, or an address literal (RFC 5321 4.1.3): "[192.0.2.1]", "[IPv6:2001:db8::1]".
bool is_ehlo_name(std::string_view name) {
  bool is_literal = name.starts_with('[') && name.ends_with(']');
  if (!is_literal) return is_host_name(name);
  name = name.substr(1, name.size() - 2);
  bool is_v6 = starts_with_ignoring_case(name, "IPv6:");
  auto address = IpAddress::parse(name.substr(is_v6 ? 5 : 0));
  return address && address->is_v6() == is_v6;
}

void read_hostname(const Value& value, Settings& settings) {
  std::string_view name = value.text().value_or("");
  if (is_localhost(name))
    return value.problem("must not be localhost: many servers refuse mail from that name");
  if (!is_ehlo_name(name)) return value.problem("must be a name such as app1.example.com");
  settings.hostname = name;
}

constexpr std::string_view kNode = "the name of this machine in a shared spool, such as app1";

void read_node(const Value& value, Settings& settings) {
  auto name = value.is_null() ? std::string() : value.as_text(kNode);
  if (name) settings.node = std::move(*name);
}

// The report does not repeat the URL, and with it a password.
void read_spool_url(const Value& value, SpoolSettings& spool) {
  if (value.is_null()) return;
  const std::string_view url = value.text().value_or("");
  const bool has_scheme = url.starts_with("postgresql://") || url.starts_with("postgres://");
  if (!has_scheme)
    return value.problem("must be a URL such as postgresql://hikyaku@db.example.net/mail, or null");
  const std::string_view rest = url.substr(url.find("//") + 2);
  const std::string_view user = rest.substr(0, rest.find_first_of("@/?"));
  const bool has_user = user.size() < rest.size() && rest[user.size()] == '@';
  const bool has_password = has_user && user.find(':') != std::string_view::npos;
  if (has_password || url.find("password=") != std::string_view::npos)
    return value.problem(
        "must not have a password in it; put that into a file as HOST:PORT:DATABASE:USER:PASSWORD and name "
        "the file in "
        "$PGPASSFILE, or load it as the service's credential `pgpass`");
  spool.url = url;
}

void read_domain(const Value& value, Settings& settings) {
  std::string_view name = value.text().value_or("");
  if (!is_host_name(name) || is_localhost(name)) return value.problem("must be a domain such as example.com");
  settings.domain = name;
}

void read_listen(const Value& value, Document& document) {
  document.listen.emplace(value);
  document.settings.listen = read_listen(value);
}

// An entry of `allow`: a network, or {network: 10.0.0.2, peer: true}.
struct Allowed {
  std::optional<Network> network;
  bool is_peer = false;
};

void read_network(const Value& value, Allowed& allowed) {
  allowed.network = Network::parse(value.text().value_or(""));
  if (!allowed.network)
    value.problem("must be a network such as \"192.168.0.0/16\" or \"fd00::/8\", or an address");
}

const Schema<Allowed> kAllowed{{"network", {read_network}}, {"peer", boolean(&Allowed::is_peer)}};

Allowed read_allowed(const Value& element) {
  Allowed allowed;
  if (!element.is_map()) {
    read_network(element, allowed);
    return allowed;
  }
  read_map(element, kAllowed, allowed);
  if (!element.has("network")) element.problem("must say which `network`");
  return allowed;
}

void read_allow(const Value& value, Document& document) {
  document.allow.emplace(value);
  document.settings.allow.clear();
  document.settings.peers.clear();
  for (const Value& element : value.elements()) {
    const Allowed allowed = read_allowed(element);
    if (!allowed.network) continue;
    document.settings.allow.push_back(*allowed.network);
    if (allowed.is_peer) document.settings.peers.push_back(*allowed.network);
  }
  if (value.elements().empty()) value.problem("must have at least one network; with none nobody could send");
}

void read_authinfo(const Value& value, Settings& settings) {
  settings.authinfo.is_explicit = true;
  if (auto file = value.as_path()) settings.authinfo.path = *file;
}

void read_aliases(const Value& value, Settings& settings) {
  settings.aliases.is_explicit = true;
  if (auto file = value.as_path()) settings.aliases.path = *file;
}

void read_factor(const Value& value, RetrySettings& retry) {
  if (auto factor = value.as_factor(1, 10)) retry.factor = *factor;
}

void read_from(const Value& value, Document& document) {
  document.from.emplace(value);
  document.from_address = own_address(value);
}

void read_one_smarthost(const Value& value, Document& document) {
  document.smarthost.emplace(value);
  if (auto smarthost = read_smarthost(value)) document.settings.smarthosts.push_back(std::move(*smarthost));
}

void read_several_smarthosts(const Value& value, Document& document) {
  document.smarthosts.emplace(value);
  for (mail::Smarthost& smarthost : read_smarthosts(value))
    document.settings.smarthosts.push_back(std::move(smarthost));
}

void read_all_routes(const Value& value, Document& document) {
  document.settings.routes = read_routes(value, document.route_names);
}

std::optional<YamlNode> show_listen(const Document& document) {
  return show_listen(document.settings.listen);
}
// All in the same form, so that a list has elements of one kind.
std::optional<YamlNode> show_allow(const Document& document) {
  const std::vector<Network>& allow = document.settings.allow;
  const std::vector<Network>& peers = document.settings.peers;
  if (peers.empty()) return to_node(allow);
  YamlNode list{YamlNode::Kind::sequence, {}, {}, {}};
  for (const Network& network : allow) {
    YamlNode entry = map_node();
    add_member(entry, "network", to_node(network));
    add_member(entry, "peer", to_node(std::ranges::find(peers, network) != peers.end()));
    list.items.push_back(std::move(entry));
  }
  return list;
}
std::optional<YamlNode> show_authinfo(const Settings& settings) { return to_node(settings.authinfo.path); }
std::optional<YamlNode> show_aliases(const Settings& settings) { return to_node(settings.aliases.path); }
std::optional<YamlNode> show_smarthosts(const Document& document) {
  YamlNode list{YamlNode::Kind::sequence, {}, {}, {}};
  for (const mail::Smarthost& smarthost : document.settings.smarthosts)
    list.items.push_back(show_smarthost(smarthost));
  return list;
}
std::optional<YamlNode> show_routes(const Document& document) {
  return show_routes(document.settings.routes);
}

constexpr std::uint16_t kDnsPort = 53;

// null states the default.
void read_dns(const Value& value, Settings& settings) {
  if (value.is_null()) return;
  const std::string_view text = value.text().value_or("");
  settings.dns = Endpoint::parse(text);
  if (auto address = IpAddress::parse(text)) settings.dns = Endpoint{*address, kDnsPort};
  if (!settings.dns)
    value.problem(
        "must be the address of a DNS server, such as 192.0.2.53, \"192.0.2.53:53\" or "
        "\"[2001:db8::53]:53\"");
}

// An address, not a name: what is listened on must not depend on a look-up.
void read_metrics(const Value& value, Settings& settings) {
  if (value.is_null()) return;
  settings.metrics = Endpoint::parse(value.text().value_or(""));
  if (!settings.metrics)
    value.problem("must be an address and a port, such as \"127.0.0.1:9725\" or \"[::1]:9725\", or null");
}

// Mail to this machine's own users would go to itself.
void read_local_mail(const Value& value, Settings& settings) {
  auto address = value.is_null() ? std::string() : value.as_address();
  if (address && is_localhost(mail::domain_of(*address)))
    return value.problem("must be a mailbox elsewhere: there are none on this machine");
  if (address) settings.local_mail = std::move(*address);
}

void read_senders(const Value& value, Settings& settings) {
  patterns (&Settings::senders)(value, settings);
  if (value.elements().empty())
    value.problem("must have at least one address or pattern; with none only bounces could be sent");
}

void read_masquerade(const Value& value, Settings& settings) {
  settings.masquerade.clear();
  for (const Value& element : value.elements()) {
    std::string_view name = element.text().value_or("");
    if (is_host_name(name))
      settings.masquerade.emplace_back(name);
    else
      element.problem("must be the name of a host, such as app1.example.com, which becomes `domain`");
  }
}

const Schema<MessageSettings> kMessage{
    {"max_size", size(&MessageSettings::max_size, 1_KiB, 4_GiB)},
    {"max_recipients", count(&MessageSettings::max_recipients, 1, 100'000)},
    {"max_hops", count(&MessageSettings::max_hops, 1, 1000)},
};

const Schema<SpoolSettings> kSpool{
    {"directory", path(&SpoolSettings::directory)},
    {"min_free", size(&SpoolSettings::min_free, {0}, 1024_GiB)},
    {"segment_size", size(&SpoolSettings::segment_size, 1_MiB, 1_GiB)},
    {"url", custom(read_spool_url, &SpoolSettings::url)},
    {"lease", duration(&SpoolSettings::lease, 1s, 10min)},
    {"takeover", duration(&SpoolSettings::takeover, 1s, 1h)},
};

const Schema<LimitSettings> kLimits{
    {"connections", count(&LimitSettings::connections, 1, 100'000)},
    {"per_client", count(&LimitSettings::per_client, 1, 100'000)},
};

constexpr std::string_view kOfAccounts = "._-$@+\\";

bool is_account_name(std::string_view name) {
  auto fits = [](char c) { return is_alpha(c) || is_digit(c) || kOfAccounts.contains(c); };
  return !name.empty() && std::ranges::all_of(name, fits);
}

void read_trusted(const Value& value, SubmitSettings& submit) {
  for (const Value& element : value.elements()) {
    std::string_view name = element.text().value_or("");
    if (is_account_name(name))
      submit.trusted.emplace_back(name);
    else
      element.problem("must be the name of a user or a group of this machine, such as www-data");
  }
}

const Schema<SubmitSettings> kSubmit{
    {"trusted", custom(read_trusted, &SubmitSettings::trusted)},
    {"others",
     choice(&SubmitSettings::others, {{"allow", SubmitOthers::allow}, {"rewrite", SubmitOthers::rewrite}})},
};

const Schema<RetrySettings> kRetry{
    {"first", duration(&RetrySettings::first, 100ms, kDay)},
    {"factor", custom(read_factor, &RetrySettings::factor)},
    {"max", duration(&RetrySettings::max, 100ms, 7 * kDay)},
};

void read_retry(const Value& value, QueueSettings& queue) {
  read_map(value, kRetry, queue.retry);
  if (queue.retry.max < queue.retry.first) value.problem("`max` must not be less than `first`");
}

const Schema<QueueSettings> kBounce{
    {"postmaster", address_or_null(&QueueSettings::postmaster)},
    {"return", choice(&QueueSettings::bounce_return,
                      {{"headers", BounceReturn::headers}, {"full", BounceReturn::full}})},
};

void read_bounce(const Value& value, QueueSettings& queue) { read_map(value, kBounce, queue); }
std::optional<YamlNode> show_bounce(const QueueSettings& queue) { return show_map(kBounce, queue); }

const Schema<QueueSettings> kQueue{
    {"lifetime", duration(&QueueSettings::lifetime, 1s, 365 * kDay)},
    {"retry", custom_section(read_retry, &QueueSettings::retry, kRetry)},
    {"delay_notice", duration(&QueueSettings::delay_notice, 0s, 365 * kDay)},
    {"bounce", {read_bounce, show_bounce, keys_of(kBounce)}},
};

const Schema<LogSettings> kLog{
    {"level", choice(&LogSettings::level, {{"error", LogLevel::error},
                                           {"warning", LogLevel::warning},
                                           {"info", LogLevel::info},
                                           {"debug", LogLevel::debug}})},
    {"format",
     choice(&LogSettings::format,
            {{"text", LogFormat::text}, {"json", LogFormat::json}, {"postfix", LogFormat::postfix}})},
    {"addresses",
     choice(&LogSettings::addresses, {{"plain", LogAddresses::plain}, {"masked", LogAddresses::masked}})},
};

void read_dkim_directory(const Value& value, DkimSettings& dkim) {
  dkim.is_explicit = true;
  if (auto directory = value.as_path()) dkim.directory = *directory;
}

// Fields that are not what they were when the mail arrives: a signature over one would break (RFC 6376 5.4).
struct ChangedField {
  std::string_view name;
  std::string_view why;
};
constexpr ChangedField kChanged[] = {
    {"Received", "each server on the way adds one"},
    {"Return-Path", "the recipient's server writes it anew"},
    {"Delivered-To", "the recipient's server adds it"},
    {"Bcc", "servers on the way take it out"},
    {"Resent-Bcc", "servers on the way take it out"},
    {"Authentication-Results", "the recipient's server takes out those of others"},
    {"DKIM-Signature", "other signatures are added, and taken out, on the way"},
};

std::string objection_to_signing(std::string_view name) {
  if (!mail::is_field_name(name))
    return "must be the name of a header field, such as X-Tag, or default for the usual ones";
  const auto changed = std::ranges::find_if(
      kChanged, [name](const ChangedField& each) { return equals_ignoring_case(each.name, name); });
  if (changed == std::end(kChanged)) return "";
  return cat(changed->name, " cannot be signed: ", changed->why, ", and the signature would break");
}

// A name alone is a list of one.
void read_signed_fields(const Value& value, DkimSettings& dkim) {
  bool has_from = false;
  dkim.headers.clear();
  for (const Value& element : value.elements()) {
    const std::string_view name = element.text().value_or("");
    if (const std::string wrong = objection_to_signing(name); !wrong.empty()) return element.problem(wrong);
    if (std::ranges::any_of(dkim.headers, [name](const auto& is) { return equals_ignoring_case(is, name); }))
      return element.problem("this field appears twice");
    has_from = has_from || name == kUsualFields || equals_ignoring_case(name, "From");
    dkim.headers.emplace_back(name);
  }
  if (!has_from)
    value.problem(
        "must have From, or default for the usual fields: a signature that leaves out From counts for nobody "
        "(RFC 6376 5.4)");
}

const Schema<DkimSettings> kDkim{{"directory", custom(read_dkim_directory, &DkimSettings::directory)},
                                 {"headers", custom(read_signed_fields, &DkimSettings::headers)}};

const Read<AuthinfoSettings> kAuthinfoMode =
    choice(&AuthinfoSettings::mode, {{"secret", AuthinfoMode::secret}, {"any", AuthinfoMode::any}});

const Schema<ControlSettings> kControl{
    {"group", text(&ControlSettings::group, "the name of a group of this machine")},
};

Read<Document> in_settings(Read<Settings> read) { return within(&Document::settings, std::move(read)); }

}  // namespace

const Schema<Document>& document_schema() {
  static const Schema<Document> kSchema{
      {"hostname", in_settings(custom(read_hostname, &Settings::hostname))},
      {"domain", in_settings(custom(read_domain, &Settings::domain))},
      {"node", in_settings(custom(read_node, &Settings::node))},
      {"listen", custom(read_listen, show_listen)},
      {"allow", custom(read_allow, show_allow)},
      {"user", in_settings(text(&Settings::user, "the name of a user of this machine"))},
      {"authinfo", in_settings(custom(read_authinfo, show_authinfo))},
      {"authinfo_mode", in_settings(within(&Settings::authinfo, kAuthinfoMode))},
      {"oauth_directory", in_settings(path(&Settings::oauth_directory))},
      {"aliases", in_settings(custom(read_aliases, show_aliases))},
      {"local_mail", in_settings(custom(read_local_mail, &Settings::local_mail))},
      {"senders", in_settings(custom(read_senders, &Settings::senders))},
      {"masquerade", in_settings(custom(read_masquerade, &Settings::masquerade))},
      {"copy_to", in_settings(address_or_null(&Settings::copy_to))},
      {"runtime_directory", in_settings(path(&Settings::runtime_directory))},
      {"shutdown_grace", in_settings(duration(&Settings::shutdown_grace, 0s, 1h))},
      {"from", short_for_others(read_from)},
      {"smarthost", short_for_others(read_one_smarthost)},
      {"smarthosts", custom(read_several_smarthosts, show_smarthosts)},
      {"routes", custom(read_all_routes, show_routes)},
      {"message", in_settings(section(&Settings::message, kMessage))},
      {"spool", in_settings(section(&Settings::spool, kSpool))},
      {"memory", in_settings(size(&Settings::memory, 1_MiB, 1024_GiB))},
      {"limits", in_settings(section(&Settings::limits, kLimits))},
      {"submit", in_settings(section(&Settings::submit, kSubmit))},
      {"queue", in_settings(section(&Settings::queue, kQueue))},
      {"control", in_settings(section(&Settings::control, kControl))},
      {"log", in_settings(section(&Settings::log, kLog))},
      {"dkim", in_settings(section(&Settings::dkim, kDkim))},
      {"dns", in_settings(custom(read_dns, &Settings::dns))},
      {"metrics", in_settings(custom(read_metrics, &Settings::metrics))},
  };
  return kSchema;
}

std::vector<std::string> setting_keys() { return keys_of(document_schema()); }

}  // namespace hikyaku::config
