// SPDX-License-Identifier: MIT
// The credentials file: an entry is complete and can be found again; a problem holds nothing of the line; a change
// of one entry leaves the others as they are.
#include <algorithm>
#include <string>

#include "daemon/base/text.h"
#include "daemon/config/authinfo.h"
#include "daemon/config/authinfo_edit.h"
#include "tests/fuzz/fuzz.h"

using namespace hikyaku;

namespace {

void check_entry(const config::Authinfo& entries, const config::AuthinfoEntry& entry) {
  check(!entry.credentials.user.empty() && !entry.credentials.password.empty(), "half an entry");
  config::AuthinfoQuery query{
      entry.host.empty() ? "unknown.example" : entry.host, entry.port.value_or(25), {}, false, {}};
  check(config::find_credentials(entries, query).has_value(), "an entry is not found");
}

bool is_the_same(const config::AuthinfoEntry& a, const config::AuthinfoEntry& b) {
  return a.host == b.host && a.port == b.port && a.credentials.user == b.credentials.user &&
         a.credentials.password == b.credentials.password && a.credentials.realm == b.credentials.realm;
}

// The text is the password, too.
void check_change(std::string_view text, const config::Authinfo& entries) {
  config::AuthinfoEntry entry{entries.empty() ? "h.example" : entries.front().host, {}, {}};
  entry.credentials.user = entries.empty() ? "me" : entries.front().credentials.user;
  entry.credentials.password = Secret(text.empty() ? "x" : std::string(text));
  auto change = config::put_entry(text, entries, entry);
  if (!change) return;
  auto now = config::parse_authinfo(change->text.reveal(), "f");
  check(now && now->size() == entries.size() + (change->is_new ? 1 : 0), "a change makes or loses entries");
  for (std::size_t i = 0; i < now->size(); ++i) {
    const bool is_changed = (*now)[i].line == change->line;
    check(is_changed ? (*now)[i].credentials.password == entry.credentials.password
                     : is_the_same((*now)[i], entries[i]),
          "a change does not change its own entry alone");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = test::as_text(data, size);
  auto entries = config::parse_authinfo(text, "f");
  if (entries) {
    for (const config::AuthinfoEntry& entry : *entries) check_entry(*entries, entry);
    check_change(text, *entries);
    return 0;
  }
  // The same words whatever the letters: the text comes from us alone.
  std::string other(text);
  std::ranges::replace(other, 'q', 'z');
  auto again = config::parse_authinfo(other, "f");
  check(again || again.error().size() != entries.error().size() || again.error() == entries.error(),
        "a problem depends on the line's letters");
  return 0;
}
