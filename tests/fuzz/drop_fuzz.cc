// SPDX-License-Identifier: MIT
// A drop as the daemon reads it: whatever is accepted is what the encoder writes, and no order of lines makes
// more than one transaction of it.
#include <string>

#include "daemon/base/text.h"
#include "daemon/mail/drop_format.h"
#include "tests/fuzz/fuzz.h"

using namespace hikyaku;
using namespace hikyaku::mail;

namespace {

void check_header(std::string_view bytes) {
  auto header = decode_drop_header(bytes.substr(0, kDropHeader));
  if (header)
    check(encode_drop_header(*header) == bytes.substr(0, kDropHeader), "a line that none would write");
}

void check_name(std::string_view name) {
  if (!is_drop_name(name)) return;
  check(name.size() <= 36 && name.find('/') == name.npos && !name.starts_with('.'), "a dangerous name");
  check(printable(name) == name, "a name that cannot be shown");
}

void check_commands(std::string_view bytes) {
  DropCommands commands;
  int mails = 0;
  int contents = 0;
  for (std::string_view line : split(bytes, '\n')) {
    auto part = commands.next(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
    if (!part) continue;
    check(contents == 0, "something behind the content");
    check((mails == 0) == (*part == DropCommands::Part::mail), "MAIL is not the first, or not the only one");
    mails += *part == DropCommands::Part::mail ? 1 : 0;
    contents += *part == DropCommands::Part::content ? 1 : 0;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes = test::as_text(data, size);
  check_header(bytes);
  check_name(bytes);
  check_commands(bytes);
  check_commands(bytes.substr(std::min(kDropHeader, bytes.size())));
  return 0;
}
