// SPDX-License-Identifier: MIT
// The words of a table of verdicts: a reply at a stage and in a context, and what it must mean.
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <string>

#include "smtpc/verdict.h"

namespace hikyaku::smtpc {

inline constexpr Context kProven{.logged_in = true, .proven = true, .encrypted = true};
inline constexpr Context kUnproven{.logged_in = true, .proven = false, .encrypted = true};
inline constexpr Context kStranger{.logged_in = false, .proven = true, .encrypted = true};
inline constexpr Context kNewStranger{.logged_in = false, .proven = false, .encrypted = true};
inline constexpr Context kClearStranger{.logged_in = false, .proven = false, .encrypted = false};
inline constexpr Context kEveryContext[] = {kProven, kUnproven, kStranger, kNewStranger, kClearStranger};
inline constexpr mail::Stage kTransaction[] = {mail::Stage::mail, mail::Stage::rcpt, mail::Stage::data,
                                               mail::Stage::message};

struct Case {
  mail::Stage stage;
  const char* reply;
  Context context;
  Action action;
  mail::FailureKind kind = mail::FailureKind::other;
};

inline mail::Reply reply(const char* text) {
  const auto parsed = mail::parse_reply(text);
  REQUIRE_MESSAGE(parsed.has_value(), text);
  return *parsed;
}

void check_all(const auto& cases) {
  for (const Case& row : cases) {
    const Verdict result = verdict(row.stage, reply(row.reply), row.context);
    const std::string at = std::string(mail::to_text(row.stage)) + ": " + row.reply;
    CAPTURE(at);
    CAPTURE(row.context.logged_in);
    CAPTURE(row.context.proven);
    CHECK(static_cast<int>(result.action) == static_cast<int>(row.action));
    if (row.action != Action::proceed && row.action != Action::try_helo)
      CHECK(mail::to_text(result.kind) == mail::to_text(row.kind));
  }
}

struct AuthCase {
  const char* reply;
  AuthContext context;
  AuthAction action;
  mail::FailureKind kind = mail::FailureKind::other;
};

void check_log_ins(const auto& cases) {
  for (const AuthCase& row : cases) {
    CAPTURE(row.reply);
    const AuthVerdict result = auth_verdict(reply(row.reply), row.context);
    CHECK(static_cast<int>(result.action) == static_cast<int>(row.action));
    CHECK(mail::to_text(result.kind) == mail::to_text(row.kind));
  }
}

}  // namespace hikyaku::smtpc
