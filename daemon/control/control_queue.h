// SPDX-License-Identifier: MIT
// GET /v1/queue: which mails are asked for, and in which form; the caller sees only what is theirs to see.
#pragma once

#include "daemon/control/control_desk.h"
#include "daemon/control/control_request.h"
#include "daemon/listing/queue_listing.h"
#include "daemon/listing/queue_reader.h"

namespace hikyaku::control {

enum class QueueFormat : std::uint8_t { json, lines, postfix };

struct QueueQuestion {
  QueueFormat format = QueueFormat::json;
  listing::QueueFilter filter;
  mail::MailId after;
  std::optional<std::size_t> limit;
};
// Errors: 400, 406, in words.
Result<QueueQuestion, ControlAnswer> parse_queue_question(const ControlRequest& request);

// The desk says what the smarthosts do; the list is made without that if it does not answer. Reader and clock
// outlive the answer.
ControlAnswer answer_queue(const ControlRequest& request, listing::QueueReader& reader, ControlDesk& desk,
                           Clock& clock);
// What holds up all mail just now, as far as the daemon tells.
mail::RouteState route_state_now(ControlDesk& desk, Clock& clock);

// HTTP's status and the words for a spool that cannot be read.
ControlAnswer spool_trouble(const StartError& error);

}  // namespace hikyaku::control
