// SPDX-License-Identifier: MIT
// The {words} in the texts of a diagnosis, and what a failure has for them. Pure.
#pragma once

#include <string>
#include <string_view>

#include "daemon/mail/failure.h"

namespace hikyaku::mail {

// One row of a table of diagnoses: what happened, and what to change.
struct DiagnosisRow {
  FailureKind kind;
  bool (*when)(const Failure&);
  std::string_view what;
  std::string_view change;
};

// Conditions.
inline bool always(const Failure&) { return true; }
inline bool is_temporary(const Failure& failure) { return failure.reply && failure.reply->is_transient(); }

// The row for a failure with a server of the recipients' own domain, where the words for smarthosts do not
// do; nullptr: they do.
const DiagnosisRow* destination_row(const Failure& failure);

// The row for a log-in with OAuth2, or for a provider that takes no password; nullptr: the words for
// passwords do.
const DiagnosisRow* oauth_row(const Failure& failure);

// "a.example, *.b.example and 12 more", of what the certificate is for; text that does not look like a name
// is quoted. Empty if it names no host.
std::string names_of(const CertificateFacts& certificate);

// `text` with its {words} filled in, each once: what was filled in is not expanded again.
std::string fill_in(std::string_view text, const Failure& failure);

}  // namespace hikyaku::mail
