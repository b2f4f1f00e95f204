// SPDX-License-Identifier: MIT
// What a DataDecoder makes of its input, to compare the results of different cuts. What passes unchanged is taken from
// the input itself, as a session does it.
#pragma once

#include <cstddef>
#include <string>

#include "daemon/mail/dot_stuffing.h"
#include "tests/support/pieces.h"

namespace hikyaku::test {

struct Decoded {
  std::string content;
  std::size_t consumed = 0;
  bool done = false;
  mail::ContentNotes notes;
  bool operator==(const Decoded&) const = default;
};

inline Decoded decode_pieces(mail::LineMode mode, const Pieces& pieces) {
  mail::DataDecoder decoder(mode);
  Decoded decoded;
  for (std::string_view piece : pieces) {
    const std::size_t passed = decoder.pass(piece);
    decoded.content += piece.substr(0, passed);
    auto [consumed, done] = decoder.feed(piece.substr(passed), decoded.content);
    decoded.consumed += passed + consumed;
    decoded.done = done;
    if (done) break;
  }
  decoded.notes = decoder.notes();
  return decoded;
}

}  // namespace hikyaku::test
