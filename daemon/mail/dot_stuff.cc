// SPDX-License-Identifier: MIT
#include "daemon/mail/dot_stuff.h"

namespace hikyaku::mail {
namespace {

constexpr std::string_view kCrlf = "\r\n";

// Up to the first LF and with it; else all.
std::string_view first_line(std::string_view in) {
  std::size_t end = in.find('\n');
  return in.substr(0, end == std::string_view::npos ? in.size() : end + 1);
}

// No CR or LF but in a CR LF at its end.
bool is_canonical(std::string_view line) {
  std::size_t cr = line.find('\r');
  if (cr == std::string_view::npos) return line.back() != '\n';
  return cr + 2 == line.size() && line.back() == '\n';
}

}  // namespace

// Nearly all lines are canonical, and are copied as they are.
void DotStuffer::feed(std::string_view in, std::string& out) {
  if (in.empty()) return;
  if (is_plain_) return pass(in, out);
  while (!in.empty()) {
    std::string_view line = first_line(in);
    in.remove_prefix(line.size());
    if (state_ != State::cr && is_canonical(line))
      copy(line, out);
    else
      for (char c : line) step(c, out);
  }
}

void DotStuffer::pass(std::string_view in, std::string& out) {
  out += in;
  state_ = in.back() == '\n' ? State::line_start : State::text;
}

void DotStuffer::copy(std::string_view line, std::string& out) {
  if (state_ == State::line_start && line.front() == '.') out += '.';
  out += line;
  state_ = line.back() == '\n' ? State::line_start : State::text;
}

void DotStuffer::step(char c, std::string& out) {
  if (c == '\n' || state_ == State::cr) {  // a CR is let out only here, with its LF
    out += kCrlf;
    state_ = State::line_start;
    if (c == '\n') return;
  }
  if (c == '\r') {
    state_ = State::cr;
    return;
  }
  if (c == '.' && state_ == State::line_start) out += '.';
  out += c;
  state_ = State::text;
}

void DotStuffer::finish(std::string& out) {
  if (state_ != State::line_start) out += kCrlf;
  out += ".\r\n";
  state_ = State::line_start;
}

}  // namespace hikyaku::mail
