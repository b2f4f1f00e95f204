// SPDX-License-Identifier: MIT
// Requests about the queue: POST /v1/queue/retry makes the selected mails due at once, GET /v1/queue lists mails.
#pragma once

#include <map>

#include "daemon/base/mutex.h"
#include "daemon/control/control_selection.h"
#include "daemon/control/daemon_control.h"

namespace hikyaku::control {

// Allows each user that is not an operator one retry in 30 s: a retry searches the spool and burdens the
// smarthost, which may hold it against all users. Thread-safe.
class RetryPace {
 public:
  // How long the user has to wait; zero if the retry is allowed, which then counts.
  Duration wait(std::uint32_t uid, Instant now);

 private:
  Mutex mutex_;
  std::map<std::uint32_t, Instant> last_ GUARDED_BY(mutex_);  // of the users that have to wait
};

// Reader, daemon, pace and clock outlive the answer.
ControlAnswer answer_retry(const ControlRequest& request, listing::QueueReader& reader, DaemonControl& daemon,
                           RetryPace& pace, Clock& clock);

// POST /v1/queue/hold, release, remove and bounce: what is decided about the selected mails, each decision on stable
// storage before the answer. Users decide about the mail that they submitted themselves.

// The decision that such a path names.
std::optional<relay::Decision> decision_of(std::string_view path);

// {"done":N,"unchanged":N,"under_way":[ids],"unknown":[ids],"refused":[{"id","error"}]}, the lists cut off after
// a thousand; 409 if nothing was done only because the mails are being sent. With the parameter `count` nothing is
// done at all: {"count":N} says how many mails it would be about. Reader, daemon and clock outlive the answer.
ControlAnswer answer_steering(const ControlRequest& request, relay::Decision decision,
                              listing::QueueReader& reader, DaemonControl& daemon, Clock& clock);

// 503: the daemon itself has not answered.
ControlAnswer no_answer();

// GET /v1/queue: a list of the mails that match and that the caller may see, in one of three formats.
enum class QueueFormat : std::uint8_t { json, lines, postfix };

struct QueueQuestion {
  QueueFormat format = QueueFormat::json;
  listing::QueueFilter filter;
  mail::MailId after;
  std::optional<std::size_t> limit;
};
// Errors: 400, 406, in words.
Result<QueueQuestion, ControlAnswer> parse_queue_question(const ControlRequest& request, WallTime now);

// The list includes what the daemon reports about the smarthosts, if it answers. Reader and clock outlive the
// answer.
ControlAnswer answer_queue(const ControlRequest& request, listing::QueueReader& reader, DaemonControl& daemon,
                           Clock& clock);
// What holds up all mail at the moment, as far as the daemon reports it.
mail::RouteState route_state_now(DaemonControl& daemon, Clock& clock);

// The answer for a spool that cannot be read.
ControlAnswer spool_trouble(const StartError& error);

}  // namespace hikyaku::control
