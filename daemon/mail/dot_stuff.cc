// SPDX-License-Identifier: MIT
#include "daemon/mail/dot_stuff.h"

namespace hikyaku::mail {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

}  // namespace

void DotStuffer::feed(std::string_view in, std::string& out) {
  for (std::size_t at = 0; at < in.size();) {
    if (state_ == State::text) {
      std::size_t end = at;
      while (end < in.size() && in[end] != '\r' && in[end] != '\n') ++end;
      out.append(in.substr(at, end - at));
      at = end;
    }
    if (at < in.size()) step(in[at++], out);
  }
}

void DotStuffer::step(char c, std::string& out) {
  if (c == '\n' || state_ == State::cr) {  // a CR is let out only here, with its LF
    out += kLineEnd;
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
  if (state_ != State::line_start) out += kLineEnd;
  out += ".\r\n";
  state_ = State::line_start;
}

}  // namespace hikyaku::mail
