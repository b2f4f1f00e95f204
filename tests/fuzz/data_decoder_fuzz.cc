// SPDX-License-Identifier: MIT
// The content decoders, differentially: any cut of the same bytes gives the same result; that result is
// canonical and what a slow decoder makes of them; and what is stuffed again has exactly one end of data. The
// first byte chooses the cut, the rest is the data.
#include <algorithm>
#include <string>

#include "daemon/mail/dot_stuffing.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/decoded.h"
#include "tests/support/slow_decoder.h"

using namespace hikyaku;
using namespace hikyaku::mail;
using test::Decoded;

namespace {

Decoded decode(LineMode mode, std::string_view in, std::size_t piece) {
  return test::decode_pieces(mode, test::pieces_of(in, piece));
}

Decoded canonicalise(std::string_view in, std::size_t piece) {
  Canonicaliser canonicaliser;
  Decoded canonical{.content = {}, .consumed = in.size(), .done = true, .notes = {}};
  for (std::size_t at = 0; at < in.size(); at += piece) {
    std::string_view bytes = in.substr(at, piece);
    const std::size_t passed = canonicaliser.pass(bytes);
    canonical.content += bytes.substr(0, passed);
    canonicaliser.feed(bytes.substr(passed), canonical.content);
  }
  canonicaliser.finish(canonical.content);
  canonical.notes = canonicaliser.notes();
  return canonical;
}

std::string stuff(std::string_view in, std::size_t piece) {
  DotStuffer stuffer;
  std::string out;
  for (std::size_t at = 0; at < in.size(); at += piece) stuffer.feed(in.substr(at, piece), out);
  stuffer.finish(out);
  return out;
}

void check_canonical(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    check(text[i] != '\r' || text.substr(i, 2) == "\r\n", "a CR without LF");
    check(text[i] != '\n' || (i > 0 && text[i - 1] == '\r'), "an LF without CR");
  }
  check(text.empty() || text.ends_with("\r\n"), "the last line has no end");
}

void check_decoder(LineMode mode, std::string_view in, std::size_t piece) {
  Decoded decoded = decode(mode, in, in.size() + 1);
  check(decode(mode, in, piece) == decoded, "the decoder depends on the cut");
  if (decoded.done) check_canonical(decoded.content);
  if (mode == LineMode::lf) return;
  std::size_t end = ("\r\n" + std::string(in)).find("\r\n.\r\n");
  check(decoded.done == (end != std::string::npos), "the data ended elsewhere than at CR LF . CR LF");
  if (decoded.done)
    check(decoded.consumed == end + 3, "the data ended at another CR LF . CR LF than the first");
  if (decoded.done)
    check(decoded.content == test::slowly_decoded(in), "the content is not what the rules say");
}

void check_stuffer(std::string_view in, std::size_t piece) {
  std::string wire = stuff(in, in.size() + 1);
  check(stuff(in, piece) == wire, "the stuffer depends on the cut");
  check_canonical(wire);
  check(("\r\n" + wire).find("\r\n.\r\n") == wire.size() - 3, "the data on the wire ends early");
  std::string content = canonicalise(in, piece).content;
  check(decode(LineMode::crlf, wire, piece).content == content, "the content changes on the wire");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // Small pieces are decoded byte by byte, large ones in blocks of 64 bytes, at every alignment.
  std::size_t piece = data[0] < 0x80 ? std::size_t{data[0]} % 16 + 1 : std::size_t{data[0]} - 0x40;
  std::string_view in = test::as_text(data + 1, size - 1);
  check_decoder(LineMode::crlf, in, piece);
  check_decoder(LineMode::lf, in, piece);
  Decoded canonical = canonicalise(in, in.size() + 1);
  check(canonicalise(in, piece) == canonical, "the canonicaliser depends on the cut");
  check_canonical(canonical.content);
  check_stuffer(in, piece);
  return 0;
}
