// SPDX-License-Identifier: MIT
// GET /v1/mails/ID/outcome: what has become of one mail, for whoever submitted it. With format=lines each
// recipient's outcome is a line of JSON as soon as it is known.
#pragma once

#include "daemon/control/control_desk.h"
#include "daemon/control/control_request.h"

namespace hikyaku::control {

// `id` as the client wrote it. Desk and clock outlive the answer.
ControlAnswer answer_outcome(const ControlRequest& request, std::string_view id, ControlDesk& desk,
                             Clock& clock);

}  // namespace hikyaku::control
