// SPDX-License-Identifier: MIT
#include "spool/postgresql/link.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "daemon/base/text.h"
#include "spool/postgresql/statements.h"

namespace hikyaku::postgresql {
namespace {

constexpr Duration kBetweenTries = 500ms;
// To connect: a host that is silent must not keep the others from being asked.
constexpr Duration kLongestTry = 10s;
constexpr std::string_view kSchemes[] = {"postgresql://", "postgres://"};

bool has_scheme(std::string_view url) {
  return std::ranges::any_of(kSchemes, [&](std::string_view scheme) { return url.starts_with(scheme); });
}

// A unit's LoadCredential=pgpass:… ; whoever has set PGPASSFILE means that.
std::string passfile_of_service() {
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (directory == nullptr || std::getenv("PGPASSFILE") != nullptr) return "";
  std::string path = cat(directory, "/pgpass");
  return ::access(path.c_str(), R_OK) == 0 ? path : "";
}

// What is the same for all connections, unless the URL says otherwise: no Kerberos, which asks servers of its own.
Keywords with_defaults(Keywords keywords) {
  auto add = [&](const char* keyword, std::string value) {
    const bool is_there =
        std::ranges::find(keywords, keyword, &Keywords::value_type::first) != keywords.end();
    if (!is_there && !value.empty()) keywords.emplace_back(keyword, std::move(value));
  };
  add("gssencmode", "disable");
  add("application_name", "hikyaku");
  add("keepalives_idle", "10");
  add("passfile", passfile_of_service());
  return keywords;
}

struct Host {
  std::string name, address, port;
};

// libpq wants a list of each.
std::string list_of(const std::vector<Host>& hosts, std::string Host::* what) {
  std::string list;
  for (const Host& host : hosts) list += cat(&host == hosts.data() ? "" : ",", host.*what);
  return list;
}

bool needs_no_look_up(std::string_view host) {
  return host.empty() || host.front() == '/' || host.front() == '@';
}

}  // namespace

Result<Address, std::string> Address::parse(const std::string& url) {
  if (!has_scheme(url))
    return std::unexpected("must be a URL such as postgresql://hikyaku@db.example.net/mail");
  auto pq = libpq();
  if (!pq) return std::unexpected(pq.error());
  char* complaint = nullptr;
  std::unique_ptr<PQconninfoOption, decltype(&::PQconninfoFree)> options(
      (*pq)->parse_url(url.c_str(), &complaint), (*pq)->free_options);
  (*pq)->free_memory(complaint);  // which repeats the URL
  if (!options) return std::unexpected("is no URL that PostgreSQL understands");
  Keywords keywords;
  for (const PQconninfoOption* each = options.get(); each->keyword != nullptr; ++each)
    if (each->val != nullptr) keywords.emplace_back(each->keyword, each->val);
  Address address(with_defaults(std::move(keywords)));
  if (!address.value_of("password").empty())
    return std::unexpected("must not have a password in it: put that into a file and name it in $PGPASSFILE");
  return address;
}

std::string Address::value_of(std::string_view keyword) const {
  auto found = std::ranges::find(keywords_, keyword, &Keywords::value_type::first);
  return found == keywords_.end() ? "" : found->second;
}

std::string Address::shown() const {
  const std::string user = value_of("user");
  return printable(
      cat("postgresql://", user, user.empty() ? "" : "@", value_of("host"), "/", value_of("dbname")));
}

Task<Result<Keywords, std::string>> Address::resolved(io::Resolver& resolver, io::Until until,
                                                      std::size_t first) const {
  const std::string host_list = value_of("host"), port_list = value_of("port");
  if (host_list.empty() || !value_of("hostaddr").empty()) co_return keywords_;
  const auto names = split(host_list, ',');
  const auto ports = split(port_list, ',');
  std::vector<Host> hosts;
  std::string trouble;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string_view port = ports[std::min(i, ports.size() - 1)];
    if (needs_no_look_up(names[i])) {
      hosts.push_back({std::string(names[i]), "", std::string(port)});
      continue;
    }
    auto addresses = co_await resolver.resolve(std::string(names[i]), until);
    if (!addresses) trouble = cat(names[i], ": ", addresses.error().text);
    if (!addresses) continue;
    for (const IpAddress& address : *addresses)
      hosts.push_back({std::string(names[i]), address.to_text(), std::string(port)});
  }
  if (hosts.empty()) co_return std::unexpected(trouble);
  std::ranges::rotate(hosts, hosts.begin() + static_cast<std::ptrdiff_t>(first % hosts.size()));
  Keywords resolved = keywords_;
  std::erase_if(resolved, [](const auto& each) { return each.first == "host" || each.first == "port"; });
  resolved.emplace_back("host", list_of(hosts, &Host::name));
  resolved.emplace_back("hostaddr", list_of(hosts, &Host::address));
  if (!port_list.empty()) resolved.emplace_back("port", list_of(hosts, &Host::port));
  co_return resolved;
}

Task<Result<Results, DatabaseError>> Link::run(Statements statements) {
  while (is_busy_) co_await free_.wait({});
  is_busy_ = true;
  auto results = co_await run_now(statements);
  is_busy_ = false;
  free_.notify();
  co_return results;
}

void Link::set_on_ring(std::function<void()> on_ring) {
  on_ring_ = std::move(on_ring);
  if (connection_) connection_->set_on_ring(on_ring_);
}

Task<Result<Results, DatabaseError>> Link::run_now(const Statements& statements) {
  if (connection_ && connection_->is_broken()) connection_.reset();
  auto connected = co_await connect();
  if (!connected) co_return std::unexpected(connected.error());
  auto results = co_await connection_->run(statements, loop_.within(options_.answer));
  if (!results && results.error().kind != DatabaseErrorKind::refused) connection_.reset();
  co_return results;
}

Task<Result<void, DatabaseError>> Link::connect() {
  if (connection_) co_return {};
  if (trouble_ && loop_.now() < next_try_) co_return std::unexpected(*trouble_);
  auto connected = co_await connect_anew(loop_.within(std::min(options_.answer, kLongestTry)));
  trouble_.reset();
  if (!connected) {
    connection_.reset();
    ++first_host_;
    trouble_ = DatabaseError{DatabaseErrorKind::unreachable, connected.error().text};
    next_try_ = loop_.now() + kBetweenTries;
    co_return std::unexpected(*trouble_);
  }
  co_return {};
}

Task<Result<void, DatabaseError>> Link::connect_anew(io::Until until) {
  auto keywords = co_await address_.resolved(resolver_, until, first_host_);
  if (!keywords) co_return fail(DatabaseErrorKind::unreachable, keywords.error());
  auto connection = co_await Connection::open(loop_, pq_, std::move(*keywords), until);
  if (!connection) co_return std::unexpected(connection.error());
  connection_ = std::move(*connection);
  connection_->set_on_ring(on_ring_);
  const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(options_.statement_timeout);
  Statements set_up{{&kSession, {text(cat(std::to_string(limit.count()), "ms"))}}};
  auto done = co_await connection_->run(set_up, until);
  if (!done) co_return std::unexpected(done.error());
  co_return {};
}

}  // namespace hikyaku::postgresql
