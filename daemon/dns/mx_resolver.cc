// SPDX-License-Identifier: MIT
#include "daemon/dns/mx_resolver.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/dns/domain_name.h"
#include "daemon/io/nursery.h"

namespace hikyaku::dns {

using mail::FailureKind;

// One domain and what is known of it so far.
struct MxResolver::Search {
  std::string domain;
  std::vector<MailHost> hosts = {};
  std::string trouble = {};  // of an address that could not be looked up
  bool is_kept = false;      // that there is nothing came from the cache
};

struct MxResolver::Addresses {
  Answer v6;
  Answer v4;
};

namespace {

DestinationError temporary(std::string trouble) {
  return {FailureKind::lookup_failed, false, std::move(trouble)};
}

DestinationError permanent(FailureKind kind, std::string detail = {}) {
  return {kind, true, std::move(detail)};
}

// The root as the only server says that there is none; beside others it is a mistake, and is left out.
bool is_null_mx(const std::vector<MxRecord>& exchanges) {
  return std::ranges::all_of(exchanges, [](const MxRecord& record) { return record.exchange.empty(); });
}

// Not the domain's own absence: that its servers have no address.
std::string servers_of(const std::string& domain) { return cat(domain, " servers"); }

std::string without_brackets(std::string_view domain) {
  const bool has_brackets = domain.starts_with('[') && domain.ends_with(']');
  return std::string(has_brackets ? domain.substr(1, domain.size() - 2) : domain);
}

}  // namespace

MxResolver::MxResolver(io::Loop& loop, RecordSource& records, Ourselves ourselves, Jitter jitter)
    : loop_(loop), records_(records), ourselves_(std::move(ourselves)), jitter_(std::move(jitter)) {}

Task<DestinationAnswer> MxResolver::resolve(std::string domain, std::uint16_t port, io::Until until) {
  auto found = co_await find(domain, port, until);
  const bool is_cancelled = until.cancel != nullptr && until.cancel->is_requested();
  if (!found && found.error().kind == FailureKind::lookup_failed && !is_cancelled) failures_.failed(domain);
  co_return found;
}

Task<DestinationAnswer> MxResolver::find(std::string domain, std::uint16_t port, io::Until until) {
  until.deadline = std::min(until.deadline, loop_.now() + kLimit);
  auto literal = parse_address_literal(domain);
  if (!literal) literal = IpAddress::parse(domain);
  if (literal) {
    MailHost host{.name = literal->to_text(), .addresses = {*literal}};
    co_return result_of({.domain = std::move(domain), .hosts = {std::move(host)}}, port);
  }
  auto name = to_a_labels(without_brackets(domain));
  if (!name) co_return std::unexpected(permanent(FailureKind::no_such_domain, "it is not a domain name"));
  if (domain.starts_with('[')) {
    auto host = co_await use_host(std::move(*name), port, until);
    co_return host;
  }
  auto servers = co_await look_up(std::move(*name), port, until);
  co_return servers;
}

Task<DestinationAnswer> MxResolver::use_host(std::string host, std::uint16_t port, io::Until until) {
  Search search{.domain = host, .hosts = {{.name = host}}};
  co_await find_addresses(search, until);
  co_return result_of(std::move(search), port);
}

Task<DestinationAnswer> MxResolver::look_up(std::string domain, std::uint16_t port, io::Until until) {
  auto answer = co_await records_.look_up(domain, RecordType::mx, until);
  note(domain, answer);
  if (answer.status == Status::failed) co_return std::unexpected(temporary(std::move(answer.trouble)));
  if (answer.status == Status::no_such_name)
    co_return std::unexpected(absent(domain, FailureKind::no_such_domain, answer.is_kept));
  Search search{.domain = domain};
  if (answer.status == Status::no_data) search.hosts.push_back({.name = domain});
  if (answer.status == Status::found) {
    if (is_null_mx(answer.exchanges)) co_return std::unexpected(permanent(FailureKind::null_mx));
    search.hosts = in_order(std::move(answer.exchanges), jitter_);
  }
  search.is_kept = answer.is_kept && answer.status == Status::no_data;
  co_await find_addresses(search, until);
  co_return result_of(std::move(search), port);
}

// All at the same time: twice kMostHosts look-ups and their aliases at most.
Task<void> MxResolver::find_addresses(Search& search, io::Until until) {
  std::vector<Addresses> found(search.hosts.size());
  io::Nursery nursery(loop_);
  for (std::size_t i = 0; i < found.size(); ++i) {
    nursery.spawn(ask(search.hosts[i].name, RecordType::aaaa, until, found[i].v6));
    nursery.spawn(ask(search.hosts[i].name, RecordType::a, until, found[i].v4));
  }
  co_await nursery.drained({});
  for (std::size_t i = 0; i < found.size(); ++i) take(found[i], search.hosts[i], search);
}

Task<void> MxResolver::ask(std::string name, RecordType type, io::Until until, Answer& into) {
  into = co_await records_.look_up(name, type, until);
  note(name, into);
}

void MxResolver::take(const Addresses& found, MailHost& host, Search& search) {
  for (const Answer* answer : {&found.v4, &found.v6}) {
    if (answer->status == Status::failed) search.trouble = cat(host.name, ": ", answer->trouble);
    search.is_kept = search.is_kept || (answer->is_kept && answer->status != Status::found);
  }
  host.addresses = in_turn(found.v6.addresses, found.v4.addresses);
}

DestinationAnswer MxResolver::result_of(Search search, std::uint16_t port) {
  const bool had_hosts = !search.hosts.empty();
  cut_off_at_ourselves(search.hosts, port, ourselves_);
  if (had_hosts && search.hosts.empty()) return std::unexpected(permanent(FailureKind::mail_loops));
  std::erase_if(search.hosts, [](const MailHost& host) { return host.addresses.empty(); });
  if (!search.hosts.empty()) {
    evidence_.exists(servers_of(search.domain));
    return Destination{std::move(search.domain), std::move(search.hosts)};
  }
  if (!search.trouble.empty()) return std::unexpected(temporary(std::move(search.trouble)));
  return std::unexpected(absent(search.domain, FailureKind::no_mail_server, search.is_kept));
}

// Only what the resolver says itself counts; the cache repeats what it said.
DestinationError MxResolver::absent(const std::string& domain, FailureKind kind, bool is_kept) {
  const std::string what = kind == FailureKind::no_mail_server ? servers_of(domain) : domain;
  return {kind, !is_kept && evidence_.absent(what, loop_.now()), ""};
}

void MxResolver::note(const std::string& name, const Answer& answer) {
  if (answer.is_kept || answer.status == Status::failed) return;
  failures_.succeeded();
  if (answer.status == Status::found) evidence_.found(name, loop_.now());
}

}  // namespace hikyaku::dns
