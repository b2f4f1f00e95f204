// SPDX-License-Identifier: MIT
// POST /v1/queue/hold, release, remove and bounce: what the operator decides about the selected mails, each
// decision on stable storage before the answer. Users decide about the mail that they submitted themselves.
#pragma once

#include <optional>
#include <string_view>

#include "daemon/control/control_selection.h"
#include "daemon/control/daemon_control.h"

namespace hikyaku::control {

// The decision that a path of /v1/queue/ names.
std::optional<relay::Decision> decision_of(std::string_view path);

// {"done":N,"unchanged":N,"under_way":[ids],"unknown":[ids],"refused":[{"id","error"}]}, the lists cut off after
// a thousand; 409 if nothing was done only because the mails are being sent. With the parameter `count` nothing is
// done at all: {"count":N} says how many mails it would be about. Reader, daemon and clock outlive the answer.
ControlAnswer answer_steering(const ControlRequest& request, relay::Decision decision,
                              listing::QueueReader& reader, DaemonControl& daemon, Clock& clock);

}  // namespace hikyaku::control
