// SPDX-License-Identifier: MIT
// A node in virtual time: a shared spool on the simulated server, and a simple deliverer in the queue runner's place,
// which asks may_be_sent() right before a final dot as the dialogue does, and tells senders what was refused or is late.
// Every final dot is told to a ledger.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>

#include "spool/postgresql/shared_spool.h"
#include "tests/unit/postgresql/sim_server.h"

namespace hikyaku::test {

struct SentMail {
  int dots = 0;
  int excused = 0;  // the outcome of a dot was not written: the node was cut off or killed meanwhile
};
using SentMails = std::map<mail::MailId, SentMail>;

// What the smarthost refuses for good, and for now; everything else it takes.
inline constexpr std::string_view kBad = "bad\r\n", kLate = "late\r\n";

inline mail::Envelope envelope() {
  mail::Envelope envelope;
  envelope.sender = "app@example.com";
  envelope.recipients = {{.address = "user@example.net", .notify = {}, .orcpt = {}}};
  return envelope;
}

inline Task<Result<std::string, mail::SourceError>> read_all(mail::ContentReader& reader) {
  std::string all;
  for (;;) {
    auto piece = co_await reader.next();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return all;
    all += *piece;
  }
}

inline postgresql::SharedOptions sim_options(std::string node) {
  return {.lease = {.node = std::move(node), .lease = 3s, .takeover = 5s, .jitter = [] { return 0.5; }},
          .memory = 8_MiB,
          .patience = 2s};
}

class SimNode {
 public:
  SimNode(io::Loop& loop, SimServer& server, SentMails& sent)
      : loop_(loop),
        sent_(sent),
        database_(loop, server, wire),
        lease_database_(loop, server, lease_wire),
        bell_database_(loop, server, bell_wire),
        nursery_(loop) {}
  ~SimNode() { loop_.run(stop()); }

  // Of a new life. REQUIREs that the server answers.
  Task<void> start() {
    auto opened = co_await postgresql::SharedSpool::open(
        loop_, {database_, database_, lease_database_, bell_database_}, options);
    REQUIRE(opened);
    spool = std::move(*opened);
    spool->set_on_arrival([this](const mail::QueueEntry& entry) { nursery_.spawn(deliver(entry.id)); });
    spool->set_claimant({.on_claimed =
                             [this](const std::vector<mail::QueueEntry>& entries) {
                               for (const mail::QueueEntry& entry : entries) {
                                 on_claim(entry.id);
                                 nursery_.spawn(deliver(entry.id));
                               }
                             },
                         .room = [this] { return room; }});
  }
  // Cleanly if the wires are up; without them as a crash, as far as the server can see.
  Task<void> stop() {
    if (spool == nullptr) co_return;
    is_stopping_ = true;
    co_await nursery_.drained({});
    co_await spool->close();
    spool.reset();
    is_stopping_ = false;
  }
  // Of a client that nobody waits for.
  void submit(std::string content, std::set<mail::MailId>& acknowledged) {
    if (spool != nullptr && !is_stopping_) nursery_.spawn(submit_to(std::move(content), acknowledged));
  }
  int clients() const { return clients_; }  // whose answer has not come
  // The id, if the mail was acknowledged.
  Task<std::optional<mail::MailId>> accept(std::string content) {
    auto writer = spool->begin();
    if (!writer) co_return std::nullopt;
    auto written = co_await (*writer)->write(content);
    if (!written) co_return std::nullopt;
    auto done = co_await (*writer)->commit(envelope());
    co_return done ? std::optional((*writer)->id()) : std::nullopt;
  }
  bool may_send(mail::MailId id) const {
    if (spool == nullptr) return false;
    auto reader = spool->open(id);
    return reader && (*reader)->may_be_sent();
  }

  void hear_ring() { bell_database_.ring(); }
  void cut(bool is_cut) { wire.is_cut = lease_wire.is_cut = bell_wire.is_cut = is_cut; }

  SimWire wire;  // of everything but the lease and the bell
  SimWire lease_wire, bell_wire;
  std::size_t room = 1000;  // for mail to claim
  postgresql::SharedOptions options = sim_options("node");
  std::unique_ptr<postgresql::SharedSpool> spool;
  std::function<Duration()> smarthost = [] { return 50ms; };  // how long it takes for each step
  std::function<Duration()> stall = [] { return 0ms; };       // of the loop, before a final dot leaves
  std::function<void(mail::MailId)> on_dot = [](mail::MailId) {};
  std::function<void(mail::MailId)> on_claim = [](mail::MailId) {};

 private:
  Task<void> submit_to(std::string content, std::set<mail::MailId>& acknowledged) {
    ++clients_;
    auto id = co_await accept(std::move(content));
    --clients_;
    if (id) acknowledged.insert(*id);
  }
  Task<void> deliver(mail::MailId id) {
    while (!is_stopping_) {
      auto wait = co_await attempt(id);
      if (!wait) co_return;
      co_await io::sleep_until(loop_, loop_.within(*wait));
    }
  }
  // When to try it again; nullopt: the mail has ended here.
  Task<std::optional<Duration>> attempt(mail::MailId id) {
    const std::optional<Duration> later = 1s;
    auto mail = co_await spool->load(id);
    if (!mail) co_return is_unknown(mail.error()) ? std::nullopt : later;
    auto reader = spool->open(id);
    if (!reader) co_return std::nullopt;
    auto content = co_await read_all(**reader);
    if (!content)
      co_return later;  // a lane has it tried again; what the mail has come to is known when it is loaded
    co_await io::sleep_until(loop_, loop_.within(smarthost()));
    if (is_stopping_ || !(*reader)->may_be_sent()) co_return later;
    if (*content == kBad) co_return co_await refuse(id);
    if (*content == kLate && mail->progress.attempts < 2) co_return co_await defer(id, mail->progress);
    co_await io::sleep_until(loop_, loop_.within(stall()));
    on_dot(id);
    ++sent_[id].dots;
    co_await io::sleep_until(loop_, loop_.within(smarthost()));
    auto finished = co_await finish(id);
    if (!finished) ++sent_[id].excused;
    co_return std::nullopt;
  }
  // The smarthost does not want it, for good.
  Task<std::optional<Duration>> refuse(mail::MailId id) {
    const bool is_written = co_await notify(id);
    if (!is_written) co_return 1s;
    co_await finish(id);
    co_return std::nullopt;
  }
  // … for now: a notice the first time, and then a wait for which the mail is given back.
  Task<std::optional<Duration>> defer(mail::MailId id, mail::Progress progress) {
    const bool is_written = progress.delay_noticed || co_await notify(id);
    if (!is_written) co_return 1s;
    progress.delay_noticed = true;
    progress.next_wait = progress.attempts++ == 0 ? 15s : 5s;
    for (;;) {
      auto recorded = co_await spool->record(id, progress, mail::MayGo::yes);
      if (recorded == mail::Recorded::kept) co_return progress.next_wait;
      if (recorded || is_stopping_ || is_unknown(recorded.error())) co_return std::nullopt;
      co_await io::sleep_until(loop_, loop_.within(500ms));
    }
  }
  Task<bool> notify(mail::MailId about) {
    auto notice = spool->begin_notice(about);
    if (!notice) co_return false;
    auto written = co_await (*notice)->write("a notice\r\n");
    if (!written) co_return false;
    auto committed = co_await (*notice)->commit(envelope());
    co_return committed.has_value();
  }
  Task<bool> finish(mail::MailId id) {
    for (;;) {
      auto finished = co_await spool->finish(id);
      if (finished) co_return true;
      if (is_stopping_ || is_unknown(finished.error())) co_return false;
      co_await io::sleep_until(loop_, loop_.within(500ms));
    }
  }
  static bool is_unknown(const mail::SourceError& error) {
    return error.kind == mail::SourceErrorKind::unknown_mail;
  }

  io::Loop& loop_;
  SentMails& sent_;
  SimDatabase database_, lease_database_, bell_database_;
  bool is_stopping_ = false;
  int clients_ = 0;
  io::Nursery nursery_;
};

// Two of them, which do not run yet.
struct Fleet {
  ManualClock clock;
  io::Loop loop{clock};
  SimServer server{loop};
  SentMails sent;
  SimNode left{loop, server, sent}, right{loop, server, sent};

  std::optional<mail::MailId> accept(SimNode& node, std::string content) {
    return loop.run(node.accept(std::move(content)));
  }
  void pass(Duration time) { loop.run(io::sleep_until(loop, loop.within(time))); }
};

// A smarthost that never answers, so that what is accepted stays.
struct Keeping : Fleet {
  Keeping() {
    left.smarthost = right.smarthost = [] { return Duration(1h); };
    loop.run(left.start());
  }
  // Another life of the node, which has read nothing yet, claims it all.
  void restart() {
    loop.run(left.stop());
    loop.run(left.start());
    pass(10s);
  }
  Result<std::string, mail::SourceError> content(mail::MailId id) {
    auto reader = left.spool->open(id);
    if (!reader) return std::unexpected(reader.error());
    return loop.run(read_all(**reader));
  }
};

}  // namespace hikyaku::test
