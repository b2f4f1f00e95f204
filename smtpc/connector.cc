// SPDX-License-Identifier: MIT
#include "smtpc/connector.h"

#include <algorithm>
#include <utility>

#include "daemon/base/error.h"
#include "daemon/base/text.h"
#include "daemon/io/socket_stream.h"
#include "smtpc/reply_words.h"

namespace hikyaku::smtpc {
namespace {

constexpr Duration kLookUpTimeout = 10s;

io::Until earlier(io::Until until, Instant deadline) {
  return {std::min(until.deadline, deadline), until.cancel};
}

// The higher the more it tells.
int telling(IoErrorKind kind) {
  switch (kind) {
    case IoErrorKind::cancelled: return 5;  // it is over, whatever the others said
    case IoErrorKind::refused: return 4;
    case IoErrorKind::access_denied: return 3;  // a local firewall
    case IoErrorKind::timeout: return 2;
    case IoErrorKind::unreachable: return 0;
    default: return 1;
  }
}

bool has_servers(const mail::Smarthost& smarthost) { return smarthost.lookup_mx || smarthost.direct; }

bool is_silence(const Attempt& attempt) {
  return attempt.error.kind == IoErrorKind::timeout || attempt.error.kind == IoErrorKind::unreachable;
}

// Where nothing would be verified nobody is worse off, and the mail arrives. Not after bytes that somebody
// has slipped in.
bool may_go_without_tls(const mail::Smarthost& smarthost, const mail::Failure& failure) {
  const bool is_optional =
      smarthost.direct && smarthost.tls.mode == mail::TlsMode::opportunistic && !smarthost.tls.verify;
  // In TLS 1.3 what the server thinks of our handshake comes with its next words.
  const bool has_failed = failure.stage == mail::Stage::tls ||
                          (failure.stage == mail::Stage::ehlo && failure.encrypted && !failure.reply);
  return is_optional && has_failed && failure.kind != mail::FailureKind::injected_after_starttls;
}

// Too many connections of ours are no reason to besiege its neighbours.
bool may_others_do_better(const mail::Smarthost& smarthost, const mail::Failure& failure) {
  const bool is_about_server = failure.stage >= mail::Stage::greeting && failure.stage <= mail::Stage::ehlo &&
                               failure.io != IoErrorKind::cancelled &&
                               failure.kind != mail::FailureKind::ourselves;
  const bool is_crowded = failure.reply && words_of(*failure.reply).connections;
  return has_servers(smarthost) && is_about_server && !is_crowded && !failure.address.empty();
}

mail::Failure ourselves(const mail::Smarthost& smarthost, const Endpoint& endpoint) {
  mail::Failure failure = make_failure(smarthost, mail::Stage::connect, mail::FailureKind::ourselves);
  failure.address = endpoint.to_text();
  return failure;
}

}  // namespace

const Attempt& most_telling(const std::vector<Attempt>& attempts) {
  check(!attempts.empty(), "no attempt to choose from");
  return *std::ranges::max_element(attempts, {},
                                   [](const Attempt& attempt) { return telling(attempt.error.kind); });
}

mail::Failure make_failure(const mail::Smarthost& smarthost, const dns::DestinationError& error) {
  mail::Failure failure = mail::make_failure(smarthost, mail::Stage::lookup, error.kind);
  failure.detail = error.detail;
  if (error.is_permanent && smarthost.direct) failure.concerns = mail::Concerns::recipient;
  return failure;
}

struct SystemConnector::Attempts {
  std::vector<Attempt> all;
  Servers servers;
};

SystemConnector::SystemConnector(io::Loop& loop, io::Resolver& resolver,
                                 dns::DestinationResolver& destinations, IsOurs is_ours)
    : loop_(loop), resolver_(resolver), destinations_(destinations), is_ours_(std::move(is_ours)) {}

mail::Failure SystemConnector::sum_up(const mail::Smarthost& smarthost, const Attempts& failed) {
  const Attempt& worst = most_telling(failed.all);
  mail::Failure failure = make_failure(smarthost, mail::Stage::connect, worst.error);
  failure.address = worst.to.to_text();
  auto server = std::ranges::find(failed.servers, worst.to, &Server::at);
  if (smarthost.direct && server != failed.servers.end()) failure.host = server->name;
  for (const Attempt& attempt : failed.all)
    if (&attempt != &worst) failure.detail += cat("; ", attempt.to.to_text(), ": ", attempt.error.text);
  if (smarthost.direct && std::ranges::all_of(failed.all, is_silence)) silent_.failed(smarthost.host);
  return failure;
}

Task<Result<SystemConnector::Servers, mail::Failure>> SystemConnector::look_up(
    const mail::Smarthost& smarthost, io::Until until) {
  if (has_servers(smarthost)) {
    auto found = co_await look_up_servers(smarthost, until);
    co_return found;
  }
  auto addresses = co_await resolver_.resolve(smarthost.host, earlier(until, loop_.now() + kLookUpTimeout));
  if (!addresses) co_return std::unexpected(make_failure(smarthost, mail::Stage::lookup, addresses.error()));
  Servers servers;
  for (const IpAddress& address : *addresses) servers.push_back({{address, smarthost.port}, ""});
  co_return servers;
}

Task<Result<SystemConnector::Servers, mail::Failure>> SystemConnector::look_up_servers(
    const mail::Smarthost& smarthost, io::Until until) {
  auto found = co_await destinations_.resolve(smarthost.host, smarthost.port, until);
  if (!found) co_return std::unexpected(make_failure(smarthost, found.error()));
  Servers servers;
  for (const dns::MailHost& host : found->hosts)
    for (const IpAddress& address : host.addresses) servers.push_back({{address, smarthost.port}, host.name});
  co_return servers;
}

Task<Result<io::StreamPtr, mail::Failure>> SystemConnector::dial(const mail::Smarthost& smarthost,
                                                                 io::Until until) {
  auto servers = co_await look_up(smarthost, until);
  if (!servers) co_return std::unexpected(servers.error());
  if (has_servers(smarthost)) {
    leave_out_avoided(*servers);
    until = earlier(until, loop_.now() + kDialDestination);
  }
  auto stream = co_await dial_each(smarthost, std::move(*servers), until);
  co_return stream;
}

Task<Result<io::StreamPtr, mail::Failure>> SystemConnector::dial_each(const mail::Smarthost& smarthost,
                                                                      Servers servers, io::Until until) {
  Attempts failed{.all = {}, .servers = std::move(servers)};
  for (const Server& server : failed.servers) {
    if (!failed.all.empty() && until.deadline <= loop_.now()) break;
    auto stream = co_await io::connect_tcp(
        loop_, server.at, earlier(until, loop_.now() + smarthost.timeout.connect), server.name);
    if (stream && is_ours_(server.at)) co_return std::unexpected(ourselves(smarthost, server.at));
    if (stream && smarthost.direct) silent_.succeeded();
    if (stream) co_return std::move(*stream);
    failed.all.push_back({server.at, stream.error()});
    if (stream.error().kind == IoErrorKind::cancelled) break;
    if (has_servers(smarthost)) avoided_.add(server.at.to_text(), loop_.now());
  }
  co_return std::unexpected(sum_up(smarthost, failed));
}

bool SystemConnector::is_avoided(const Server& server) const {
  return avoided_.has(server.at.to_text(), loop_.now());
}

// All of them have failed: they are all tried again.
void SystemConnector::leave_out_avoided(Servers& servers) {
  if (std::ranges::all_of(servers, [this](const Server& server) { return is_avoided(server); }))
    for (const Server& server : servers) avoided_.remove(server.at.to_text());
  else
    std::erase_if(servers, [this](const Server& server) { return is_avoided(server); });
}

Task<bool> SystemConnector::wants_another(const mail::Smarthost& smarthost, const mail::Failure& failure,
                                          io::Until until) {
  if (!may_others_do_better(smarthost, failure)) co_return false;
  if (may_go_without_tls(smarthost, failure) && !avoids_tls(failure.address)) {
    without_tls_.add(failure.address, loop_.now());
    co_return true;
  }
  avoided_.add(failure.address, loop_.now());
  auto servers = co_await look_up(smarthost, until);
  co_return servers &&
      !std::ranges::all_of(*servers, [this](const Server& server) { return is_avoided(server); });
}

bool SystemConnector::avoids_tls(const std::string& address) const {
  return without_tls_.has(address, loop_.now());
}

}  // namespace hikyaku::smtpc
