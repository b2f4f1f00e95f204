// SPDX-License-Identifier: MIT
// Other relays' configurations: whatever stands in them, the import ends, what it makes can be read as a
// configuration, and what it prints is one clean page without the password. The first byte chooses the system, and
// each file that the configuration names has the same text.
#include <algorithm>
#include <string>

#include "daemon/base/text.h"
#include "daemon/config/load.h"
#include "daemon/import/import.h"
#include "tests/fuzz/fuzz.h"

using namespace hikyaku;

namespace {

void check_clean(std::string_view page) {
  check(std::ranges::none_of(page, [](char c) { return (c >= 0 && c < ' ' && c != '\n') || c == 0x7f; }),
        "a control on the page");
  check(is_valid_utf8(page), "the page is not UTF-8");
}

// Keys and names are single words, so a password with a blank is on the page by a mistake alone, unless the same
// text stands elsewhere as a user, or a value of the configuration.
void check_secrets(const importing::Imported& imported, std::string_view page,
                   std::string_view configuration) {
  for (const importing::Login& login : imported.logins) {
    const std::string_view password = login.entry.credentials.password.reveal();
    const bool is_user = std::ranges::any_of(imported.logins, [&](const importing::Login& each) {
      return each.entry.credentials.user.contains(password);
    });
    const bool is_telling =
        password.size() >= 8 && trim(password).contains(' ') && !is_user && !configuration.contains(password);
    check(!is_telling || !page.contains(password), "a password on the page");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto systems = importing::systems();
  const importing::System& system = systems[data[0] % systems.size()];
  const std::string text(test::as_text(data + 1, size - 1));
  const std::string file(system.file);
  const auto read = [&](const std::string&) -> Result<std::string, std::string> { return text; };
  const importing::Imported imported = system.read(text, file, read);
  const std::string page = to_page(imported, system, file);
  check_clean(page);
  check_secrets(imported, page, to_configuration(imported, system, file));
  if (imported.settings.smarthosts.empty()) return 0;
  auto loaded = config::load_text(page, "f", {"a.example", ""});
  check(loaded.has_value(), "what was imported cannot be read");
  return 0;
}
