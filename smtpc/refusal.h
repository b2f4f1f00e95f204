// SPDX-License-Identifier: MIT
// A failure together with what is to be done about it. Plain values.
#pragma once

#include "daemon/mail/failure.h"
#include "smtpc/verdict.h"

namespace hikyaku::smtpc {

struct Refusal {
  mail::Failure failure;
  Verdict verdict;
};

}  // namespace hikyaku::smtpc
