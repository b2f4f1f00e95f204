// SPDX-License-Identifier: MIT
#include "smtpc/connector.h"

#include <algorithm>
#include <utility>

#include "daemon/base/error.h"
#include "daemon/base/text.h"
#include "daemon/io/socket_stream.h"

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

mail::Failure sum_up(const mail::Smarthost& smarthost, const std::vector<Attempt>& attempts) {
  const Attempt& worst = most_telling(attempts);
  mail::Failure failure = make_failure(smarthost, mail::Stage::connect, worst.error);
  failure.address = worst.to.to_text();
  for (const Attempt& attempt : attempts)
    if (&attempt != &worst) failure.detail += cat("; ", attempt.to.to_text(), ": ", attempt.error.text);
  return failure;
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

SystemConnector::SystemConnector(io::Loop& loop, io::Resolver& resolver, IsOurs is_ours)
    : loop_(loop), resolver_(resolver), is_ours_(std::move(is_ours)) {}

Task<Result<std::vector<IpAddress>, mail::Failure>> SystemConnector::look_up(const mail::Smarthost& smarthost,
                                                                             io::Until until) {
  auto addresses = co_await resolver_.resolve(smarthost.host, earlier(until, loop_.now() + kLookUpTimeout));
  if (!addresses) co_return std::unexpected(make_failure(smarthost, mail::Stage::lookup, addresses.error()));
  co_return *addresses;
}

Task<Result<io::StreamPtr, mail::Failure>> SystemConnector::dial(const mail::Smarthost& smarthost,
                                                                 io::Until until) {
  auto addresses = co_await look_up(smarthost, until);
  if (!addresses) co_return std::unexpected(addresses.error());
  std::vector<Attempt> failed;
  for (const IpAddress& address : *addresses) {
    Endpoint to{address, smarthost.port};
    auto stream =
        co_await io::connect_tcp(loop_, to, earlier(until, loop_.now() + smarthost.timeout.connect));
    if (stream && is_ours_(to)) co_return std::unexpected(ourselves(smarthost, to));
    if (stream) co_return std::move(*stream);
    failed.push_back({to, stream.error()});
    if (stream.error().kind == IoErrorKind::cancelled) break;
  }
  co_return std::unexpected(sum_up(smarthost, failed));
}

}  // namespace hikyaku::smtpc
