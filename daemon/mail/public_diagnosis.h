// SPDX-License-Identifier: MIT
// Why a smarthost takes no mail just now, in words for everybody on this machine: no account, no host, no
// place of credentials and nothing that the smarthost has said. diagnosis.h has the words for the operator.
// Pure.
#pragma once

#include <string>

#include "daemon/mail/failure.h"

namespace hikyaku::mail {

// One line, no trailing full stop.
std::string public_diagnosis(const Failure& failure);

}  // namespace hikyaku::mail
