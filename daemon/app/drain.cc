// SPDX-License-Identifier: MIT
#include "daemon/app/drain.h"

#include <utility>

#include "daemon/app/sendmail_services.h"
#include "daemon/base/text.h"
#include "daemon/config/smarthost_draft.h"
#include "daemon/relay/relay.h"
#include "smtpc/opening.h"
#include "smtpd/acceptor.h"

namespace hikyaku::app {
namespace {

constexpr Duration kBetweenLooks = 100ms;
constexpr Duration kLongestAnswer = 1s;  // to somebody who follows
constexpr std::string_view kPeerName = "drain";

std::string counted_mails(std::size_t count) {
  return cat(std::to_string(count), count == 1 ? " mail" : " mails");
}

}  // namespace

Drain::Drain(DrainParts parts) : parts_(std::move(parts)), changed_(parts_.loop), nursery_(parts_.loop) {}

Task<Result<relay::DrainReport, std::string>> Drain::obey(control::DrainOrder order) {
  using Verb = control::DrainOrder::Verb;
  asked_ = parts_.loop.now();
  if (order.verb == Verb::begin) {
    auto begun = co_await begin(order);
    if (!begun) co_return std::unexpected(begun.error());
  }
  if (!report_) co_return std::unexpected("there is no drain under way");
  if (order.verb == Verb::end) give_up(cat("ended by ", order.by));
  const io::Until until = parts_.loop.within(kLongestAnswer);
  while (order.verb != Verb::begin && is_running_ && !is_stopping_) {
    const io::Woken woken = co_await changed_.wait(until);
    if (woken != io::Woken::ready) break;
  }
  co_return *report();
}

Task<Result<void, std::string>> Drain::begin(const control::DrainOrder& order) {
  if (is_running_) co_return std::unexpected("a drain is under way already; end it first with --undo");
  is_running_ = true;
  is_ended_ = false;
  std::optional<mail::Smarthost> peer;
  if (!order.to.empty()) {
    auto found = co_await peer_at(order.to);
    if (!found) is_running_ = false;
    if (!found) co_return std::unexpected(found.error());
    peer = std::move(*found);
  }
  if (is_stopping_) co_return std::unexpected("hikyakud is stopping");
  peer_ = std::move(peer);
  report_ = relay::DrainReport{};
  if (peer_) report_->to = cat(peer_->host, ":", std::to_string(peer_->port));
  parts_.log.info("drain: no more mail is taken, and all that is queued is tried once",
                  {{"by", order.by}, {"to", report_->to}});
  nursery_.spawn(run());
  co_return {};
}

// As a smarthost that the configuration names: with credentials, but without anything that changes a mail.
Task<Result<mail::Smarthost, std::string>> Drain::peer_at(std::string url) {
  auto peer = config::smarthost_at(url);
  if (!peer) co_return std::unexpected(cat("the peer's URL: ", peer.error()));
  peer->name = kPeerName;
  auto entries = co_await parts_.credentials();
  if (!entries) co_return std::unexpected(config::to_text(entries.error(), "; "));
  config::attach_credentials(*peer, *entries);
  auto tls = smtpc::make_tls_client(*peer);
  if (!tls) co_return std::unexpected(tls.error().text);
  co_return std::move(*peer);
}

std::optional<relay::DrainReport> Drain::report() const {
  if (!report_) return std::nullopt;
  relay::DrainReport now = *report_;
  const relay::StatusReport status = parts_.relay.report();
  now.left = status.active + status.deferred;
  now.held = status.held;
  now.drops = parts_.sendmail.drops().waiting;
  now.clients = parts_.acceptor.sessions();
  return now;
}

Task<void> Drain::stop() {
  is_stopping_ = true;
  changed_.notify();
  co_await nursery_.drained({});
}

// ---- the drain

Task<void> Drain::run() {
  parts_.acceptor.close();
  parts_.sendmail.pause(true);
  co_await try_everything();
  if (goes_on() && peer_ && !(report()->left == 0 && is_quiet())) co_await hand_over();
  if (!is_stopping_) settle();
  is_running_ = false;
  changed_.notify();
}

// A client that stalls in the middle of a mail has its grace; the mail is handed over all the same if it comes.
Task<void> Drain::try_everything() {
  const Instant patience = parts_.loop.now() + parts_.grace();
  relay::Emptying& emptying = parts_.relay.emptying();
  emptying.begin_round();
  auto is_over = [&] { return emptying.is_round_over() && (is_quiet() || parts_.loop.now() >= patience); };
  do co_await look();
  while (goes_on() && !is_over());
  emptying.end_round();
}

Task<void> Drain::hand_over() {
  report_->stage = Stage::handing_over;
  if (!parts_.relay.hand_over(peer_)) co_return give_up("the peer's TLS settings cannot be used");
  while (goes_on() && (report()->left > 0 || !is_quiet())) co_await look();
}

Task<void> Drain::look() {
  co_await changed_.wait(parts_.loop.within(kBetweenLooks));
  if (parts_.loop.now() - asked_ >= kDrainLease) give_up("nobody asks about it any more");
}

bool Drain::is_quiet() const { return parts_.acceptor.sessions() == 0 && parts_.sendmail.is_idle(); }

// One that has drained the daemon is taken back at once; one under way ends at its next look.
void Drain::give_up(std::string why) {
  const bool was_drained = !is_running_ && report_->stage == Stage::drained;
  if (!is_running_ && !was_drained) return;
  is_ended_ = true;
  report_->why = std::move(why);
  if (was_drained) settle();
  changed_.notify();
}

void Drain::settle() {
  const relay::DrainReport now = *report();
  const bool is_empty = now.left + now.held + now.drops + now.clients == 0;
  report_->stage = is_empty && !is_ended_ ? Stage::drained : Stage::left_over;
  if (report_->stage == Stage::drained)
    return parts_.log.info("drained: the queue is empty, and no mail is taken until the next start");
  parts_.log.warning(cat("drain has ended, and mail is taken again: ", counted_mails(now.left), " left, ",
                         std::to_string(now.held), " held", report_->why.empty() ? "" : "; ", report_->why));
  if (auto own = peer_ ? parts_.relay.hand_over(std::nullopt) : Result<void, config::Problems>(); !own)
    parts_.log.error(cat("the configured smarthosts cannot be used; correct this, then reload: ",
                         config::to_text(own.error(), "; ")));
  parts_.sendmail.pause(false);
  parts_.acceptor.open();
}

}  // namespace hikyaku::app
