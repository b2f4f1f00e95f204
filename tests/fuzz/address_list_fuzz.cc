// SPDX-License-Identifier: MIT
// A field's addresses: their places lie in the value, in order and apart; no control but a tab of a quoted
// string gets into an address; and an address that was completed in its place is read back with its domain.
#include <string>

#include "daemon/mail/address_list.h"
#include "tests/fuzz/fuzz.h"

using namespace hikyaku;
using namespace hikyaku::mail;

namespace {

void check_places(std::string_view value, const AddressList& list) {
  std::size_t last = 0;
  for (const auto& mailbox : list.mailboxes) {
    check(last <= mailbox.begin && mailbox.begin < mailbox.end && mailbox.end <= value.size(),
          "a place is wrong");
    check(!mailbox.address.empty(), "an address is empty");
    check(mailbox.address.find_first_of("\r\n") == std::string::npos, "a line end is in an address");
    last = mailbox.end;
  }
  check(!list.problem || list.problem->at < value.size(), "a problem is nowhere");
}

std::string completed(std::string value, const AddressList& list) {
  for (auto mailbox = list.mailboxes.rbegin(); mailbox != list.mailboxes.rend(); ++mailbox)
    if (!mailbox->has_domain) value.insert(mailbox->end, "@d.example");
  return value;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string value(test::as_text(data, size));
  AddressList list = parse_address_list(value);
  check_places(value, list);
  AddressList again = parse_address_list(completed(value, list));
  check(again.mailboxes.size() == list.mailboxes.size(), "completing changed the number");
  for (std::size_t i = 0; i < list.mailboxes.size(); ++i) {
    const auto& before = list.mailboxes[i];
    check(again.mailboxes[i].has_domain, "a completed address has no domain");
    check(again.mailboxes[i].address == before.address + (before.has_domain ? "" : "@d.example"),
          "completing changed an address");
  }
  return 0;
}
