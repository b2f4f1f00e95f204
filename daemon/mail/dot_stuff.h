// SPDX-License-Identifier: MIT
// The output side of DATA: canonical content in, in pieces, dot-stuffed bytes for the wire out (RFC
// 5321 4.5.2). Whatever it is fed, it never lets out a CR without LF, an LF without CR, or the end of the
// data before finish(): no smarthost can be tricked by it into seeing a second message.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hikyaku::mail {

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
