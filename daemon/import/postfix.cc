// SPDX-License-Identifier: MIT
// Postfix's main.cf (postconf(5)). A table says what becomes of each parameter; postfix_smarthosts.h has those
// that say where mail goes.
#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/hostname.h"
#include "daemon/import/import.h"
#include "daemon/import/postfix_parameters.h"
#include "daemon/import/postfix_smarthosts.h"

namespace hikyaku::importing {
namespace {

struct Context {
  const PostfixParameters& parameters;
  const ReadText& read;
  Imported& imported;
};

struct Given {
  std::string_view name;
  std::string value;  // expanded
  Place place;
};

using Handler = void (*)(const Given& given, Context& context);

// "30s", "2h", "1d", "1w"; `unit` where there is none.
std::optional<Duration> postfix_time(std::string_view text, Duration unit) {
  text = trim(text);
  static constexpr std::pair<char, Duration> kUnits[] = {
      {'s', 1s}, {'m', 1min}, {'h', 1h}, {'d', 24h}, {'w', 7 * 24h}};
  for (const auto& [letter, length] : kUnits)
    if (text.ends_with(letter)) {
      unit = length;
      text.remove_suffix(1);
      break;
    }
  auto number = parse_number(text);
  if (!number || *number > 100'000) return std::nullopt;
  return static_cast<std::int64_t>(*number) * unit;
}

template <class T>
void set_time(const Given& given, Context& context, T config::Settings::* section, Duration T::* member,
              Duration unit, Duration least, Duration most) {
  auto time = postfix_time(given.value, unit);
  if (!time) return context.imported.remark_unusable(given.place, given.name);
  context.imported.settings.*section.*member = std::clamp(*time, least, most);
}

void import_hostname(const Given& given, Context& context) {
  if (config::is_full_name(given.value) && config::is_host_name(given.value))
    context.imported.settings.hostname = to_lower(given.value);
  else if (!config::is_localhost(given.value))
    context.imported.remark(given.place, given.name,
                            "is no full name, so `hostname` stays this machine's own");
}

// A file, or a domain.
void import_origin(const Given& given, Context& context) {
  std::string name = given.value;
  if (name == "/etc/mailname") return context.imported.ignore(given.name);  // the default of `domain`
  if (name.starts_with('/')) {
    auto text = context.read(name);
    name = text ? std::string(trim(text->substr(0, text->find('\n')))) : "";
  }
  if (config::is_host_name(name) && !config::is_localhost(name))
    context.imported.settings.domain = to_lower(name);
  else
    context.imported.remark_unusable(given.place, given.name);
}

void import_networks(const Given& given, Context& context) {
  std::vector<Network> networks;
  for (std::string_view word : list_of(given.value)) {
    std::string text(word);
    std::erase_if(text, [](char c) { return c == '[' || c == ']'; });
    if (auto network = Network::parse(text))
      networks.push_back(*network);
    else
      context.imported.remark(
          given.place, given.name,
          "has an entry that is no network (a file, a table, an exception), which was left "
          "out of `allow`");
  }
  auto& allow = context.imported.settings.allow;
  auto is_usual = [&](const Network& network) {
    return network.to_text() == "::ffff:127.0.0.0/104" || std::ranges::find(allow, network) != allow.end();
  };
  if (!std::ranges::all_of(networks, is_usual) && !networks.empty()) allow = std::move(networks);
}

bool admits_others(const config::Settings& settings) {
  return std::ranges::any_of(settings.allow, [](const Network& network) {
    const std::string text = network.to_text();
    return !text.starts_with("127.") && !text.starts_with("::1") && !text.starts_with("::ffff:127.");
  });
}

std::vector<IpAddress> interfaces_of(const Given& given, Context& context) {
  const std::string protocols = context.parameters.value_of("inet_protocols");
  std::vector<IpAddress> addresses;
  for (std::string_view word : list_of(given.value)) {
    std::string text(word);
    std::erase_if(text, [](char c) { return c == '[' || c == ']'; });
    if (config::is_localhost(text)) text = "127.0.0.1";
    auto address = IpAddress::parse(text);
    if (text == "all" && protocols != "ipv6") addresses.push_back(*IpAddress::parse("0.0.0.0"));
    if (text == "all" && protocols != "ipv4") addresses.push_back(*IpAddress::parse("::"));
    if (address && std::ranges::find(addresses, *address) == addresses.end()) addresses.push_back(*address);
    if (!address && text != "all")
      context.imported.remark(given.place, given.name, "names a host; write its address into `listen`");
  }
  return addresses;
}

// Beyond loopback only where others may send: hikyaku would refuse to begin, and there is no mail for mailboxes.
void import_interfaces(const Given& given, Context& context) {
  if (given.value == "loopback-only" || config::is_localhost(given.value)) return;
  std::vector<IpAddress> addresses = interfaces_of(given, context);
  const bool is_closed = !admits_others(context.imported.settings);
  const bool is_less =
      is_closed && std::erase_if(addresses, [](const IpAddress& each) { return !each.is_loopback(); }) > 0;
  if (is_less)
    context.imported.remark(
        given.place, given.name,
        "goes beyond this machine, but mynetworks lets only this machine send, so `listen` "
        "does not: hikyaku takes no mail from outside for mailboxes");
  if (addresses.empty()) return;
  config::ListenSettings listen{{}, true};
  for (const IpAddress& address : addresses) listen.endpoints.push_back({address, 25});
  context.imported.settings.listen = std::move(listen);
}

void import_size(const Given& given, Context& context) {
  auto bytes = parse_number(given.value);
  if (!bytes) return context.imported.remark_unusable(given.place, given.name);
  const ByteSize most = 4_GiB;
  const std::uint64_t wished = *bytes == 0 ? most.bytes : *bytes;
  context.imported.settings.message.max_size = {std::clamp<std::uint64_t>(wished, 1024, most.bytes)};
}

void import_lifetime(const Given& given, Context& context) {
  set_time(given, context, &config::Settings::queue, &config::QueueSettings::lifetime, 24h, 1s, 365 * 24h);
}

void import_delay(const Given& given, Context& context) {
  set_time(given, context, &config::Settings::queue, &config::QueueSettings::delay_notice, 1h, 0s, 365 * 24h);
}

void import_first_retry(const Given& given, Context& context) {
  auto& retry = context.imported.settings.queue.retry;
  if (auto time = postfix_time(given.value, 1s)) retry.first = std::clamp<Duration>(*time, 1s, 24h);
  retry.max = std::max(retry.max, retry.first);
}

void import_longest_retry(const Given& given, Context& context) {
  auto& retry = context.imported.settings.queue.retry;
  if (auto time = postfix_time(given.value, 1s))
    retry.max = std::clamp<Duration>(*time, retry.first, 7 * 24h);
}

void import_copy(const Given& given, Context& context) {
  if (auto address = plain_address(given.value))
    context.imported.settings.copy_to = *address;
  else
    context.imported.remark_unusable(given.place, given.name);
}

void import_aliases(const Given& given, Context& context) {
  const std::size_t colon = given.value.find(':');
  const std::string path = given.value.substr(colon == std::string::npos ? 0 : colon + 1);
  const bool is_one_file = path.starts_with('/') && list_of(given.value).size() == 1;
  if (!is_one_file && !given.value.empty())
    return context.imported.remark(given.place, given.name,
                                   "is not one file; put all aliases into one and write it into `aliases`");
  if (is_one_file && path != context.imported.settings.aliases.path)
    context.imported.settings.aliases = {path, true};
}

void import_destinations(const Given& given, Context& context) {
  std::vector<std::string> others;
  for (std::string_view name : list_of(given.value)) {
    const bool is_own = config::is_localhost(name) || name.starts_with("localhost.") ||
                        equals_ignoring_case(name, context.parameters.value_of("myhostname"));
    if (!is_own) others.push_back(printable(name, 100));
  }
  if (others.empty()) return;
  context.imported.remark(
      given.place, given.name,
      cat("mail for ", join(others, ", "),
          " stayed on this machine; hikyaku has no mailboxes and sends it on like any other. `local_mail` "
          "says where mail for users of this machine goes"));
}

void import_masquerade(const Given& given, Context& context) {
  config::Settings& settings = context.imported.settings;
  const std::string host = context.parameters.value_of("myhostname");
  const std::string domain = context.parameters.value_of("myorigin");
  for (std::string_view name : list_of(given.value)) {
    const bool hides_host = host.ends_with(cat(".", name));
    if (hides_host && (settings.domain.empty() || settings.domain == name || domain == host)) {
      settings.domain = to_lower(name);
      settings.masquerade = {to_lower(host)};
    } else {
      context.imported.remark(
          given.place, given.name,
          "hides hosts below a domain; name them in `masquerade`, and the domain in `domain`");
    }
  }
}

void import_connections(const Given& given, Context& context) {
  auto number = parse_number(given.value);
  if (!number || *number == 0) return context.imported.remark_unusable(given.place, given.name);
  for (mail::Smarthost& smarthost : context.imported.settings.smarthosts)
    smarthost.connections = static_cast<std::uint32_t>(std::min<std::uint64_t>(*number, 1000));
}

// One mail each N seconds.
void import_rate_delay(const Given& given, Context& context) {
  auto delay = postfix_time(given.value, 1s);
  if (!delay) return context.imported.remark_unusable(given.place, given.name);
  if (*delay == 0s) return;
  const bool is_second = *delay == 1s;
  const auto per_hour = std::max<std::int64_t>(1, Duration(1h) / *delay);
  const mail::Rate rate = is_second ? mail::Rate{1, mail::RateUnit::second}
                                    : mail::Rate{static_cast<std::uint32_t>(per_hour), mail::RateUnit::hour};
  for (mail::Smarthost& smarthost : context.imported.settings.smarthosts) smarthost.rates = {rate};
  if (!is_second)
    context.imported.remark(given.place, given.name,
                            cat("became `rate: ", mail::to_text(rate), "`, which allows several at a time"));
}

void import_connect_timeout(const Given& given, Context& context) {
  auto time = postfix_time(given.value, 1s);
  if (!time || *time == 0s) return context.imported.remark_unusable(given.place, given.name);
  for (mail::Smarthost& smarthost : context.imported.settings.smarthosts)
    smarthost.timeout.connect = std::min<Duration>(*time, 24h);
}

void import_addresses(const Given& given, Context& context) {
  import_address_map(read_maps(given.value, given.place, given.name, context.read, context.imported),
                     given.place, given.name, context.imported);
}

// What is said of parameters that have no counterpart, where they are not empty.
constexpr std::string_view kFilters =
    "hikyaku hands mail to no filter; what signs or scans has to stand behind it, at the smarthost";
constexpr std::string_view kChecks =
    "hikyaku has no patterns over the content; single fields are added or removed by a smarthost's `headers`";
constexpr std::string_view kCopies =
    "copies that depend on an address have no counterpart; `copy_to` copies every mail";
constexpr std::string_view kVirtual =
    "hikyaku has no mailboxes and no virtual domains; redirect names of this machine in the aliases file";

template <const std::string_view& kWords>
void remark_on(const Given& given, Context& context) {
  if (!given.value.empty()) context.imported.remark(given.place, given.name, std::string(kWords));
}

struct Row {
  std::string_view name;
  Handler handler;
};

// In the order in which they have to be looked at: `listen` depends on `allow`.
constexpr Row kRows[] = {
    {"myhostname", import_hostname},
    {"myorigin", import_origin},
    {"mynetworks", import_networks},
    {"inet_interfaces", import_interfaces},
    {"message_size_limit", import_size},
    {"maximal_queue_lifetime", import_lifetime},
    {"delay_warning_time", import_delay},
    {"minimal_backoff_time", import_first_retry},
    {"maximal_backoff_time", import_longest_retry},
    {"always_bcc", import_copy},
    {"alias_maps", import_aliases},
    {"mydestination", import_destinations},
    {"masquerade_domains", import_masquerade},
    {"smtp_destination_concurrency_limit", import_connections},
    {"smtp_destination_rate_delay", import_rate_delay},
    {"default_destination_rate_delay", import_rate_delay},
    {"smtp_connect_timeout", import_connect_timeout},
    {"smtp_generic_maps", import_addresses},
    {"sender_canonical_maps", import_addresses},
    {"canonical_maps", import_addresses},
    {"recipient_canonical_maps", remark_on<kCopies>},
    {"sender_bcc_maps", remark_on<kCopies>},
    {"recipient_bcc_maps", remark_on<kCopies>},
    {"virtual_alias_maps", remark_on<kVirtual>},
    {"virtual_mailbox_domains", remark_on<kVirtual>},
    {"virtual_alias_domains", remark_on<kVirtual>},
    {"relay_domains", remark_on<kVirtual>},
    {"content_filter", remark_on<kFilters>},
    {"smtpd_milters", remark_on<kFilters>},
    {"non_smtpd_milters", remark_on<kFilters>},
    {"header_checks", remark_on<kChecks>},
    {"body_checks", remark_on<kChecks>},
    {"smtp_header_checks", remark_on<kChecks>},
};

// What has no meaning for a relay that takes mail from this machine and its network only, or is as hikyaku does
// it anyway.
constexpr std::string_view kUnneeded[] = {"alias_database",
                                          "append_dot_mydomain",
                                          "biff",
                                          "compatibility_level",
                                          "debugger_command",
                                          "debug_peer_level",
                                          "header_size_limit",
                                          "home_mailbox",
                                          "inet_protocols",
                                          "local_recipient_maps",
                                          "local_transport",
                                          "mail_owner",
                                          "mail_spool_directory",
                                          "mailbox_command",
                                          "mailbox_size_limit",
                                          "mydomain",
                                          "readme_directory",
                                          "recipient_delimiter",
                                          "setgid_group",
                                          "smtputf8_enable",
                                          "strict_rfc821_envelopes",
                                          "unknown_local_recipient_reject_code",
                                          "myorigin",
                                          "mynetworks_style",
                                          "disable_vrfy_command",
                                          "bounce_queue_lifetime",
                                          "queue_run_delay"};
constexpr std::string_view kUnneededPrefixes[] = {"smtpd_",
                                                  "postscreen_",
                                                  "tls_",
                                                  "lmtp_",
                                                  "local_",
                                                  "virtual_",
                                                  "smtp_tls_session_cache",
                                                  "smtp_tls_loglevel",
                                                  "smtp_tls_note_starttls",
                                                  "smtp_tls_mandatory_ciphers"};
constexpr std::string_view kUnneededEnds[] = {"_directory", "_path"};

bool is_unneeded(std::string_view name) {
  return std::ranges::find(kUnneeded, name) != std::end(kUnneeded) ||
         std::ranges::any_of(kUnneededPrefixes, [&](auto prefix) { return name.starts_with(prefix); }) ||
         std::ranges::any_of(kUnneededEnds, [&](auto end) { return name.ends_with(end); });
}

bool has_handler(std::string_view name) {
  return std::ranges::find(kRows, name, &Row::name) != std::end(kRows);
}

void account_for(const Parameter& parameter, Context& context) {
  const std::string& name = parameter.name;
  if (has_handler(name) || is_about_postfix_smarthosts(name) || context.parameters.is_used(name)) return;
  if (is_unneeded(name)) return context.imported.ignore(name);
  context.imported.remark(parameter.place, name, "has no counterpart and was left out");
}

}  // namespace

Imported import_postfix(std::string_view text, const std::string& file, const ReadText& read) {
  Imported imported;
  std::vector<Place> wrong;
  const PostfixParameters parameters(text, file, wrong);
  for (const Place& place : wrong) imported.remark(place, "", "is no line NAME = VALUE, and was left out");
  import_postfix_smarthosts(parameters, read, imported);
  Context context{parameters, read, imported};
  for (const Row& row : kRows)
    if (const Parameter* parameter = parameters.find(row.name))
      row.handler({row.name, parameters.expand(parameter->value), parameter->place}, context);
  for (const Parameter& parameter : parameters.all()) account_for(parameter, context);
  imported.finish();
  imported.remark(
      {directory_of(file) + "/master.cf", 0}, "",
      "was not read: services that were added there, such as a submission port or a filter, have no "
      "counterpart");
  return imported;
}

}  // namespace hikyaku::importing
