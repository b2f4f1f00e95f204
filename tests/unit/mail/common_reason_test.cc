// SPDX-License-Identifier: MIT
#include "daemon/mail/common_reason.h"

#include <doctest/doctest.h>

using namespace hikyaku::mail;

TEST_CASE("common reason: addresses are left out, and nothing else") {
  struct Row {
    std::string_view reason;
    std::string_view common;
  };
  constexpr Row kRows[] = {
      {"", ""},
      {"the mailbox of <a@example.com> is full", "the mailbox of <...> is full"},
      {"<a@b> and <c@d>", "<...> and <...>"},
      {"mail from <> was refused", "mail from <> was refused"},
      {"a < b and c > d", "a < b and c > d"},
      {"<not closed", "<not closed"},
      {"<<a@b>", "<<...>"},
  };
  for (const Row& row : kRows) {
    CHECK(common_reason(row.reason) == row.common);
    CHECK(common_reason(row.common) == row.common);
    CHECK(make_common_reason(row.reason, "main")->text == row.common);
  }
}

TEST_CASE("common reason: its code tells reasons and smarthosts apart, not addresses; it never changes") {
  CHECK(reason_code("", "") == 0);
  CHECK(reason_code("full: <a@b>", "main") == reason_code("full: <c@d>", "main"));
  CHECK(reason_code("full: <a@b>", "main") != reason_code("full: <a@b>", "backup"));
  CHECK(reason_code("full", "main") != reason_code("busy", "main"));
  CHECK(reason_code("", "main") != 0);
  // Stands in the spools of users.
  CHECK(reason_code("the smarthost said not now", "main") == 3619296738);
}
