// SPDX-License-Identifier: MIT
// Masked addresses in any text: what is masked once stays as it is, nothing is added but masks, and
// of an address in brackets only the first character of the local part is left.
#include <algorithm>
#include <string>

#include "daemon/base/text.h"
#include "daemon/log/address_mask.h"
#include "tests/fuzz/fuzz.h"

using namespace hikyaku;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(test::as_text(data, size));
  const std::string shown = log::mask_addresses(text);
  const bool has_quotes = text.find('"') != std::string::npos;  // what they enclose may be changed by a mask
  check(has_quotes || log::mask_addresses(shown) == shown, "what is masked is masked again");
  check(std::ranges::count(shown, '@') <= std::ranges::count(text, '@'), "an @ is added");
  check(shown.size() <= text.size() + 3 * static_cast<std::size_t>(std::ranges::count(text, '@')),
        "more than masks is added");
  const std::string around = log::mask_addresses(cat(text, " <anna.secret@example.com> ", text));
  check(around.find("<anna.secret@example.com>") == std::string::npos, "an address is shown");
  check(log::mask_address(cat("x", text, "@example.com")).size() < 40 || text.find('@') != text.npos,
        "a local part is shown");
  return 0;
}
