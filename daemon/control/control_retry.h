// SPDX-License-Identifier: MIT
// POST /v1/queue/retry: what is to be tried now, whatever its time. The body is a JSON object: {"ids":[…]},
// {"all":true}, or filters that all have to fit: "recipient_domain", "state", "from", "to".
#pragma once

#include <map>
#include <mutex>
#include <variant>

#include "daemon/control/control_desk.h"
#include "daemon/control/control_request.h"
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
  std::mutex mutex_;
  std::map<std::uint32_t, Instant> last_;  // of those who have to wait
};

// Reader, desk, pace and clock outlive the answer.
ControlAnswer answer_retry(const ControlRequest& request, listing::QueueReader& reader, ControlDesk& desk,
                           RetryPace& pace, Clock& clock);

// For where the daemon itself has not answered.
ControlAnswer no_answer();

}  // namespace hikyaku::control
