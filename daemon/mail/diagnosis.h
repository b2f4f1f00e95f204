// SPDX-License-Identifier: MIT
// Turns a failure into plain words: what happened and what to change. Used by the log, by `hikyaku status`
// and `hikyaku queue`, and in bounces. Never shows a secret (a Failure has none) or an unescaped byte of a
// peer. Pure.
#pragma once

#include <string>

#include "daemon/mail/failure.h"

namespace hikyaku::mail {

inline constexpr std::size_t kMaxDiagnosis = 4096;

// One line, no trailing full stop, at most kMaxDiagnosis bytes, the peer's reply included.
std::string diagnose(const Failure& failure);

// Why a smarthost accepts no mail at the moment, for every user of this machine: names no account, host or
// file of credentials, and quotes nothing from the smarthost. diagnose() is for the operator. One line, no
// trailing full stop.
std::string public_diagnosis(const Failure& failure);

}  // namespace hikyaku::mail
