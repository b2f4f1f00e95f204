// SPDX-License-Identifier: MIT
// POST /v1/queue/retry: what is to be tried now, whatever its time. The body is a JSON object: {"ids":[…]},
// {"all":true}, or filters that all have to fit: "recipient_domain", "state", "from", "to".
#pragma once

#include <variant>

#include "daemon/app/control_desk.h"
#include "daemon/app/control_request.h"
#include "daemon/app/queue_listing.h"
#include "daemon/app/queue_reader.h"

namespace hikyaku::app {

struct RetryEverything {};
struct RetryFitting {
  QueueFilter filter;
  std::optional<std::string> recipient_domain;  // of one who still waits for it
  bool matches(const spool::ViewedMail& mail, const RouteState& route) const;
};
using RetryQuestion = std::variant<std::vector<mail::MailId>, RetryEverything, RetryFitting>;

Result<RetryQuestion, std::string> parse_retry_question(std::string_view body);

// Reader, desk and clock outlive the answer.
ControlAnswer answer_retry(const ControlRequest& request, QueueReader& reader, ControlDesk& desk,
                           Clock& clock);

// For where the daemon itself has not answered.
ControlAnswer no_answer();

}  // namespace hikyaku::app
