// SPDX-License-Identifier: MIT
#include "daemon/mail/dot_stuffing.h"

namespace hikyaku::mail {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

void note(char c, ContentNotes& notes) {
  notes.has_nul |= c == '\0';
  notes.has_8bit |= static_cast<unsigned char>(c) >= 0x80;
}

// Everything up to the next CR or LF is content whatever the state was: the fast path.
std::size_t copy_run(std::string_view in, std::string& out, ContentNotes& notes) {
  std::size_t length = 0;
  while (length < in.size() && in[length] != '\r' && in[length] != '\n') note(in[length++], notes);
  out.append(in.substr(0, length));
  return length;
}

// What follows begins a line now, and is not looked at for that.
void repair_line_end(std::string& out, ContentNotes& notes) {
  out += kLineEnd;
  notes.repaired = notes.has_dot_line = true;
}

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

DataDecoder::Fed DataDecoder::feed(std::string_view in, std::string& out) {
  std::size_t at = 0;
  while (at < in.size() && state_ != State::done) {
    if (state_ == State::text) at += copy_run(in.substr(at), out, notes_);
    if (at < in.size()) step(in[at++], out);
  }
  return {at, is_done()};
}

void DataDecoder::step(char c, std::string& out) {
  if (step_after_lone_lf(c, out) || ends_line_or_data(c, out)) return;
  // A withheld CR without its LF is a line end to be repaired, but not one after which a dot means anything.
  if (state_ == State::cr || state_ == State::dot_cr) repair_line_end(out, notes_);
  if (state_ == State::line_start && c == '.') {
    state_ = State::dot;
  } else if (state_ == State::dot && c == '\r') {
    state_ = State::dot_cr;
  } else {
    step_in_text(c, out);
  }
}

// True: nothing is left to do. Else `c` follows in text.
bool DataDecoder::step_after_lone_lf(char c, std::string& out) {
  if (state_ != State::lf_start && state_ != State::lf_dot) return false;
  bool is_dot = c == '.';
  bool is_first = state_ == State::lf_start;
  state_ = is_first && is_dot ? State::lf_dot : State::text;
  if (!is_first) out += '.';
  return is_dot;
}

bool DataDecoder::ends_line_or_data(char c, std::string& out) {
  if (c != '\n') return false;
  if (state_ == State::dot_cr || (state_ == State::dot && mode_ == LineMode::lf)) {
    state_ = State::done;
    return true;
  }
  if (state_ != State::cr) return false;
  out += kLineEnd;
  state_ = State::line_start;
  return true;
}

void DataDecoder::step_in_text(char c, std::string& out) {
  if (c == '\r') {
    state_ = State::cr;
  } else if (c == '\n' && mode_ == LineMode::lf) {
    out += kLineEnd;
    state_ = State::line_start;
  } else if (c == '\n') {
    repair_line_end(out, notes_);
    state_ = State::lf_start;
  } else {
    notes_.has_dot_line |= state_ == State::dot && c == '.';
    note(c, notes_);
    out += c;
    state_ = State::text;
  }
}

void Canonicaliser::feed(std::string_view in, std::string& out) {
  for (std::size_t at = 0; at < in.size();) {
    if (state_ != State::cr) {
      notes_.has_dot_line |= state_ == State::line_start && in[at] == '.';
      std::size_t length = copy_run(in.substr(at), out, notes_);
      if (length > 0) state_ = State::text;
      at += length;
    }
    if (at < in.size()) step(in[at++], out);
  }
}

void Canonicaliser::step(char c, std::string& out) {
  bool after_cr = state_ == State::cr;
  if (after_cr && c == '\n') {
    out += kLineEnd;
    state_ = State::line_start;
    return;
  }
  if (after_cr) repair_line_end(out, notes_);
  state_ = c == '\r' ? State::cr : c == '\n' ? State::line_start : State::text;
  if (c == '\n') repair_line_end(out, notes_);
  if (state_ != State::text) return;
  note(c, notes_);
  out += c;
}

void Canonicaliser::finish(std::string& out) {
  if (state_ == State::cr) notes_.repaired = true;
  if (state_ != State::line_start) out += kLineEnd;
  state_ = State::line_start;
}

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
