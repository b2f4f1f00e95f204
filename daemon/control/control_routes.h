// SPDX-License-Identifier: MIT
// Answers the requests of the control socket; CONTROL.md has the table. Knows nothing of HTTP or threads: any
// number of threads may call answer() at a time.
#pragma once

#include <string_view>

#include "daemon/base/json.h"
#include "daemon/control/control_request.h"
#include "daemon/control/control_retry.h"
#include "daemon/control/daemon_control.h"
#include "daemon/listing/queue_reader.h"

namespace hikyaku::control {

class ControlRoutes {
 public:
  // All outlive the routes.
  ControlRoutes(DaemonControl& daemon, listing::QueueReader& reader, Clock& clock)
      : daemon_(daemon), reader_(reader), clock_(clock) {}

  ControlAnswer answer(const ControlRequest& request);

 private:
  ControlAnswer answer_for_operator(const ControlRequest& request);
  ControlAnswer answer_dialogue(std::string_view id);
  ControlAnswer answer_status(const ControlRequest& request);
  ControlAnswer answer_reload();
  ControlAnswer answer_aliases();

  DaemonControl& daemon_;
  listing::QueueReader& reader_;
  Clock& clock_;
  RetryPace retry_pace_;
};

// Everything about /v1/oauth (control_oauth.cc), for those who may change all. Daemon and clock outlive the
// answer.
bool is_about_oauth(std::string_view path);
ControlAnswer answer_oauth(const ControlRequest& request, DaemonControl& daemon, Clock& clock);

// POST /v1/drain, for those who may change everything: {"to":URL} or {} begins, {"follow":true} answers at the end, or
// after a second at most, {"end":true} ends; each with the drain's state as in the status. 422 with the reason where
// there is no drain, or not this one. The daemon outlives the answer.
ControlAnswer answer_drain(const ControlRequest& request, DaemonControl& daemon);
JsonObject drain_object(const relay::DrainReport& drain);

// GET /v1/mails/ID/outcome: the outcome of one mail, for the user that submitted it. With format=lines each
// recipient's outcome is a line of JSON, sent as soon as it is known.
// `id` as the client wrote it. Daemon and clock outlive the answer.
ControlAnswer answer_outcome(const ControlRequest& request, std::string_view id, DaemonControl& daemon,
                             Clock& clock);

}  // namespace hikyaku::control
