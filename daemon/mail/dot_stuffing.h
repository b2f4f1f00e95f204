// SPDX-License-Identifier: MIT
// Dot-stuffing and line ends of message content (RFC 5321 4.5.2), in both directions. Content is canonical if
// every line ends with CR LF. DataDecoder finds the end of DATA and removes stuffed dots; Canonicaliser is
// for BDAT, which has neither; DotStuffer writes DATA. Only the exact end sequence ends the data, which
// prevents SMTP smuggling. The result does not depend on how the bytes are split into pieces, and memory does
// not grow with the input. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hikyaku::mail {

// Set by the line end of the DATA command itself; applies until that message ends.
//            ends a line    ends the data       a dot is un-stuffed        repaired (becomes CR LF)
//   crlf     CR LF          CR LF . CR LF       after CR LF; after a       a lone CR, a lone LF
//                                               lone LF if two stand there
//   lf       LF, CR LF      a line of one dot   after LF, CR LF            a lone CR
// The start of the data counts as the start of a line. CR CR LF is a lone CR and a CR LF.
// After a lone LF in CRLF mode some clients double a dot (Python's smtplib, given bytes), others do not
// (curl). Of two dots the first is removed; a single dot stays and does not end the data.
enum class LineMode : std::uint8_t { crlf, lf };

// What was found in the content so far.
struct ContentNotes {
  bool has_nul = false;
  bool has_8bit = false;      // a byte from 0x80
  bool repaired = false;      // a lone CR or LF became a CR LF
  bool has_dot_line = false;  // a line of the content begins with a dot
  bool operator==(const ContentNotes&) const = default;
};

class DataDecoder {
 public:
  explicit DataDecoder(LineMode mode) : mode_(mode) {}

  struct Fed {
    std::size_t consumed;  // all of `in`, unless the data ended; the rest are commands
    bool done;
  };
  // How many bytes `in` begins with that feed() would append as they are. Counts them as fed: they need not be
  // copied.
  std::size_t pass(std::string_view in);
  // Appends to `out` at most twice the number of consumed bytes, plus two. Consumes nothing more once it is
  // done.
  Fed feed(std::string_view in, std::string& out);

  bool is_done() const { return state_ == State::done; }
  bool has_nul() const { return notes_.has_nul; }
  const ContentNotes& notes() const { return notes_; }

 private:
  // dot: the line began with a dot, which is held back. dot_cr, cr: a CR after that dot, or after text, is
  // held back too. lf_start, lf_dot: line_start and dot after a lone LF in CRLF mode.
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
  // As DataDecoder's.
  std::size_t pass(std::string_view in);
  // The next bytes of the content; a CR and its LF may be in two chunks.
  void feed(std::string_view in, std::string& out);
  // After the last chunk.
  void finish(std::string& out);

  bool has_nul() const { return notes_.has_nul; }
  const ContentNotes& notes() const { return notes_; }

 private:
  enum class State : std::uint8_t { line_start, text, cr };

  std::size_t copy_run_of_line(std::string_view in, std::string& out);
  void step(char c, std::string& out);

  State state_ = State::line_start;
  ContentNotes notes_;
};

// All of it at once.
std::string canonicalised(std::string_view content);

// Turns canonical content into dot-stuffed bytes for DATA. For any input it never emits a CR without LF, an
// LF without CR, or the end of the data before finish(), so that no smarthost can be made to see a second
// message.
class DotStuffer {
 public:
  DotStuffer() = default;
  // `is_plain`: the content is known to be canonical and to have no line that begins with a dot; it is
  // copied.
  explicit DotStuffer(bool is_plain) : is_plain_(is_plain) {}

  // Appends to `out` at most twice the bytes of `in`, plus two.
  void feed(std::string_view in, std::string& out);
  // Whether feed() would change nothing: then the bytes may go out as they are. Counts them as fed.
  bool passes_unchanged(std::string_view in);
  // Appends the end of the data: CR LF unless the content ends with one, then ". CR LF". The last call.
  void finish(std::string& out);

 private:
  enum class State : std::uint8_t { line_start, text, cr };

  std::size_t copy_stretch(std::string_view in, std::string& out);
  void pass(std::string_view in, std::string& out);
  void note_end(std::string_view in) { state_ = in.back() == '\n' ? State::line_start : State::text; }
  void step(char c, std::string& out);

  bool is_plain_ = false;
  State state_ = State::line_start;
};

}  // namespace hikyaku::mail
