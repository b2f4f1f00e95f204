// SPDX-License-Identifier: MIT
#include "daemon/tryout/demo_screen.h"

#include <algorithm>

#include "daemon/base/text.h"

namespace hikyaku::tryout {
namespace {

constexpr std::string_view kIndent = "     ";
constexpr std::string_view kDeeper = "         ";
constexpr std::string_view kTab = "    ";
constexpr std::size_t kWidth = 110;

// Where a line of at most `width` bytes may end; the whole of it if there is no blank.
std::size_t break_point(std::string_view text, std::size_t width) {
  if (text.size() <= width) return text.size();
  std::size_t blank = text.rfind(' ', width);
  return blank == text.npos || blank == 0 ? std::min(text.find(' '), text.size()) : blank;
}

}  // namespace

void DemoScreen::bold(std::string_view text) {
  print_(is_terminal_ ? cat("\x1b[1m", text, "\x1b[0m\n") : cat(text, "\n"));
}

void DemoScreen::title(std::string_view text) { bold(text); }

void DemoScreen::step(std::string_view text) {
  print_("\n");
  bold(cat(" ", std::to_string(++steps_), ". ", text));
  print_("\n");
}

void DemoScreen::line(std::string_view text) {
  std::vector<std::string> parts;
  for (std::string_view part : split(text, '\t')) parts.push_back(printable(part));
  std::string shown = join(parts, kTab);
  print_(shown.empty() ? "\n" : cat(kIndent, shown, "\n"));
}

void DemoScreen::text(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  for (std::string_view each : split(text, '\n')) line(each.substr(0, each.find_last_not_of('\r') + 1));
}

void DemoScreen::wrapped(std::string_view text) {
  std::string_view indent = kIndent;
  while (!text.empty()) {
    std::size_t end = break_point(text, kWidth - indent.size());
    print_(cat(indent, text.substr(0, end), "\n"));
    text.remove_prefix(std::min(text.size(), end + 1));
    indent = kDeeper;
  }
}

void DemoScreen::remark(std::string_view text) { print_(cat("\n", text, "\n")); }

}  // namespace hikyaku::tryout
