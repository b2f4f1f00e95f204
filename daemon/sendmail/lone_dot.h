// SPDX-License-Identifier: MIT
// The end of a message as people type it: a line of a single dot, if the caller has not said -i. Applied to
// the bytes as they come, LF or CR LF. Any cut of the same bytes gives the same. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hikyaku::sendmail {

class LoneDot {
 public:
  // Appends to `out` what belongs to the message. True once the line of a dot has come: nothing behind it is
  // looked at. A dot that may still turn out to be that line stays behind; at the end of input it is one.
  bool feed(std::string_view in, std::string& out);

 private:
  enum class State : std::uint8_t { line_start, dot, dot_cr, text, done };
  std::size_t finish_line(std::string_view in, std::string& out);
  void step(char c, std::string& out);

  State state_ = State::line_start;
};

}  // namespace hikyaku::sendmail
