// SPDX-License-Identifier: MIT
#include "daemon/mail/dot_stuffing.h"

#include <algorithm>

namespace hikyaku::mail {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

constexpr std::size_t kBlock = 64;

void note(char c, ContentNotes& notes) {
  notes.has_nul |= c == '\0';
  notes.has_8bit |= static_cast<unsigned char>(c) >= 0x80;
}

// What a block contains, judged together with the byte after it.
struct Look {
  unsigned char odd = 0;       // a CR without its LF, an LF without its CR
  unsigned char dot_line = 0;  // a dot after an LF
  unsigned char least = 0xff;  // of all bytes
  unsigned char bits = 0;      // all bytes, or-ed
};

// Examines every byte, without a branch, so that the compiler generates vector code.
[[gnu::always_inline]] inline Look look_at(const char* block) {
  Look seen;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const char here = block[i];
    const char next = block[i + 1];
    seen.odd |= static_cast<unsigned char>((here == '\r') != (next == '\n'));
    seen.dot_line |= static_cast<unsigned char>((here == '\n') & (next == '.'));
    seen.least = std::min(seen.least, static_cast<unsigned char>(here));
    seen.bits |= static_cast<unsigned char>(here);
  }
  return seen;
}

enum class DotLines : std::uint8_t { excluded, included };

[[gnu::always_inline]] inline std::size_t stretch(std::string_view in, DotLines dot_lines,
                                                  ContentNotes& notes) {
  if (in.starts_with('\n')) return 0;
  std::size_t length = 0;
  for (; length + kBlock < in.size(); length += kBlock) {
    const Look seen = look_at(in.data() + length);
    if (seen.odd != 0 || (seen.dot_line != 0 && dot_lines == DotLines::excluded)) break;
    notes.has_dot_line |= seen.dot_line != 0;
    notes.has_nul |= seen.least == 0;
    notes.has_8bit |= seen.bits >= 0x80;
  }
  const bool is_cut = length > 0 && in[length - 1] == '\r';
  return is_cut ? length - 1 : length;
}

#if defined(__x86_64__)
// The same code for processors with vectors of 32 bytes; Debian builds for all of this architecture.
[[gnu::target("avx2")]] std::size_t wide_stretch(std::string_view in, DotLines dot_lines,
                                                 ContentNotes& notes) {
  return stretch(in, dot_lines, notes);
}
const bool kHasWideVectors = __builtin_cpu_supports("avx2") != 0;
#endif

// The length of the canonical stretch that `in` begins with, in whole blocks: each of its lines ends with
// CR LF, and the stretch does not end between the two. The byte before `in` must not be a CR.
std::size_t canonical_stretch(std::string_view in, DotLines dot_lines, ContentNotes& notes) {
#if defined(__x86_64__)
  if (kHasWideVectors) return wide_stretch(in, dot_lines, notes);
#endif
  return stretch(in, dot_lines, notes);
}

void note_all(std::string_view text, ContentNotes& notes) {
  unsigned char nul = 0;
  unsigned char bits = 0;
  for (char c : text) {
    nul |= static_cast<unsigned char>(c == '\0');
    bits |= static_cast<unsigned char>(c);
  }
  notes.has_nul |= nul != 0;
  notes.has_8bit |= bits >= 0x80;
}

// Everything up to the next CR or LF is content in any state. Searched window by window: a CR in each byte
// would else have the rest searched for its LF at each of them.
std::size_t copy_run(std::string_view in, std::string& out, ContentNotes& notes) {
  constexpr std::size_t kWindow = 256;
  std::size_t length = 0;
  for (bool ended = false; !ended && length < in.size();) {
    const std::string_view window = in.substr(length, kWindow);
    const std::string_view line = window.substr(0, window.find('\n'));
    const std::string_view run = line.substr(0, line.find('\r'));
    note_all(run, notes);
    length += run.size();
    ended = run.size() < window.size();
  }
  out.append(in.substr(0, length));
  return length;
}

// The next byte begins a line; it is not examined here.
void repair_line_end(std::string& out, ContentNotes& notes) {
  out += kLineEnd;
  notes.repaired = notes.has_dot_line = true;
}

}  // namespace

DataDecoder::Fed DataDecoder::feed(std::string_view in, std::string& out) {
  std::size_t at = 0;
  while (at < in.size() && state_ != State::done) {
    const std::size_t length = pass(in.substr(at));
    out.append(in.substr(at, length));
    at += length;
    if (state_ == State::text) at += copy_run(in.substr(at), out, notes_);
    if (at < in.size()) step(in[at++], out);
  }
  return {at, is_done()};
}

std::size_t DataDecoder::pass(std::string_view in) {
  const bool may_begin =
      !in.empty() && (state_ == State::text || (state_ == State::line_start && in.front() != '.'));
  if (!may_begin || mode_ == LineMode::lf) return 0;
  const std::size_t length = canonical_stretch(in, DotLines::excluded, notes_);
  if (length == 0) return 0;
  state_ = in[length - 1] == '\n' ? State::line_start : State::text;
  return length;
}

void DataDecoder::step(char c, std::string& out) {
  if (step_after_lone_lf(c, out) || ends_line_or_data(c, out)) return;
  // A held-back CR without LF is repaired to a line end, but a dot after it has no special meaning.
  if (state_ == State::cr || state_ == State::dot_cr) repair_line_end(out, notes_);
  if (state_ == State::line_start && c == '.') {
    state_ = State::dot;
  } else if (state_ == State::dot && c == '\r') {
    state_ = State::dot_cr;
  } else {
    step_in_text(c, out);
  }
}

// Returns true if `c` was consumed; else `c` is text.
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
    std::size_t length = pass(in.substr(at));
    out.append(in.substr(at, length));
    if (length == 0 && state_ != State::cr) length = copy_run_of_line(in.substr(at), out);
    at += length;
    if (at < in.size()) step(in[at++], out);
  }
}

std::size_t Canonicaliser::pass(std::string_view in) {
  if (in.empty() || state_ == State::cr) return 0;
  const bool begins_with_dot = state_ == State::line_start && in.front() == '.';
  const std::size_t length = canonical_stretch(in, DotLines::included, notes_);
  if (length == 0) return 0;
  notes_.has_dot_line |= begins_with_dot;
  state_ = in[length - 1] == '\n' ? State::line_start : State::text;
  return length;
}

std::size_t Canonicaliser::copy_run_of_line(std::string_view in, std::string& out) {
  notes_.has_dot_line |= state_ == State::line_start && in.front() == '.';
  const std::size_t run = copy_run(in, out, notes_);
  if (run > 0) state_ = State::text;
  return run;
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

std::string canonicalised(std::string_view content) {
  Canonicaliser canonicaliser;
  std::string out;
  canonicaliser.feed(content, out);
  canonicaliser.finish(out);
  return out;
}

void DotStuffer::feed(std::string_view in, std::string& out) {
  if (in.empty()) return;
  if (is_plain_) return pass(in, out);
  ContentNotes unused;
  for (std::size_t at = 0; at < in.size();) {
    at += copy_stretch(in.substr(at), out);
    if (state_ == State::text) at += copy_run(in.substr(at), out, unused);
    if (at < in.size()) step(in[at++], out);
  }
}

std::size_t DotStuffer::copy_stretch(std::string_view in, std::string& out) {
  ContentNotes unused;
  const bool may_begin = state_ == State::text || (state_ == State::line_start && in.front() != '.');
  const std::size_t length = may_begin ? canonical_stretch(in, DotLines::excluded, unused) : 0;
  if (length > 0) pass(in.substr(0, length), out);
  return length;
}

void DotStuffer::pass(std::string_view in, std::string& out) {
  out += in;
  note_end(in);
}

bool DotStuffer::passes_unchanged(std::string_view in) {
  if (is_plain_ && !in.empty()) note_end(in);
  return is_plain_;
}

void DotStuffer::step(char c, std::string& out) {
  if (c == '\n' || state_ == State::cr) {  // a CR is emitted only here, with its LF
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
