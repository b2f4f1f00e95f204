// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>

#include "daemon/io/nursery.h"
#include "daemon/io/tls.h"
#include "smtpc/opening.h"

namespace hikyaku::smtpc {
namespace {

constexpr std::uint16_t kSmtpPort = 25;
constexpr std::size_t kRecordHeader = 5;  // enough to tell a TLS record

bool is_timeout(const Result<void, IoError>& result) {
  return !result && result.error().kind == IoErrorKind::timeout;
}

// Waits for the greeting and probes at the same time. Either ends the other; a cancellation from outside ends
// both. All spawned tasks have ended before finds_tls() returns.
class Race {
 public:
  Race(io::Loop& loop, Connector& connector, const mail::Smarthost& smarthost)
      : loop_(loop), connector_(connector), smarthost_(smarthost), outside_(loop), nursery_(loop) {}

  // Whether the probe was answered in TLS before a greeting came. The exchange is as before, except that the
  // greeting's first bytes may have been read.
  Task<bool> finds_tls(Exchange& exchange, io::Until until) {
    nursery_.spawn(probe());
    nursery_.spawn(watch(until.cancel));
    auto bytes = co_await exchange.wait_for_bytes({until.deadline, &probe_over_});
    probe_unwanted_.request();
    outside_.wake();
    [[maybe_unused]] auto drained = co_await nursery_.drained({});
    co_return found_tls_ && !bytes;
  }

 private:
  Task<void> probe() {
    found_tls_ =
        co_await answers_in_tls(connector_, smarthost_, loop_.within(kProbeTimeout, &probe_unwanted_));
    probe_over_.request();
  }
  // An Until has room for one Cancel only, so the one from outside is passed on.
  Task<void> watch(io::Cancel* cancel) {
    auto woken = co_await outside_.park({kNever, cancel});
    if (woken == io::Woken::ready) co_return;
    probe_unwanted_.request();
    probe_over_.request();
  }

  io::Loop& loop_;
  Connector& connector_;
  const mail::Smarthost& smarthost_;
  io::Cancel probe_over_;
  io::Cancel probe_unwanted_;
  io::Waiter outside_;
  bool found_tls_ = false;
  io::Nursery nursery_;
};

}  // namespace

bool may_probe(const mail::Smarthost& smarthost) {
  return smarthost.tls.mode != mail::TlsMode::implicit && smarthost.port != kSmtpPort && !smarthost.direct;
}

Task<Result<Greeting, IoError>> wait_for_greeting(const ClientContext& context, Exchange& exchange,
                                                  io::Until until) {
  if (may_probe(context.smarthost)) {
    io::Until first{std::min(until.deadline, context.loop.now() + context.silence_before_probe),
                    until.cancel};
    auto bytes = co_await exchange.wait_for_bytes(first);
    if (is_timeout(bytes) && first.deadline < until.deadline) {
      Race race(context.loop, context.connector, context.smarthost);
      bool tls = co_await race.finds_tls(exchange, until);
      if (tls) co_return Greeting::tls_expected;
    }
  }
  auto bytes = co_await exchange.wait_for_bytes(until);
  if (!bytes) co_return std::unexpected(bytes.error());
  co_return Greeting::begun;
}

Task<bool> answers_in_tls(Connector& connector, const mail::Smarthost& smarthost, io::Until until) {
  auto stream = co_await connector.dial(smarthost, until);
  if (!stream) co_return false;
  const std::string& name = smarthost.tls.hostname.empty() ? smarthost.host : smarthost.tls.hostname;
  std::string hello = io::make_client_hello(name);
  auto written = co_await (*stream)->write(hello, until);
  std::array<char, kRecordHeader> answer{};
  std::size_t held = 0;
  while (written && held < answer.size()) {
    auto got = co_await (*stream)->read_some(std::span(answer).subspan(held), until);
    if (!got) break;
    held += *got;
  }
  co_return io::looks_like_tls({answer.data(), held});
}

}  // namespace hikyaku::smtpc
