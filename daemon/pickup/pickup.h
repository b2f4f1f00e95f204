// SPDX-License-Identifier: MIT
// Takes what sendmail(1) has left in the drop directory into the spool: at the start, and within a second of
// its coming. Each drop is played to a session of its own, under its owner's uid, so every rule is the one of
// the socket. Nothing is lost: what is not accepted waits, or its sender is told, or it is kept in refused/
// (spool/FORMAT.md, "Drop"). The loop's thread; the directory on the pool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "daemon/io/directory_watch.h"
#include "daemon/io/nursery.h"
#include "daemon/log/mail_log.h"
#include "daemon/pickup/drop_directory.h"
#include "daemon/pickup/drop_player.h"
#include "daemon/relay/bouncer.h"
#include "smtpd/session.h"

namespace hikyaku::pickup {

// To be called before any mail is delivered: drops that an earlier run had taken are removed if they were
// committed, else put back.
Task<void> settle_taken(io::Loop& loop, const DropDirectory& directory, mail::MailSource& source,
                        log::MailLog& log);

// What the pickup works with; all of it outlives the pickup.
struct PickupParts {
  io::Loop& loop;
  mail::MailSink& sink;
  smtpd::Observer& observer;
  log::MailLog& log;
  // For each mail that came from a drop: its file is gone, and it may be delivered.
  std::function<void(const mail::QueueEntry&)> on_arrival = {};
};

struct PickupOptions {
  smtpd::SessionOptionsPtr session;
  relay::BouncePolicy bounce;
};

// Drops, as numbers.
struct PickupCounts {
  std::size_t waiting = 0;    // in the directory at the last look, and not under way since
  std::uint64_t taken = 0;    // have become mail, since the start
  std::uint64_t refused = 0;  // can never become mail
};

class Pickup {
 public:
  Pickup(PickupParts parts, DropDirectory directory, PickupOptions options);
  // For drops that are begun from now on.
  void configure(PickupOptions options) { options_ = std::move(options); }

  // Returns after stop(), when the last drop is settled. Once.
  Task<void> run();
  // Begins no more drops. Returns when those under way have ended; breaks them off when `grace` is over.
  // run() may return after that.
  Task<void> stop(Duration grace);

  // Begins no more drops, or begins them again; looks at the directory all the same, to count them.
  void pause(bool is_paused) { is_paused_ = is_paused; }
  // No drop is under way.
  bool is_idle() const { return busy_.empty(); }

  // A mail is newly on stable storage. Returns true if its drop is still there: then the mail must not be
  // delivered yet. If it ended before the file is gone, a start after a crash would find the file, but no such
  // mail, and take it in once more.
  bool keeps(const mail::QueueEntry& entry);
  const PickupCounts& counts() const { return counts_; }

 private:
  struct Drop;
  struct Backoff {
    int tries = 0;
    Instant due;
  };

  // pickup.cc: which drop, and when
  Task<void> sweep();
  void note_unreadable(const std::optional<DropError>& error);
  Task<void> begin_all(std::vector<std::string> names);
  bool spool_accepts();
  Task<void> wait_for_more(io::DirectoryWatch* watch);
  Instant next_look(bool is_watched) const;
  bool may_begin(const std::string& name) const;
  void forget_all_but(const DropDirectory::Listing& listing);
  void put_off(const std::string& name);
  // Logs why a drop stays, once for each drop.
  void tell_once(const std::string& name, std::string_view why);

  // pickup_drop.cc: one of them
  Task<void> pick_up(std::string name);
  void let_go(const Drop& drop);
  Task<void> open(Drop& drop);
  Task<DropOutcome> play(Drop& drop);
  Task<Result<void, mail::SinkError>> take(Drop& drop, mail::MailId id);
  Task<void> settle(Drop& drop, DropOutcome outcome);
  Task<void> remove(Drop& drop);
  Task<void> defer(Drop& drop, std::string why);
  Task<void> refuse(Drop& drop, mail::Reply reply);
  Task<bool> bounce(Drop& drop, mail::BounceRequest request);
  Task<void> set_aside(Drop& drop, std::string why);
  Task<std::optional<mail::BounceRequest>> notice(Drop& drop, mail::Reply reply);
  std::uint64_t longest() const;

  PickupParts parts_;
  DropDirectory directory_;
  PickupOptions options_;
  smtpd::Stop stop_;
  std::set<std::string> busy_;              // being picked up
  std::map<std::string, Backoff> waiting_;  // to be tried again
  std::set<std::string> told_;              // the log has said why these stay
  // Mails whose drops are in taken/; with the entry once they are stored.
  std::map<mail::MailId, std::optional<mail::QueueEntry>> kept_;
  bool is_paused_ = false;
  bool spool_refuses_ = false;
  bool is_unreadable_ = false;  // the directory could not be read at the last look
  bool has_drafts_ = false;     // somebody was writing a drop then
  PickupCounts counts_;
  Instant last_sweep_;
  io::Event ended_;  // a drop was settled
  io::Nursery nursery_;
};

}  // namespace hikyaku::pickup
