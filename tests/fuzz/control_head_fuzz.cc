// SPDX-License-Identifier: MIT
// The head of a request to the control socket. Whatever comes, what is understood is one request of a plain
// form, bounded, and never longer than what came.
#include <algorithm>
#include <string>

#include "daemon/control/control_head.h"
#include "tests/fuzz/fuzz.h"

using namespace hikyaku;
using namespace hikyaku::test;

namespace {

void check_plain(const control::RequestHead& head, std::string_view text) {
  check(head.method == "GET" || head.method == "POST", "another method");
  check(head.path.starts_with('/'), "a path that is not absolute");
  check(head.body <= control::kMaxBody, "a body has no bound");
  check(head.method == "POST" || head.body == 0, "a GET has a body");
  check(std::ranges::all_of(head.accept, [](char c) { return (c >= ' ' && c < 0x7f) || c == '\t'; }),
        "controls in what the client takes");
  std::size_t size = head.path.size() + head.accept.size();
  for (const auto& [name, value] : head.parameters) size += name.size() + value.size();
  check(size <= text.size(), "a head has grown");
}

void try_head(std::string_view text) {
  auto head = control::parse_request_head(text);
  if (head) return check_plain(*head, text);
  check(head.error().kind >= 400 && head.error().kind < 500, "a refusal is no refusal");
  check(!head.error().text.empty(), "a refusal does not say why");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = test::as_text(data, size).substr(0, control::kMaxHead);
  try_head(text);
  try_head(text.substr(0, control::head_length(text)));
  return 0;
}
