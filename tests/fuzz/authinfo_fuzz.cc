// SPDX-License-Identifier: MIT
// The credentials file: an entry is complete and can be found again; a problem holds nothing of the line.
#include <algorithm>
#include <string>

#include "daemon/base/text.h"
#include "daemon/config/authinfo.h"
#include "tests/fuzz/fuzz.h"

using namespace hikyaku;

namespace {

void check_entry(const config::Authinfo& entries, const config::AuthinfoEntry& entry) {
  check(!entry.credentials.user.empty() && !entry.credentials.password.empty(), "half an entry");
  config::AuthinfoQuery query{
      entry.host.empty() ? "unknown.example" : entry.host, entry.port.value_or(25), {}, false, {}};
  check(config::find_credentials(entries, query).has_value(), "an entry is not found");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = test::as_text(data, size);
  auto entries = config::parse_authinfo(text, "f");
  if (entries) {
    for (const config::AuthinfoEntry& entry : *entries) check_entry(*entries, entry);
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
