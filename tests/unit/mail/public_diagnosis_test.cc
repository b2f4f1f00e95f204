// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "daemon/mail/diagnosis.h"

using namespace hikyaku;
using namespace hikyaku::mail;

TEST_CASE("diagnosis: what every user may read says who has to act, and names no account, host or file") {
  Failure failure;
  failure.host = "smtp.example.com";
  failure.user = "me@example.com";
  failure.origin = "/etc/hikyaku/authinfo:1";
  failure.detail = "password of me@example.com";
  failure.reply = Reply{535, {"no me@example.com here"}, {}};
  for (int kind = 0; kind <= static_cast<int>(FailureKind::other); ++kind) {
    failure.kind = static_cast<FailureKind>(kind);
    std::string text = public_diagnosis(failure);
    CAPTURE(text);
    for (const char* secret : {"me@", "smtp.example.com", "authinfo", "535"})
      CHECK(text.find(secret) == std::string::npos);
    CHECK((text.ends_with("; the administrator has to correct it") ||
           text.ends_with("; it is tried again by itself")));
  }
  failure.kind = FailureKind::auth_rejected;
  CHECK(public_diagnosis(failure) ==
        "the smarthost refuses hikyaku's log-in; the administrator has to correct it");
  failure.kind = FailureKind::refused;
  CHECK(public_diagnosis(failure) ==
        "the smarthost cannot be reached, or does not answer; it is tried again by itself");
}
