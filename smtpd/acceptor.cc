// SPDX-License-Identifier: MIT
#include "smtpd/acceptor.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/io/proxied.h"
#include "smtpd/channel.h"
#include "smtpd/replies.h"

namespace hikyaku::smtpd {
namespace {

constexpr std::size_t kMostTurnedAway = 100;  // at a time; more are just closed
constexpr Duration kPauseAfterError = 100ms;

std::optional<IpAddress> address_of(const io::Stream& stream) {
  auto peer = stream.peer();
  return peer ? std::optional(peer->address) : std::nullopt;
}

// Whose connections are counted together; empty: nobody's.
std::string client_of(const io::Stream& stream) {
  auto peer = address_of(stream);
  if (is_counted(peer)) return peer->to_text();
  auto uid = stream.peer_uid();
  return !peer && uid ? cat("uid ", std::to_string(*uid)) : std::string();
}

bool is_proxy(const Door& door, const io::Stream& stream) {
  if (door.proxies.empty()) return false;
  auto peer = address_of(stream);
  return peer &&
         std::ranges::any_of(door.proxies, [&](const Network& proxy) { return proxy.contains(*peer); });
}

class Counted {
 public:
  explicit Counted(std::size_t& count) : count_(count) { ++count_; }
  Counted(const Counted&) = delete;
  ~Counted() { --count_; }

 private:
  std::size_t& count_;
};

}  // namespace

// A session's place in the counts.
class Acceptor::Place {
 public:
  Place(Acceptor& acceptor, bool is_local, std::string client)
      : acceptor_(acceptor),
        count_(is_local ? acceptor.counts_.local : acceptor.counts_.over_tcp),
        client_(std::move(client)) {
    ++count_.now;
    ++count_.begun;
    if (!client_.empty()) ++acceptor_.per_client_[client_];
    acceptor_.note_crowd();
  }
  Place(const Place&) = delete;
  ~Place() {
    if (!client_.empty() && --acceptor_.per_client_[client_] == 0) acceptor_.per_client_.erase(client_);
    --count_.now;
    acceptor_.note_crowd();
  }

 private:
  Acceptor& acceptor_;
  SessionCount& count_;
  std::string client_;
};

Acceptor::Acceptor(io::Loop& loop, mail::MailSink& sink, Observer& observer, AcceptorOptions options)
    : loop_(loop),
      observer_(observer),
      options_(std::move(options)),
      sink_(sink),
      nursery_(loop, [&observer](const std::string& what) { observer.broke_down(what); }) {
  be_ready();
}

Acceptor::~Acceptor() = default;

void Acceptor::listen(std::unique_ptr<io::Listener> listener) {
  listeners_.push_back(std::move(listener));
  nursery_.spawn(accept_all(*listeners_.back()));
}

// Only `cancelled` ends it: any other error (a descriptor or memory short, a client gone already) passes.
Task<void> Acceptor::accept_all(io::Listener& listener) {
  const auto at = listener.local();
  for (;;) {
    auto stream = co_await listener.accept({kNever, &ended_});
    if (stream) {
      take(std::move(*stream), at);
    } else if (stream.error().kind == IoErrorKind::cancelled) {
      co_return;
    } else {
      co_await io::sleep_until(loop_, loop_.within(kPauseAfterError, &ended_));
    }
  }
}

void Acceptor::take(io::StreamPtr stream, const std::optional<Endpoint>& at) {
  if (is_closed_) return refuse(std::move(stream), replies::shutting_down());
  Door door = door_at(at);
  if (is_proxy(door, *stream))
    nursery_.spawn(introduce(std::move(stream), std::move(door)));
  else
    take_client(std::move(stream), std::move(door));
}

// Nobody but the proxy is known yet, so this has places of its own.
Task<void> Acceptor::introduce(io::StreamPtr stream, Door door) {
  if (being_introduced_ >= options_.policy.connections) {
    ++counts_.turned_away;
    co_return;
  }
  Counted counted(being_introduced_);
  const Client proxy{stream->peer(), {}, {}, {}, {}};
  const std::shared_ptr<Stop> stop = stops_.back();
  io::Until until = loop_.within(door.session->deadlines.proxy, &stop->soft);
  auto told = co_await io::take_proxy_header(std::move(stream), until);
  if (told) co_return take_client(std::move(*told), std::move(door));
  // A client without a header waits for our greeting. Who just connects and goes is a health check.
  const IoErrorKind kind = told.error().kind;
  if (kind == IoErrorKind::access_denied || kind == IoErrorKind::timeout)
    observer_.odd(proxy, Oddity::no_proxy_header);
}

void Acceptor::take_client(io::StreamPtr stream, Door door) {
  auto peer = address_of(*stream);
  std::string client = client_of(*stream);
  const SessionCount& alike = peer ? counts_.over_tcp : counts_.local;
  Admission admission = admit(options_.policy, peer, alike.now, sessions_of(client));
  if (admission == Admission::welcome) {
    auto place = std::make_unique<Place>(*this, !peer, std::move(client));
    nursery_.spawn(serve(std::move(stream), std::move(door), std::move(place), stops_.back()));
    return;
  }
  refuse(std::move(stream), refusal(admission));
}

void Acceptor::refuse(io::StreamPtr stream, Reply reply) {
  ++counts_.turned_away;
  if (being_turned_away_ < kMostTurnedAway) nursery_.spawn(turn_away(std::move(stream), std::move(reply)));
}

std::size_t Acceptor::sessions_of(const std::string& client) const {
  auto found = per_client_.find(client);
  return found == per_client_.end() ? 0 : found->second;
}

void Acceptor::note_crowd() {
  const AcceptPolicy& policy = options_.policy;
  const bool crowd =
      is_crowded(counts_.over_tcp.now, policy.connections) || is_crowded(counts_.local.now, policy.local);
  for (const auto& stop : stops_) stop->is_crowded = crowd;
}

Door Acceptor::door_at(const std::optional<Endpoint>& at) const {
  for (const Door& door : options_.doors)
    if (at == door.at) return door;
  return {{}, options_.session, options_.implicit_tls};
}

Task<void> Acceptor::serve(io::StreamPtr stream, Door door, [[maybe_unused]] std::unique_ptr<Place> place,
                           std::shared_ptr<Stop> stop) {
  if (door.implicit_tls) {
    const Client client{stream->peer(), {}, {}, {}, {}};
    io::Until until = loop_.within(door.session->deadlines.handshake, &stop->soft);
    auto secured = co_await door.implicit_tls->accept(std::move(stream), until);
    if (!secured && is_tls(secured.error().kind)) observer_.odd(client, Oddity::tls_failed);
    if (!secured) co_return;
    stream = std::move(*secured);
  }
  Session session({loop_, sink_, observer_, *stop}, door.session, std::move(stream));
  co_await session.run();
}

Task<void> Acceptor::turn_away(io::StreamPtr stream, Reply reply) {
  Counted counted(being_turned_away_);
  SessionOptionsPtr options = options_.session;
  Channel channel(loop_, std::move(stream), *options, ended_);
  observer_.rejected(channel.client(), {.stage = "connect", .reply = reply});
  channel.say(reply);
  co_await channel.farewell();
}

// What a session waits for cannot be told again to go on: those to come have one of their own.
void Acceptor::be_ready() {
  std::erase_if(stops_, [](const auto& stop) { return stop.use_count() == 1; });
  stops_.push_back(std::make_shared<Stop>());
  is_closed_ = false;
}

void Acceptor::close() {
  is_closed_ = true;
  for (const auto& stop : stops_) stop->soft.request();
}

void Acceptor::open() {
  if (!is_closed_ || ended_.is_requested()) return;
  be_ready();
  note_crowd();
}

Task<void> Acceptor::stop(Duration grace) {
  close();
  ended_.request();
  io::Woken woken = co_await nursery_.drained(loop_.within(grace));
  for (const auto& stop : stops_) stop->hard.request();
  if (woken != io::Woken::ready) woken = co_await nursery_.drained({});
  listeners_.clear();
}

}  // namespace hikyaku::smtpd
