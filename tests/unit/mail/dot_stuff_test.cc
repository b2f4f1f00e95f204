// SPDX-License-Identifier: MIT
#include <string>

#include "daemon/mail/dot_stuffing.h"
#include "doctest/doctest.h"
#include "tests/support/pieces.h"

using namespace hikyaku::mail;

namespace {

std::string stuff(std::string_view content) {
  auto run = [](const hikyaku::test::Pieces& pieces) {
    DotStuffer stuffer;
    std::string out;
    for (std::string_view piece : pieces) stuffer.feed(piece, out);
    stuffer.finish(out);
    return out;
  };
  std::string whole = run({content});
  hikyaku::test::for_each_cut(content, [&](const auto& pieces) { CHECK(run(pieces) == whole); });
  return whole;
}

std::size_t occurrences(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; ++at) ++count;
  return count;
}

}  // namespace

TEST_CASE("dot_stuff: canonical content goes out as it is, with its end") {
  CHECK(stuff("a\r\n\r\nb\r\n") == "a\r\n\r\nb\r\n.\r\n");
  CHECK(stuff("") == ".\r\n");
}

TEST_CASE("dot_stuff: a dot at the start of a line is doubled, no other is") {
  CHECK(stuff(".\r\n..\r\n.a\r\na.b.\r\n") == "..\r\n...\r\n..a\r\na.b.\r\n.\r\n");
}

TEST_CASE("dot_stuff: what is known to need nothing passes as it is, with its end") {
  DotStuffer stuffer(true);
  std::string out;
  for (std::string_view piece : {"a\r\n", "", "b.", "\r\n"}) stuffer.feed(piece, out);
  stuffer.finish(out);
  CHECK(out == "a\r\nb.\r\n.\r\n");
}

TEST_CASE("dot_stuff: a missing last line end is added") {
  CHECK(stuff("a") == "a\r\n.\r\n");
  CHECK(stuff(".") == "..\r\n.\r\n");
  CHECK(stuff("a\r") == "a\r\n.\r\n");
}

TEST_CASE("dot_stuff: bare CR and LF are repaired before dots are looked for") {
  CHECK(stuff("a\n.\nb") == "a\r\n..\r\nb\r\n.\r\n");
  CHECK(stuff("a\r.\rb") == "a\r\n..\r\nb\r\n.\r\n");
  CHECK(stuff("a\r\r\n.") == "a\r\n\r\n..\r\n.\r\n");
  CHECK(stuff("\n\r") == "\r\n\r\n.\r\n");
}

TEST_CASE("dot_stuff: whatever it is fed, the wire has one end of data and no bare CR or LF") {
  constexpr std::string_view kLetters = "\r\n.x";
  for (unsigned n = 0; n < 4 * 4 * 4 * 4 * 4 * 4; ++n) {
    std::string text;
    for (unsigned rest = n; text.size() < 6; rest /= 4) text += kLetters[rest % 4];
    DotStuffer stuffer;
    std::string out = "\r\n";  // what the DATA command ended with
    stuffer.feed(text, out);
    stuffer.finish(out);
    REQUIRE(occurrences(out, "\r\n.\r\n") == 1);
    REQUIRE(out.ends_with("\r\n.\r\n"));
    REQUIRE(occurrences(out, "\r") == occurrences(out, "\r\n"));
    REQUIRE(occurrences(out, "\n") == occurrences(out, "\r\n"));
  }
}

TEST_CASE("dot_stuff: what it writes is what the decoder reads") {
  std::string content = ".\r\n..\r\n\r\n.a\r\nb\r\n...\r\n";
  DataDecoder decoder(LineMode::crlf);
  std::string decoded;
  CHECK(decoder.feed(stuff(content), decoded).done);
  CHECK(decoded == content);
}
