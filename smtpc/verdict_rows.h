// SPDX-License-Identifier: MIT
// The words in which the tables of verdicts are written. Internal to the verdict: verdict.cc has the table for
// smarthosts, destination_verdict.cc that for the recipients' own servers.
#pragma once

#include <initializer_list>
#include <span>

#include "smtpc/verdict.h"

namespace hikyaku::smtpc::rows {

using mail::Stage;

using Stages = std::uint16_t;  // a set of Stage
constexpr Stages at(std::initializer_list<Stage> stages) {
  Stages set = 0;
  for (const Stage stage : stages) set |= static_cast<Stages>(1U << static_cast<unsigned>(stage));
  return set;
}
inline constexpr Stages kGreeting = at({Stage::greeting}), kEhlo = at({Stage::ehlo}), kTls = at({Stage::tls}),
                        kMail = at({Stage::mail}), kRcpt = at({Stage::rcpt}), kData = at({Stage::data}),
                        kMessage = at({Stage::message});
inline constexpr Stages kTransaction = kMail | kRcpt | kData | kMessage;
inline constexpr Stages kBefore = kGreeting | kEhlo | kTls;

struct Codes {
  int from;
  int to;
};
constexpr Codes only(int code) { return {code, code}; }
inline constexpr Codes k2yz{200, 299}, k4yz{400, 499}, k5yz{500, 599}, kAnyCode{200, 599};

// Which enhanced status: any; none; or a subject and some details. Its class is always the code's.
struct Status {
  enum Kind { any, absent, is } kind;
  int subject = -1;
  int from = -1;
  int to = -1;
};
inline constexpr int kMostDetail = 999;
inline constexpr Status kAnyStatus{Status::any}, kNoStatus{Status::absent};
constexpr Status status(int subject) { return {Status::is, subject, 0, kMostDetail}; }
constexpr Status status(int subject, int detail) { return {Status::is, subject, detail, detail}; }
constexpr Status status(int subject, int from, int to) { return {Status::is, subject, from, to}; }

// Conditions; all those of a row must hold.
using Conditions = std::uint16_t;
inline constexpr Conditions kAlways = 0, kNotLoggedIn = 1, kUnproven = 2, kInClear = 4, kSpeaksOfAuth = 8,
                            kSpeaksOfRelaying = 16, kSpeaksOfSender = 32, kSpeaksOfTls = 64;
inline constexpr Conditions kSpeaksOfLimit = 256;     // of what our account may send
inline constexpr Conditions kSpeaksOfRate = 4096;     // that it takes no more from us for a moment
inline constexpr Conditions kSpeaksOfAccount = 512;   // that is not allowed to send at all
inline constexpr Conditions kSpeaksOfMachine = 1024;  // our machine: its address, its name in EHLO
inline constexpr Conditions kSpeaksOfProtocol = 2048;
inline constexpr Conditions kSpeaksOfPasswords = 8192;  // log-ins with a password are not accepted

struct Row {
  Stages stages;
  Codes codes;
  Status status;
  Conditions conditions;
  Action action;
  mail::FailureKind kind = mail::FailureKind::other;
};

// For a server of the recipients' domain. A reply that fits no row is nonsense.
std::span<const Row> destination_rows();

}  // namespace hikyaku::smtpc::rows
