// SPDX-License-Identifier: MIT
// From the bytes on the wire to canonical content: every line end is CR LF, and content that is not empty
// ends with one. DataDecoder finds the end of DATA and takes the stuffed dots out (RFC 5321 4.5.2);
// Canonicaliser is for BDAT, which has neither. Nothing but the exact end ends the data: that is what stands
// between us and SMTP smuggling. Any cut of the same bytes into pieces gives the same result. No buffers:
// memory does not grow with the input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hikyaku::mail {

// Decided by the line end of the DATA command itself; holds until that message ends.
//            ends a line    ends the data       a dot is un-stuffed        repaired (becomes CR LF)
//   crlf     CR LF          CR LF . CR LF       after CR LF; after a       a lone CR, a lone LF
//                                               lone LF if two stand there
//   lf       LF, CR LF      a line of one dot   after LF, CR LF            a lone CR
// The start of the data counts as the start of a line. CR CR LF is a lone CR and a CR LF.
// After a lone LF in CRLF mode: some clients double a dot there (Python's smtplib, given bytes), others do
// not (curl). Of two dots the first goes; a single one stays, and ends nothing.
enum class LineMode : std::uint8_t { crlf, lf };

// What was noticed about the content so far.
struct ContentNotes {
  bool has_nul = false;
  bool has_8bit = false;      // a byte from 0x80
  bool repaired = false;      // a lone CR or LF was made a CR LF
  bool has_dot_line = false;  // a line of the content begins with a dot
  bool operator==(const ContentNotes&) const = default;
};

class DataDecoder {
 public:
  explicit DataDecoder(LineMode mode) : mode_(mode) {}

  struct Fed {
    std::size_t consumed;  // all of `in`, unless the data ended; what follows are commands
    bool done;
  };
  // Appends to `out`, at most twice as many bytes as were consumed, and two. Once done it consumes nothing
  // more.
  Fed feed(std::string_view in, std::string& out);

  bool is_done() const { return state_ == State::done; }
  bool has_nul() const { return notes_.has_nul; }
  const ContentNotes& notes() const { return notes_; }

 private:
  // dot: the first byte of a line was a dot, which has been withheld. dot_cr, cr: so has a CR after it, after
  // text. lf_start, lf_dot: the same two behind a lone LF in CRLF mode.
  enum class State : std::uint8_t { line_start, dot, dot_cr, text, cr, lf_start, lf_dot, done };

  void step(char c, std::string& out);
  bool ends_line_or_data(char c, std::string& out);
  bool step_after_lone_lf(char c, std::string& out);
  void step_in_text(char c, std::string& out);

  LineMode mode_;
  State state_ = State::line_start;
  ContentNotes notes_;
};

class Canonicaliser {
 public:
  // The next bytes of the content, from one chunk or from several: a CR and its LF may lie in two.
  void feed(std::string_view in, std::string& out);
  // After the last chunk.
  void finish(std::string& out);

  bool has_nul() const { return notes_.has_nul; }
  const ContentNotes& notes() const { return notes_; }

 private:
  enum class State : std::uint8_t { line_start, text, cr };

  void step(char c, std::string& out);

  State state_ = State::line_start;
  ContentNotes notes_;
};

// The output side of DATA: canonical content in, in pieces, dot-stuffed bytes for the wire out (RFC
// 5321 4.5.2). Whatever it is fed, it never lets out a CR without LF, an LF without CR, or the end of the
// data before finish(): no smarthost can be tricked by it into seeing a second message.

class DotStuffer {
 public:
  DotStuffer() = default;
  // Content of which it is known that it is canonical and no line of it begins with a dot passes as it is.
  explicit DotStuffer(bool is_plain) : is_plain_(is_plain) {}

  // Appends to `out`, at most twice as many bytes as `in` has, and two.
  void feed(std::string_view in, std::string& out);
  // The end of the data: CR LF if the content does not end with one, then ". CR LF". Once, and nothing after
  // it.
  void finish(std::string& out);

 private:
  enum class State : std::uint8_t { line_start, text, cr };

  void pass(std::string_view in, std::string& out);
  void copy(std::string_view line, std::string& out);
  void step(char c, std::string& out);

  bool is_plain_ = false;
  State state_ = State::line_start;
};

}  // namespace hikyaku::mail
