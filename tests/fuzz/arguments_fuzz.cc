// SPDX-License-Identifier: MIT
// A command line, its words apart by NUL: whatever comes of it, no value but a recipient holds a control,
// each recipient was a word of it, and an error is one printable line.
#include <algorithm>
#include <string>
#include <vector>

#include "daemon/base/text.h"
#include "daemon/sendmail/arguments.h"
#include "tests/fuzz/fuzz.h"

using namespace hikyaku;
using namespace hikyaku::sendmail;

namespace {

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
}

void check_request(const Request& request, const std::vector<std::string_view>& words) {
  for (const std::string* value : {&request.full_name, &request.notify, &request.ret, &request.envid,
                                   &request.body, &request.config_file, &request.queue_run.domain})
    check(!has_control(*value), "a value holds a control");
  check(!request.sender || !has_control(*request.sender), "the sender holds a control");
  for (const std::string& id : request.queue_run.ids) check(!has_control(id), "an id holds a control");
  for (const std::string& recipient : request.recipients)
    check(std::ranges::find(words, recipient) != words.end(), "a recipient comes from nowhere");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string_view> words = split(test::as_text(data, size), '\0');
  auto request = parse_arguments(words);
  if (request) {
    check_request(*request, words);
  } else {
    check(!has_control(request.error().text) && request.error().text.size() < 500,
          "an error is not one short line");
    check(request.error().kind != Exit::ok && request.error().kind != Exit::try_again, "an error of no use");
  }
  return 0;
}
