// SPDX-License-Identifier: MIT
// The daemons (nodes) that share one spool, as one of them sees the others: who they are, whose a mail is, and what may
// be asked of them about theirs. A daemon with a spool of its own has no fleet. Plain values and an interface; the
// loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/task.h"
#include "daemon/mail/mail_source.h"

namespace hikyaku::mail {

// Whose a mail of a shared spool is.
struct Holder {
  std::string node{};  // its name; empty: nobody's, whichever node has room takes it when it is due
  std::optional<WallTime> away_since{};  // when its node should have been heard of, and was not
  std::optional<WallTime> free_at{};     // of a node that is away: then its mail is the others'
  bool is_free() const { return node.empty(); }
};

struct NodeReport {
  std::string name{};
  bool is_this = false;
  WallTime started{};
  WallTime alive_until{};             // renewed long before, unless the node is away
  std::optional<WallTime> free_at{};  // of a node that is away: then its mail is the others'
  std::size_t mails = 0;
  std::size_t held = 0;
  bool is_away() const { return free_at.has_value(); }
};

struct FleetReport {
  std::vector<NodeReport> nodes{};  // by name
  std::size_t mails = 0;            // in all
  std::size_t free = 0;             // nobody's
  std::size_t held = 0;             // in all
  bool is_estimate = false;         // there are too many to be counted each time
  std::optional<WallTime> oldest{};
};

// What is decided about queued mail, and what becomes of that.
enum class Decision : std::uint8_t { hold, release, remove, bounce, retry };
struct Decided {
  enum class Result : std::uint8_t {
    done,
    unchanged,  // it is held already, or is not held
    under_way,  // it is being sent: ask again
    unknown,    // not queued, or not to be changed by this user
    refused,    // `why` says what stands against it
  };
  MailId id;
  Result result = Result::done;
  std::string why{};
};

class Fleet {
 public:
  virtual ~Fleet() = default;

  // At most a few seconds old.
  virtual Task<Result<FleetReport, SourceError>> report() = 0;

  struct Found {
    MailId id;
    Holder holder{};
    bool is_ours = false;
    std::optional<std::uint32_t> uid{};  // of the submitter, if that was a user of this machine
  };
  // Those of `ids` that are queued.
  virtual Task<Result<std::vector<Found>, SourceError>> find(std::vector<MailId> ids) = 0;
  // Makes this node's what is nobody's of `ids`, due or not. Nobody hears of it: the caller tells the queue.
  virtual Task<Result<std::vector<QueueEntry>, SourceError>> take(std::vector<MailId> ids) = 0;
  // What is nobody's of `ids`, or of all mail, is due now. Held mail stays as it is. How many that were.
  virtual Task<Result<std::size_t, SourceError>> make_due(std::vector<MailId> ids) = 0;
  virtual Task<Result<std::size_t, SourceError>> make_all_due() = 0;

  // Asks the owners of these mails, and waits some seconds for their answers. `by`: who decides, for their logs.
  virtual Task<std::vector<Decided>> ask(std::vector<MailId> ids, Decision decision, std::string by) = 0;
  // Asks every other node for a retry of all its mail; does not wait.
  virtual Task<void> ask_all_to_retry(std::string by) = 0;

  // What is asked of this node, by operators at others; without ids: of all mail. Null: nothing more is obeyed.
  using Obey = std::function<Task<std::vector<Decided>>(std::vector<MailId>, Decision, std::string by)>;
  virtual void serve(Obey obey) = 0;
};

}  // namespace hikyaku::mail
