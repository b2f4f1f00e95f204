// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include "daemon/mail/dot_stuffing.h"
#include "doctest/doctest.h"
#include "tests/support/decoded.h"
#include "tests/support/pieces.h"
#include "tests/support/slow_decoder.h"

using namespace hikyaku::mail;
using hikyaku::test::Decoded, hikyaku::test::decode_pieces;
using namespace std::string_view_literals;

namespace {

// Decodes the text whole, and checks that every cut gives the same.
Decoded decode(LineMode mode, std::string_view text) {
  Decoded whole = decode_pieces(mode, {text});
  hikyaku::test::for_each_cut(text, [&](const auto& pieces) { CHECK(decode_pieces(mode, pieces) == whole); });
  return whole;
}
Decoded crlf(std::string_view text) { return decode(LineMode::crlf, text); }
Decoded lf(std::string_view text) { return decode(LineMode::lf, text); }

struct Canonical {
  std::string content;
  ContentNotes notes;
  bool operator==(const Canonical&) const = default;
};

Canonical canonicalise(std::string_view text) {
  auto run = [](const hikyaku::test::Pieces& pieces) {
    Canonicaliser canonicaliser;
    Canonical canonical;
    for (std::string_view piece : pieces) canonicaliser.feed(piece, canonical.content);
    canonicaliser.finish(canonical.content);
    canonical.notes = canonicaliser.notes();
    return canonical;
  };
  Canonical whole = run({text});
  hikyaku::test::for_each_cut(text, [&](const auto& pieces) { CHECK(run(pieces) == whole); });
  return whole;
}

bool has_dot_line(std::string_view content) {
  return content.starts_with('.') || content.find("\r\n.") != std::string_view::npos;
}

bool is_canonical(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n')) return false;
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) return false;
  }
  return text.empty() || text.ends_with("\r\n");
}

// Every text of up to `length` of these letters.
void for_each_text(std::size_t length, std::string_view letters,
                   const std::function<void(const std::string&)>& use) {
  std::vector<std::string> texts{""};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    use(texts[i]);
    if (texts[i].size() == length) continue;
    for (char c : letters) texts.push_back(texts[i] + c);
  }
}

}  // namespace

TEST_CASE("data_decoder: an ordinary message ends at CR LF dot CR LF, and not a byte further") {
  Decoded decoded = crlf("a: b\r\n\r\ntext\r\n.\r\nQUIT\r\n");
  CHECK(decoded.content == "a: b\r\n\r\ntext\r\n");
  CHECK(decoded.done);
  CHECK(decoded.consumed == 17);
  CHECK(decoded.notes == ContentNotes{});
}

TEST_CASE("data_decoder: nothing is consumed after the end") {
  DataDecoder decoder(LineMode::crlf);
  std::string out;
  CHECK(decoder.feed(".\r\n", out).done);
  auto again = decoder.feed("x\r\n.\r\n", out);
  CHECK(again.consumed == 0);
  CHECK(again.done);
  CHECK(out.empty());
}

TEST_CASE("data_decoder: empty data is empty content") {
  CHECK(crlf(".\r\n") == Decoded{.content = "", .consumed = 3, .done = true, .notes = {}});
  CHECK(crlf("\r\n.\r\n").content == "\r\n");
}

TEST_CASE("data_decoder: stuffed dots come out, once a line") {
  CHECK(crlf("..\r\n...\r\n..a\r\n....\r\na.\r\n.\r\n").content == ".\r\n..\r\n.a\r\n...\r\na.\r\n");
  CHECK(crlf(".a\r\n.\r\n").content == "a\r\n");
}

TEST_CASE("data_decoder: in CRLF mode nothing but CR LF dot CR LF ends the data") {
  for (auto almost :
       {"\n.\n"sv, "\n.\r\n"sv, "\r\n.\n"sv, "\r.\r"sv, "\r.\r\n"sv, "\n.\r"sv, "\r\n.\r"sv, "\r\n.\r\r\n"sv,
        "\r\n\0.\r\n"sv, "\r\n.\0\r\n"sv, "\r\r\n.\n"sv, "\n\r.\r\n"sv, "\r\n. \r\n"sv, "\r\n..\r\n"sv}) {
    CAPTURE(almost);
    Decoded decoded = crlf("a" + std::string(almost) + "MAIL FROM:<evil@x>\r\n");
    CHECK_FALSE(decoded.done);
    CHECK(is_canonical(decoded.content));
    CHECK(decoded.content.ends_with("MAIL FROM:<evil@x>\r\n"));
  }
}

TEST_CASE("data_decoder: in CRLF mode lone CR and LF become CR LF, and end no data") {
  CHECK(crlf("x\ny\r\n.\r\n").content == "x\r\ny\r\n");
  CHECK(crlf("a\rb\r\n.\r\n").content == "a\r\nb\r\n");
  CHECK(crlf("a\r\r\nb\r\n.\r\n").content == "a\r\n\r\nb\r\n");
  CHECK(crlf("a\n.\nb\r\n.\r\n").content == "a\r\n.\r\nb\r\n");
  CHECK(crlf("a\r..b\r\n.\r\n").content == "a\r\n..b\r\n");
  CHECK(crlf("\r\n.\rx\r\n.\r\n").content == "\r\n\r\nx\r\n");
  CHECK(crlf("x\ny\r\n.\r\n").notes.repaired);
}

TEST_CASE(
    "data_decoder: in CRLF mode a dot that was doubled after a lone LF comes out once, a single one stays") {
  for (auto [sent, arrives] : {std::pair{"a\n..gitignore\r\n.\r\n", "a\r\n.gitignore\r\n"},
                               {"a\n.gitignore\r\n.\r\n", "a\r\n.gitignore\r\n"},
                               {"a\n..\nb\r\n.\r\n", "a\r\n.\r\nb\r\n"},
                               {"a\n...\nb\r\n.\r\n", "a\r\n..\r\nb\r\n"},
                               {"a\n.\n.\n..\r\n.\r\n", "a\r\n.\r\n.\r\n.\r\n"},
                               {"a\n.\r\n.\r\n", "a\r\n.\r\n"},
                               {"a\n..\r\n.\r\n", "a\r\n.\r\n"},
                               {"a\n.\rb\r\n.\r\n", "a\r\n.\r\nb\r\n"},
                               {"a\n\r..b\r\n.\r\n", "a\r\n\r\n..b\r\n"},
                               {"a\n\r\n..b\r\n.\r\n", "a\r\n\r\n.b\r\n"},
                               {"\n..\r\n.\r\n", "\r\n.\r\n"},
                               {".\n..b\r\n.\r\n", "\r\n.b\r\n"}}) {
    CAPTURE(sent);
    Decoded decoded = crlf(sent);
    CHECK(decoded.content == arrives);
    CHECK(decoded.done);
    CHECK(decoded.notes.has_dot_line);
  }
}

TEST_CASE("data_decoder: in LF mode LF and CR LF end lines, and a line of one dot ends the data") {
  CHECK(lf("a\nb\n.\nQUIT\n") == Decoded{.content = "a\r\nb\r\n", .consumed = 6, .done = true, .notes = {}});
  CHECK(lf("a\r\n.\r\n").done);
  CHECK(lf("a\n.\r\n").done);
  CHECK(lf("a\r\n.\n").done);
  CHECK(lf(".\n") == Decoded{.content = "", .consumed = 2, .done = true, .notes = {}});
  CHECK(lf("..\n..a\r\n...\n.\n").content == ".\r\n.a\r\n..\r\n");
}

TEST_CASE("data_decoder: in LF mode a lone CR is repaired and ends nothing") {
  Decoded decoded = lf("a\r.\nb\n.\n");
  CHECK(decoded.content == "a\r\n.\r\nb\r\n");
  CHECK(decoded.notes.repaired);
  CHECK_FALSE(lf("a\n.\r").done);
  CHECK_FALSE(lf("a\r.\r\n").done);
  CHECK(lf("a\n.\rb\n.\n").content == "a\r\n\r\nb\r\n");
}

TEST_CASE("data_decoder: NUL and 8-bit bytes pass and are noted") {
  Decoded decoded = crlf("a\0b\r\n\xc3\xa4\r\n.\r\n"sv);
  CHECK(decoded.content == "a\0b\r\n\xc3\xa4\r\n"sv);
  CHECK(decoded.notes == ContentNotes{.has_nul = true, .has_8bit = true, .repaired = false});
  CHECK(crlf("\0\r\n.\r\n"sv).notes.has_nul);
  CHECK(crlf("\r\n.\0\r\n"sv).notes.has_nul);
}

TEST_CASE(
    "data_decoder: every short mix of CR, LF and dots, in every cut, is canonical and ends only where it "
    "may") {
  for_each_text(6, "\r\n.x", [](const std::string& text) {
    Decoded decoded = decode_pieces(LineMode::crlf, {text});
    std::size_t end = ("\r\n" + text).find("\r\n.\r\n");
    REQUIRE(decoded.done == (end != std::string::npos));
    REQUIRE(decoded.consumed == (decoded.done ? end + 3 : text.size()));
    if (decoded.done) REQUIRE(decoded.content == hikyaku::test::slowly_decoded(text));
    if (decoded.done) REQUIRE(is_canonical(decoded.content));
    REQUIRE((decoded.notes.has_dot_line || !has_dot_line(decoded.content)));
    for (std::size_t size : {1UZ, 2UZ, 3UZ}) {
      REQUIRE(decode_pieces(LineMode::crlf, hikyaku::test::pieces_of(text, size)) == decoded);
      REQUIRE(decode_pieces(LineMode::lf, hikyaku::test::pieces_of(text, size)) ==
              decode_pieces(LineMode::lf, {text}));
    }
  });
}

TEST_CASE("data_decoder: a line that begins with a dot is noted, a dot elsewhere is not") {
  CHECK(crlf("a\r\n..b\r\n.\r\n").notes.has_dot_line);
  CHECK(crlf("..\r\n.\r\n").notes.has_dot_line);
  CHECK(lf("a\n..b\n.\n").notes.has_dot_line);
  CHECK_FALSE(crlf("a.\r\n b.c\r\n.\r\n").notes.has_dot_line);
  CHECK_FALSE(lf("a.\n b.c\n.\n").notes.has_dot_line);
  CHECK_FALSE(crlf("a\r\n.b\r\n.\r\n").notes.has_dot_line);  // un-stuffed: the line is "b"
}

TEST_CASE("data_decoder: a CR at the end of a 64 KiB piece finds its LF in the next") {
  std::string body(65535, 'a');
  CHECK(decode_pieces(LineMode::crlf, {body + "\r", "\n.\r", "\n"}).content == body + "\r\n");
}

TEST_CASE("data_decoder: a line of a mebibyte passes unsplit") {
  std::string line(1 << 20, 'x');
  CHECK(decode_pieces(LineMode::crlf, hikyaku::test::pieces_of(line + "\r\n.\r\n", 4096)).content ==
        line + "\r\n");
}

TEST_CASE("canonicaliser: line ends are repaired, dots mean nothing") {
  CHECK(canonicalise("a\r\n.\r\n..b\r\n").content == "a\r\n.\r\n..b\r\n");
  CHECK(canonicalise("a\nb\rc\r\r\nd\r\n").content == "a\r\nb\r\nc\r\n\r\nd\r\n");
  CHECK(canonicalise("\n\n").content == "\r\n\r\n");
  CHECK_FALSE(canonicalise("a\r\n").notes.repaired);
  CHECK(canonicalise("a\r").notes.repaired);
  CHECK(canonicalise("a\0"sv).notes.has_nul);
  CHECK(canonicalise("\xff").notes.has_8bit);
  CHECK(canonicalise("a\r\n.b").notes.has_dot_line);
  CHECK(canonicalise(".").notes.has_dot_line);
  CHECK_FALSE(canonicalise("a.\r\nb.\r\n").notes.has_dot_line);
}

TEST_CASE("canonicaliser: content that is not empty ends with CR LF") {
  CHECK(canonicalise("").content == "");
  CHECK(canonicalise("a").content == "a\r\n");
  CHECK(canonicalise("a\r").content == "a\r\n");
  CHECK(canonicalise("a\n").content == "a\r\n");
}

TEST_CASE("canonicaliser: every short mix of CR and LF, in every cut, is canonical") {
  for_each_text(6, "\r\nx.", [](const std::string& text) {
    Canonicaliser whole;
    std::string out;
    whole.feed(text, out);
    whole.finish(out);
    REQUIRE(is_canonical(out));
    REQUIRE((whole.notes().has_dot_line || !has_dot_line(out)));
    Canonicaliser bytewise;
    std::string slow;
    for (char c : text) bytewise.feed(std::string_view(&c, 1), slow);
    bytewise.finish(slow);
    REQUIRE(slow == out);
  });
}
