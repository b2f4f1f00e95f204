// SPDX-License-Identifier: MIT
// What of a message is signed, in the canonical form "relaxed" (RFC 6376 3.4.2 and 3.4.4): a relay on the way may
// fold a field anew or change blanks without breaking the signature. Nothing here knows keys. Pure; memory does
// not grow with the input.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace hikyaku::dkim {

// "subject:A folded text", without a line end. `name` may have blanks around it; `text` is what stands behind the
// colon, with folds and line end.
std::string relaxed_field(std::string_view name, std::string_view text);

// The body as a stream. Only CR LF ends a line. A body of nothing but empty lines becomes nothing at all, any
// other one ends with one CR LF.
class RelaxedBody {
 public:
  // Gets the canonical bytes in order, a few KiB at a time.
  using Sink = std::function<void(std::string_view)>;
  explicit RelaxedBody(Sink sink) : sink_(std::move(sink)) {}

  void feed(std::string_view in);
  // The last call.
  void finish();

 private:
  void step(char c);
  void text(std::string_view bytes);
  void put(std::string_view bytes);
  void pass_on();

  Sink sink_;
  std::string ready_;
  std::uint64_t line_ends_ = 0;  // held back: dropped where no text follows
  bool has_blanks_ = false;      // the same, in the line
  bool has_cr_ = false;          // perhaps half of a line end
  bool has_text_ = false;
};

}  // namespace hikyaku::dkim
