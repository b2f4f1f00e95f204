// SPDX-License-Identifier: MIT
#include "daemon/mail/smtp_reply.h"

#include "daemon/base/text.h"
#include "doctest/doctest.h"

using namespace hikyaku;
using namespace hikyaku::mail;
using State = ReplyParser::State;

namespace {

Reply reply(std::string_view text) {
  const auto parsed = parse_reply(text);
  REQUIRE_MESSAGE(parsed.has_value(), text);
  return *parsed;
}

}  // namespace

TEST_CASE("smtp_reply: the code decides, whatever the text is") {
  struct {
    const char* text;
    int code;
    const char* line;
  } const rows[] = {
      {"250 ok", 250, "ok"},
      {"250", 250, ""},
      {"250 ", 250, ""},
      {"235 ok, go ahead (#2.0.0)", 235, "ok, go ahead (#2.0.0)"},
      {"354 go ahead", 354, "go ahead"},
      {"250 ok 1536825396 qp 2277", 250, "ok 1536825396 qp 2277"},
      {"250  two blanks", 250, " two blanks"},
      {"599 x", 599, "x"},
      {"200 x", 200, "x"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(reply(row.text).code == row.code);
    CHECK(reply(row.text).lines == std::vector<std::string>{row.line});
  }
}

TEST_CASE("smtp_reply: all lines of a multi-line reply are kept") {
  const Reply gmail = reply("535-5.7.8 Not accepted.\r\n535-\r\n535 5.7.8 See https://x\r\n");
  CHECK(gmail.code == 535);
  CHECK(gmail.lines == std::vector<std::string>{"5.7.8 Not accepted.", "", "5.7.8 See https://x"});
  CHECK(gmail.is_permanent());
  CHECK(to_text(gmail) == "535 5.7.8 Not accepted. / 5.7.8 See https://x");
  CHECK(reply("250-a\n250").lines.size() == 2);
}

TEST_CASE("smtp_reply: what is no reply is malformed") {
  for (const char* text : {"", "25", "2500 ok", "999 x", "199 x", "600 x", "abc", "25x ok", " 250 ok",
                           "250\tok", "250_ok", "-250 ok", "+25 ok", "2 0 ok", "HTTP/1.1 400 Bad Request"}) {
    CAPTURE(text);
    CHECK(ReplyParser().feed(text) == State::malformed);
  }
}

TEST_CASE("smtp_reply: lines of one reply with different codes are malformed") {
  ReplyParser parser;
  CHECK(parser.feed("250-a") == State::more);
  CHECK(parser.feed("550 b") == State::malformed);
  CHECK(parser.feed("250-a") == State::more);
  CHECK(parser.feed("") == State::malformed);
  CHECK_FALSE(parse_reply("250 a\r\n250 b\r\n").has_value());
  CHECK_FALSE(parse_reply("250-a\r\n").has_value());
}

TEST_CASE("smtp_reply: a parser begins anew after each reply and each error") {
  ReplyParser parser;
  CHECK(parser.feed("550-5.1.1 one") == State::more);
  CHECK(parser.feed("550 two") == State::complete);
  CHECK(parser.take().status == EnhancedStatus{5, 1, 1});
  CHECK(parser.feed("nonsense") == State::malformed);
  CHECK(parser.feed("250 5") == State::complete);
  const Reply next = parser.take();
  CHECK(next.lines == std::vector<std::string>{"5"});
  CHECK_FALSE(next.status.has_value());
}

TEST_CASE("smtp_reply: an enhanced status counts only if its class is the code's") {
  CHECK(reply("550 5.1.1 no").status == EnhancedStatus{5, 1, 1});
  CHECK(reply("550-no\r\n550 5.1.1 no").status == EnhancedStatus{5, 1, 1});
  CHECK_FALSE(reply("250 5.1.1 ok").status.has_value());
  CHECK_FALSE(reply("550 4.1.1 no").status.has_value());
  CHECK_FALSE(reply("550 2.0.0 no").status.has_value());
  CHECK_FALSE(reply("354 5.0.0 go").status.has_value());
  CHECK_FALSE(reply("550 no (#5.1.1)").status.has_value());
}

TEST_CASE("smtp_reply: a flood ends at 64 KiB, and what fits keeps 128 lines") {
  ReplyParser parser;
  std::size_t fed = 0;
  State state = State::more;
  for (; state == State::more; ++fed) state = parser.feed("250-x");
  CHECK(state == State::flood);
  CHECK(fed == kMaxReplyBytes / 7 + 1);
  CHECK(parser.feed(cat("250 ", std::string(kMaxReplyBytes, 'x'))) == State::flood);

  for (int i = 0; i < 1000; ++i) REQUIRE(parser.feed("250-x") == State::more);
  CHECK(parser.feed("250 x") == State::complete);
  CHECK(parser.take().lines.size() == kMaxReplyLines);
}

TEST_CASE("smtp_reply: as text it is one printable line of at most 1 KiB") {
  const Reply hostile =
      reply(cat("550-\r\n550-a\rsender: root\x1b[2J", std::string_view("\0\x9b", 2), "\r\n550 z"));
  const std::string text = to_text(hostile);
  CHECK(text.find('\r') == text.npos);
  CHECK(text.find('\0') == text.npos);
  CHECK(text.find('\x1b') == text.npos);
  CHECK(text.starts_with("550 / a\\x0dsender: root"));
  for (const char* bytes : {"x", "\x01", "\xe2\x80\xa8", "é"}) {
    std::string line = "550 ";
    while (line.size() < 60'000) line += bytes;
    CAPTURE(bytes);
    CHECK(to_text(reply(line)).size() <= kMaxReplyText);
    CHECK(is_valid_utf8(to_text(reply(line))));
  }
}
