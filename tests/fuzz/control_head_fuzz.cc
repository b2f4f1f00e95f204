// SPDX-License-Identifier: MIT
// The head of a request to the control socket. Whatever comes, what the HTTP library gets to read is one
// request of a plain form, with one length that is bounded, and the same request when it is looked at again.
#include <algorithm>
#include <string>

#include "daemon/base/text.h"
#include "daemon/control/control_head.h"
#include "tests/fuzz/fuzz.h"

using namespace hikyaku;
using namespace hikyaku::test;

namespace {

void check_plain(const control::RequestHead& head) {
  check(head.body <= control::kMaxBody, "a body has no bound");
  check(control::head_length(head.text) == head.text.size(), "more than one head");
  check(head.text.size() < 2 * control::kMaxHead, "a head has grown");
  auto is_plain = [](char c) { return (c >= ' ' && c < 0x7f) || c == '\r' || c == '\n' || c == '\t'; };
  check(std::ranges::all_of(head.text, is_plain), "the library would see controls");
  for (const char* field : {"range:", "transfer-encoding:", "content-encoding:", "content-type:", "expect:"})
    check(to_lower(head.text).find(cat("\n", field)) == std::string::npos,
          "a field that has no business here");
}

void try_head(std::string_view text) {
  auto head = control::parse_request_head(text);
  if (!head) {
    check(head.error().kind >= 400 && head.error().kind < 500, "a refusal is no refusal");
    check(control::refusal_answer(head.error()).ends_with("\"}\n"), "a refusal does not say why");
    return;
  }
  check_plain(*head);
  auto again = control::parse_request_head(head->text);
  check(again && again->body == head->body, "the library would see another request");
  check(head->text.substr(0, head->text.find('\r')) == text.substr(0, text.find('\r')), "another address");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = test::as_text(data, size).substr(0, control::kMaxHead);
  try_head(text);
  try_head(text.substr(0, control::head_length(text)));
  return 0;
}
