// SPDX-License-Identifier: MIT
// Patterns of addresses, and host names that are hidden. A pattern that matches matches an address as parse_path
// returns it, in either case, and only at its own domain; a field from which a host is hidden holds as many
// mailboxes as before, and that host no more. The first line is the pattern, the second an address, the rest a field.
#include <string>

#include "daemon/base/text.h"
#include "daemon/mail/address.h"
#include "daemon/mail/address_list.h"
#include "daemon/mail/address_pattern.h"
#include "daemon/mail/masquerade.h"
#include "tests/fuzz/fuzz.h"

using namespace hikyaku;
using namespace hikyaku::mail;

namespace {

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return line;
}

void check_match(const AddressPattern& pattern, std::string_view address) {
  if (pattern.text() == "*" || address.empty()) return;
  auto path = parse_path(address, {.default_domain = {}, .smtputf8 = true});
  check(path && path->address == address, "what is no plain address matches");
  std::string_view wanted = domain_of(pattern.text());
  const bool is_below = wanted.starts_with("*.");
  wanted.remove_prefix(is_below ? 1 : 0);
  const std::string_view found = domain_of(address);
  const bool fits = is_below ? found.size() > wanted.size() &&
                                   equals_ignoring_case(found.substr(found.size() - wanted.size()), wanted)
                             : equals_ignoring_case(found, wanted);
  check(fits, "a pattern matches at another domain");
}

void check_hidden(std::string value, const Masquerade& masquerade) {
  const std::string before = value;
  const std::size_t count = parse_address_list(value).mailboxes.size();
  const bool has_changed = masquerade.apply_to_field(value);
  check(has_changed || value == before, "a change is not told");
  const AddressList after = parse_address_list(value);
  check(after.mailboxes.size() == count, "hiding changed the number of mailboxes");
  for (const ListedMailbox& mailbox : after.mailboxes)
    check(!masquerade.hides(domain_of(mailbox.address)), "a host is not hidden");
  check(!masquerade.apply_to_field(value), "what is hidden is hidden again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = test::as_text(data, size);
  const std::string_view text = take_line(rest);
  const std::string_view address = take_line(rest);
  if (auto pattern = AddressPattern::parse(text)) {
    check(pattern->text() == text, "a pattern is not what was written");
    if (pattern->matches(address)) check_match(*pattern, address);
    check(pattern->matches(address) == pattern->matches(to_upper(address)), "case makes a difference");
  }
  check_hidden(std::string(rest), {.hosts = {"h", "host.example"}, .domain = "d.example"});
  return 0;
}
