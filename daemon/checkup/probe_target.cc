// SPDX-License-Identifier: MIT
#include "daemon/checkup/probe_target.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "daemon/base/ip.h"
#include "daemon/base/text.h"
#include "daemon/config/hostname.h"
#include "daemon/config/presets.h"
#include "daemon/dns/domain_name.h"
#include "daemon/mail/address.h"

namespace hikyaku::checkup {
namespace {

using Places = std::vector<Place>;

constexpr std::size_t kShownTarget = 200;

std::unexpected<std::string> no_target(std::string_view text) {
  return std::unexpected(cat("'", printable(text, kShownTarget),
                             "' is none of a host (smtp.example.com), a host with a port "
                             "(smtp.example.com:2525), a mail domain (example.com) and a mail address"));
}

Result<ProbeTarget, std::string> target_of_address(std::string_view text) {
  auto path = mail::parse_path(text, {.default_domain = {}, .smtputf8 = true});
  if (!path) return no_target(text);
  auto domain = dns::to_a_labels(mail::domain_of(path->address));
  if (!domain) return no_target(text);
  return ProbeTarget{.host = {}, .domain = std::move(*domain), .user = std::move(path->address), .port = {}};
}

// A short name, or "localhost", has no mail addresses that others know.
bool may_have_mail(const std::string& host) {
  return !IpAddress::parse(host) && host.find('.') != host.npos && !config::is_localhost(host);
}

// One that is still there.
const config::Preset* alive(const config::Preset* preset) {
  return preset != nullptr && preset->ended.empty() ? preset : nullptr;
}

std::string preset_at(const std::string& host) {
  const config::Preset* preset = alive(config::preset_of_host(host));
  return preset == nullptr ? "" : std::string(preset->name);
}

std::vector<std::uint16_t> usual_ports() { return {std::begin(kUsualPorts), std::end(kUsualPorts)}; }

Place place_at(const std::string& host, std::vector<std::uint16_t> ports, Origin origin) {
  return {.host = host, .ports = std::move(ports), .origin = origin, .preset = preset_at(host)};
}

void add_service(Places& places, const dns::SrvRecord& service) {
  if (!dns::is_host_name(service.target) || service.port == 0) return;
  auto known = std::ranges::find(places, service.target, &Place::host);
  if (known == places.end()) {
    if (places.size() == kMostPlaces) return;
    places.push_back(place_at(service.target, {}, Origin::srv));
    known = std::prev(places.end());
  }
  if (std::ranges::find(known->ports, service.port) == known->ports.end() && known->ports.size() < kMostPorts)
    known->ports.push_back(service.port);
}

// TLS from the first byte is to be preferred (RFC 8314 5.1).
Places places_by_srv(const DomainRecords& records) {
  Places places;
  for (const dns::Answer* answer : {&records.submissions, &records.submission})
    for (const dns::SrvRecord& service : answer->services) add_service(places, service);
  return places;
}

Place place_of(const config::Preset& provider, Origin origin) {
  Place place{.host = std::string(provider.host),
              .ports = usual_ports(),
              .origin = origin,
              .preset = std::string(provider.name)};
  if (std::ranges::find(place.ports, provider.port) == place.ports.end())
    place.ports.insert(place.ports.begin(), provider.port);
  return place;
}

// Of a provider whose accounts have a host each, only those accounts know it.
std::optional<Place> place_by_provider(const std::string& domain, const DomainRecords& records) {
  const config::Preset* provider = alive(config::preset_of_domain(domain));
  if (provider != nullptr && !provider->host.empty()) return place_of(*provider, Origin::provider);
  for (const dns::MxRecord& record : records.mx.exchanges) {
    provider = alive(config::preset_of_mx(record.exchange));
    if (provider != nullptr && !provider->host.empty()) return place_of(*provider, Origin::provider_by_mx);
  }
  return std::nullopt;
}

Places guesses(const ProbeTarget& target) {
  Places places;
  for (const char* label : {"smtp.", "mail."})
    places.push_back(place_at(cat(label, target.domain), usual_ports(), Origin::guess));
  if (!target.host.empty()) places.push_back(place_at(target.host, usual_ports(), Origin::given));
  return places;
}

// A host is looked at once at each port.
void leave_out_known(Places& places, const std::vector<Places>& before) {
  for (const Places& group : before)
    for (const Place& known : group)
      for (Place& place : places)
        if (place.host == known.host)
          std::erase_if(place.ports, [&](std::uint16_t port) {
            return std::ranges::find(known.ports, port) != known.ports.end();
          });
  std::erase_if(places, [](const Place& place) { return place.ports.empty(); });
}

}  // namespace

Result<ProbeTarget, std::string> parse_probe_target(std::string_view text) {
  if (text.find('@') != text.npos) return target_of_address(text);
  auto place = config::parse_host_port(text);
  if (!place)
    if (auto name = dns::to_a_labels(text)) place = config::HostPort{std::move(*name), std::nullopt};
  if (!place) return no_target(text);
  ProbeTarget target{.host = std::move(place->host), .domain = {}, .user = {}, .port = place->port};
  if (!target.port && may_have_mail(target.host)) target.domain = target.host;
  return target;
}

std::string submissions_name(std::string_view domain) { return cat("_submissions._tcp.", domain); }
std::string submission_name(std::string_view domain) { return cat("_submission._tcp.", domain); }

bool is_without_records(const DomainRecords& records) {
  return records.submissions.services.empty() && records.submission.services.empty() &&
         records.mx.exchanges.empty();
}

bool offers_no_submission(const DomainRecords& records) {
  std::vector<dns::SrvRecord> all = records.submissions.services;
  std::ranges::copy(records.submission.services, std::back_inserter(all));
  return !all.empty() &&
         std::ranges::all_of(all, [](const dns::SrvRecord& service) { return service.target.empty(); });
}

std::string_view to_text(Origin origin) {
  switch (origin) {
    case Origin::given: return "given";
    case Origin::srv: return "srv";
    case Origin::provider: return "provider";
    case Origin::provider_by_mx: return "provider_by_mx";
    case Origin::guess: break;
  }
  return "guess";
}

std::vector<Places> places_for(const ProbeTarget& target, const std::optional<DomainRecords>& records) {
  const bool may_be_domain =
      (records && !is_without_records(*records)) || config::preset_of_domain(target.domain) != nullptr;
  if (!target.host.empty() && (!may_be_domain || !preset_at(target.host).empty()))
    return {{place_at(target.host, target.port ? std::vector{*target.port} : usual_ports(), Origin::given)}};
  std::vector<Places> groups;
  const DomainRecords said = records.value_or(DomainRecords{});
  if (Places named = places_by_srv(said); !named.empty()) groups.push_back(std::move(named));
  if (auto provider = place_by_provider(target.domain, said)) groups.push_back({*provider});
  if (offers_no_submission(said)) return groups;
  Places guessed = guesses(target);
  leave_out_known(guessed, groups);
  groups.push_back(std::move(guessed));
  return groups;
}

bool is_within(std::string_view host, std::string_view domain) {
  if (domain.empty() || !host.ends_with(domain)) return false;
  return host.size() == domain.size() || host[host.size() - domain.size() - 1] == '.';
}

}  // namespace hikyaku::checkup
