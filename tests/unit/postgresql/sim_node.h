// SPDX-License-Identifier: MIT
// A node in virtual time: a shared spool on the simulated server, and a simple deliverer in the queue runner's place,
// which asks may_be_sent() right before a final dot as the dialogue does. Every final dot is told to a ledger.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "spool/postgresql/shared_spool.h"
#include "tests/unit/postgresql/sim_server.h"

namespace hikyaku::test {

struct SentMail {
  int dots = 0;
  int excused = 0;  // the outcome of a dot was not written: the node was cut off or killed meanwhile
};
using SentMails = std::map<mail::MailId, SentMail>;

inline postgresql::SharedOptions sim_options(std::string node) {
  return {.lease = {.node = std::move(node), .lease = 3s, .takeover = 5s, .jitter = [] { return 0.5; }},
          .memory = 8_MiB,
          .patience = 2s};
}

class SimNode {
 public:
  SimNode(io::Loop& loop, SimServer& server, SentMails& sent)
      : loop_(loop), sent_(sent), database_(loop, server, wire), nursery_(loop) {}
  ~SimNode() { loop_.run(stop()); }

  // Of a new life. REQUIREs that the server answers.
  Task<void> start() {
    auto opened =
        co_await postgresql::SharedSpool::open(loop_, {database_, database_, database_}, sim_options("node"));
    REQUIRE(opened);
    spool = std::move(*opened);
    spool->set_on_arrival([this](const mail::QueueEntry& entry) { nursery_.spawn(deliver(entry.id)); });
    spool->set_on_claimed([this](const std::vector<mail::QueueEntry>& entries) {
      for (const mail::QueueEntry& entry : entries) nursery_.spawn(deliver(entry.id));
    });
  }
  // Cleanly if the wire is up; without it as a crash, as far as the server can see.
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
    mail::Envelope envelope;
    envelope.sender = "app@example.com";
    envelope.recipients = {{.address = "user@example.net", .notify = {}, .orcpt = {}}};
    auto done = co_await (*writer)->commit(std::move(envelope));
    co_return done ? std::optional((*writer)->id()) : std::nullopt;
  }
  bool may_send(mail::MailId id) const {
    if (spool == nullptr) return false;
    auto reader = spool->open(id);
    return reader && (*reader)->may_be_sent();
  }

  SimWire wire;
  std::unique_ptr<postgresql::SharedSpool> spool;
  std::function<Duration()> smarthost = [] { return 50ms; };  // how long it takes for each step
  std::function<void(mail::MailId)> on_dot = [](mail::MailId) {};

 private:
  Task<void> submit_to(std::string content, std::set<mail::MailId>& acknowledged) {
    ++clients_;
    auto id = co_await accept(std::move(content));
    --clients_;
    if (id) acknowledged.insert(*id);
  }
  Task<void> deliver(mail::MailId id) {
    while (!is_stopping_) {
      auto gone = co_await attempt(id);
      if (gone) co_return;
      co_await io::sleep_until(loop_, loop_.within(1s));
    }
  }
  // True: the mail has ended here.
  Task<bool> attempt(mail::MailId id) {
    auto mail = co_await spool->load(id);
    if (!mail) co_return mail.error().kind == mail::SourceErrorKind::unknown_mail;
    auto reader = spool->open(id);
    if (!reader) co_return true;
    for (;;) {
      auto piece = co_await (*reader)->next();
      if (!piece) co_return piece.error().kind == mail::SourceErrorKind::unknown_mail;
      if (piece->empty()) break;
    }
    co_await io::sleep_until(loop_, loop_.within(smarthost()));
    if (is_stopping_ || !(*reader)->may_be_sent()) co_return false;
    on_dot(id);
    ++sent_[id].dots;
    co_await io::sleep_until(loop_, loop_.within(smarthost()));
    auto finished = co_await finish(id);
    if (!finished) ++sent_[id].excused;
    co_return true;
  }
  Task<bool> finish(mail::MailId id) {
    for (;;) {
      auto finished = co_await spool->finish(id);
      if (finished) co_return true;
      if (is_stopping_ || finished.error().kind == mail::SourceErrorKind::unknown_mail) co_return false;
      co_await io::sleep_until(loop_, loop_.within(500ms));
    }
  }

  io::Loop& loop_;
  SentMails& sent_;
  SimDatabase database_;
  bool is_stopping_ = false;
  int clients_ = 0;
  io::Nursery nursery_;
};

}  // namespace hikyaku::test
