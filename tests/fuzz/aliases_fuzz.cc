// SPDX-License-Identifier: MIT
// The aliases file: whatever it holds, each name that comes out stands for addresses, each with a domain and
// fit for an envelope; written anew, they are the same table; and a problem has a line of the file.
#include <algorithm>
#include <string>

#include "daemon/base/text.h"
#include "daemon/mail/address.h"
#include "daemon/mail/alias_file.h"
#include "tests/fuzz/fuzz.h"

using namespace hikyaku;
using namespace hikyaku::mail;

namespace {

// With quotes only where they are needed: they count for the length.
std::string quoted(std::string_view name) {
  auto path = parse_path(name, {.default_domain = "d.example"});
  if (path && path->address == cat(name, "@d.example")) return std::string(name);
  std::string text = "\"";
  for (char c : name) text += c == '"' || c == '\\' ? cat("\\", std::string_view(&c, 1)) : std::string(1, c);
  return text + "\"";
}

void check_expansion(const Aliases& aliases, const std::string& name) {
  auto addresses = aliases.expand(quoted(name), "d.example");
  check(!addresses.empty(), "a name stands for nothing");
  for (const std::string& address : addresses)
    check(parse_path(cat("<", address, ">"), {.default_domain = {}}).has_value(), "an address is none");
}

std::string written(const Aliases& aliases, const std::string& name) {
  std::string line = cat(quoted(name), ":");
  for (const AliasTarget& target : *aliases.find(quoted(name)))
    line += cat(target.kind == AliasTargetKind::final_name ? " \\<" : " <", target.text, ">,");
  return line + "\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = test::as_text(data, size);
  ParsedAliases parsed = parse_aliases(text);
  std::string anew;
  for (const auto& [name, targets] : parsed.aliases.entries()) {
    check_expansion(parsed.aliases, name);
    anew += written(parsed.aliases, name);
  }
  ParsedAliases again = parse_aliases(anew);
  check(again.problems.empty(), "what was taken is refused");
  check(again.aliases.size() == parsed.aliases.size(), "what was taken is another table");
  for (const auto& [name, targets] : parsed.aliases.entries())
    check(again.aliases.expand(quoted(name), "d") == parsed.aliases.expand(quoted(name), "d"),
          "a name stands for others");
  auto lines = static_cast<unsigned>(std::ranges::count(text, '\n')) + 1;
  for (const AliasProblem& problem : parsed.problems)
    check(problem.line >= 1 && problem.line <= lines && !problem.text.empty(), "a problem has no line");
  return 0;
}
