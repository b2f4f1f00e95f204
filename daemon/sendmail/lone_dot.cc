// SPDX-License-Identifier: MIT
#include "daemon/sendmail/lone_dot.h"

namespace hikyaku::sendmail {

bool LoneDot::feed(std::string_view in, std::string& out) {
  while (!in.empty() && state_ != State::done) {
    if (state_ == State::text) {
      in.remove_prefix(finish_line(in, out));
    } else {
      step(in.front(), out);
      in.remove_prefix(1);
    }
  }
  return state_ == State::done;
}

std::size_t LoneDot::finish_line(std::string_view in, std::string& out) {
  std::size_t end = in.find('\n');
  std::size_t length = end == in.npos ? in.size() : end + 1;
  out.append(in.substr(0, length));
  if (end != in.npos) state_ = State::line_start;
  return length;
}

void LoneDot::step(char c, std::string& out) {
  if (state_ == State::line_start && c == '.') {
    state_ = State::dot;
  } else if (state_ == State::dot && c == '\r') {
    state_ = State::dot_cr;
  } else if (state_ != State::line_start && c == '\n') {
    state_ = State::done;
  } else {
    if (state_ != State::line_start) out += state_ == State::dot ? "." : ".\r";
    out += c;
    state_ = c == '\n' ? State::line_start : State::text;
  }
}

}  // namespace hikyaku::sendmail
