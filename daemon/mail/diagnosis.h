// SPDX-License-Identifier: MIT
// The one place where a failure becomes plain words: what happened and what to change. Used by the log, by
// `hikyaku status`, `queue show`, `check`, `probe` and by the bounces alike. Never shows a secret (a Failure
// holds none) and never a peer's byte unescaped. Pure.
#pragma once

#include <string>

#include "daemon/mail/failure.h"

namespace hikyaku::mail {

inline constexpr std::size_t kMaxDiagnosis = 4096;

// One line, no trailing full stop, at most kMaxDiagnosis bytes, the peer's reply included.
std::string diagnose(const Failure& failure);

// Why a smarthost takes no mail just now, in words for everybody on this machine: no account, no host, no
// place of credentials and nothing that the smarthost has said; diagnose() has the words for the operator.
// One line, no trailing full stop.
std::string public_diagnosis(const Failure& failure);

}  // namespace hikyaku::mail
