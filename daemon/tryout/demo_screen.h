// SPDX-License-Identifier: MIT
// What `hikyaku demo` shows: numbered steps, dialogues, files. Plain text; headings stand out on a terminal
// only.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace hikyaku::tryout {

class DemoScreen {
 public:
  using Print = std::function<void(std::string_view)>;
  // `print` gets whole lines with their ends.
  explicit DemoScreen(Print print, bool is_terminal) : print_(std::move(print)), is_terminal_(is_terminal) {}

  void title(std::string_view text);
  void step(std::string_view text);  // numbers itself
  void line(std::string_view text);  // indented; foreign bytes made printable
  void text(std::string_view text);  // each of its lines
  // One long line, broken at blanks and indented where it goes on.
  void wrapped(std::string_view text);
  void remark(std::string_view text);  // at the margin, after an empty line

 private:
  void bold(std::string_view text);

  Print print_;
  bool is_terminal_;
  int steps_ = 0;
};

}  // namespace hikyaku::tryout
