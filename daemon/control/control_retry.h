// SPDX-License-Identifier: MIT
// POST /v1/queue/retry: what is to be tried now, whatever its time. The body is a JSON object: {"ids":[…]},
// {"all":true}, or filters that all have to fit: "recipient_domain", "state", "from", "to".
#pragma once

#include <map>
#include <variant>

#include "daemon/base/mutex.h"
#include "daemon/control/control_request.h"
#include "daemon/control/daemon_control.h"
#include "daemon/listing/queue_listing.h"
#include "daemon/listing/queue_reader.h"

namespace hikyaku::control {

struct RetryEverything {};
struct RetryFitting {
  listing::QueueFilter filter;
  std::optional<std::string> recipient_domain;  // of one who still waits for it
  bool matches(const spool::ViewedMail& mail, const mail::RouteState& route) const;
};
using RetryQuestion = std::variant<std::vector<mail::MailId>, RetryEverything, RetryFitting>;

Result<RetryQuestion, std::string> parse_retry_question(std::string_view body);

// Who is no operator may have mail tried once in 30 s: each time is a look through the spool and a burden on
// the smarthost, which counts it against us all. For any thread.
class RetryPace {
 public:
  // How long the user has to wait still; zero: the retry may be, and counts.
  Duration wait(std::uint32_t uid, Instant now);

 private:
  Mutex mutex_;
  std::map<std::uint32_t, Instant> last_ GUARDED_BY(mutex_);  // of those who have to wait
};

// Reader, daemon, pace and clock outlive the answer.
ControlAnswer answer_retry(const ControlRequest& request, listing::QueueReader& reader, DaemonControl& daemon,
                           RetryPace& pace, Clock& clock);

// For where the daemon itself has not answered.
ControlAnswer no_answer();

// GET /v1/queue: which mails are asked for, and in which form; the caller sees only what is theirs to see.

enum class QueueFormat : std::uint8_t { json, lines, postfix };

struct QueueQuestion {
  QueueFormat format = QueueFormat::json;
  listing::QueueFilter filter;
  mail::MailId after;
  std::optional<std::size_t> limit;
};
// Errors: 400, 406, in words.
Result<QueueQuestion, ControlAnswer> parse_queue_question(const ControlRequest& request);

// The daemon says what the smarthosts do; the list is made without that if it does not answer. Reader and clock
// outlive the answer.
ControlAnswer answer_queue(const ControlRequest& request, listing::QueueReader& reader, DaemonControl& daemon,
                           Clock& clock);
// What holds up all mail just now, as far as the daemon tells.
mail::RouteState route_state_now(DaemonControl& daemon, Clock& clock);

// HTTP's status and the words for a spool that cannot be read.
ControlAnswer spool_trouble(const StartError& error);

}  // namespace hikyaku::control
