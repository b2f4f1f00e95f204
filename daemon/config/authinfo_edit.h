// SPDX-License-Identifier: MIT
// Changes the text of a credentials file, one entry at a time: an entry is replaced where it stands, in the
// notation that its line has, or comes at the end; every other byte stays. Pure. What is written has been read
// back and found to be the same, so a password that a notation cannot hold gets another one, or is refused.
// Errors hold nothing of the entry.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/error.h"
#include "daemon/config/authinfo.h"

namespace hikyaku::config {

struct AuthinfoChange {
  Secret text;  // of the whole file
  unsigned line = 0;
  AuthinfoNotation notation = AuthinfoNotation::netrc;
  bool is_new = true;  // false: in the place of an entry for the same host, port and user
};

// `entries` are those of `text`. Of an entry that is replaced the authorization id, realm and mechanisms stay.
Result<AuthinfoChange, std::string> put_entry(std::string_view text, const Authinfo& entries,
                                              AuthinfoEntry entry);

// Without these lines, counted from 1 and in ascending order.
Secret without_lines(std::string_view text, const std::vector<unsigned>& lines);

// Whose notation it is, for people: "sendmail", "netrc", "Postfix", "clsmtpc".
std::string_view to_text(AuthinfoNotation notation);

}  // namespace hikyaku::config
