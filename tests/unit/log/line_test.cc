// SPDX-License-Identifier: MIT
#include "daemon/log/line.h"

#include <algorithm>

#include "doctest/doctest.h"

namespace hikyaku::log {
namespace {

std::string text_of(std::string value) {
  return to_text({LogLevel::info, "e", "", {{"v", std::move(value)}}});
}
std::string json_of(std::string value) {
  return to_json({LogLevel::info, "e", "", {{"v", std::move(value)}}}, "");
}

TEST_CASE("log: a line has its level, event, sentence and fields") {
  Line line{LogLevel::warning, "deferred", "wait", {{"id", std::string("1")}, {"size", std::uint64_t{7}}}};
  CHECK(to_text(line) == "warning deferred: wait id=1 size=7");
  CHECK(
      to_json(line, "2026-11-22T03:14:04Z") ==
      R"({"time":"2026-11-22T03:14:04Z","level":"warning","event":"deferred","text":"wait","id":"1","size":7})");
  CHECK(to_text({LogLevel::error, "", "it is over", {}}) == "error it is over");
  CHECK(to_json({LogLevel::error, "", "it is over", {}}, "") == R"({"level":"error","text":"it is over"})");
}

TEST_CASE(
    "log: a value with blanks, quotes or an equals sign is quoted, so that no value looks like a field") {
  CHECK(text_of("plain-1.2[::1]:25,x") == "info e v=plain-1.2[::1]:25,x");
  CHECK(text_of("") == "info e v=\"\"");
  CHECK(text_of("250 ok status=delivered") == "info e v=\"250 ok status=delivered\"");
  CHECK(text_of("a=b") == "info e v=\"a=b\"");
  CHECK(text_of("say \"x\" \\") == R"(info e v="say \"x\" \\")");
  CHECK(to_text({LogLevel::info, "", "x status=delivered", {}}) == "info \"x status=delivered\"");
}

TEST_CASE("log: whatever bytes a peer sends, a line stays one line without controls") {
  const char* hostile[] = {
      "x\x1b]0;h\x07", "a\r\nJan 1 fake: line", "\xc2\x9b;31m", "\xe2\x80\xa8", "\xff\xfe", "\x7f"};
  for (std::string bytes : hostile) {
    for (const std::string& line : {text_of(bytes), json_of(bytes), to_text({LogLevel::info, "", bytes, {}}),
                                    to_text({LogLevel::info, "e", "", {{"to", Address{bytes}}}})}) {
      CAPTURE(line);
      for (char c : line) CHECK((static_cast<unsigned char>(c) >= 0x20 && c != 0x7f));
      for (const char* bad : {"\xc2\x9b", "\xe2\x80\xa8", "\xff"}) CHECK(line.find(bad) == std::string::npos);
    }
  }
  CHECK(text_of("{:>999999999} %n%s") == "info e v=\"{:>999999999} %n%s\"");
  CHECK(json_of("a\"b\\c\x01") == R"({"level":"info","event":"e","v":"a\"b\\\\c\\x01"})");
}

TEST_CASE("log: a value is capped") {
  std::string huge(1 << 20, 'a');
  CHECK(text_of(huge).size() < 1100);
  CHECK(text_of(huge).ends_with("…"));
  CHECK(json_of(std::string(1 << 20, '"')).size() < 2200);
}

TEST_CASE("log: addresses are in angle brackets, and quoted where they could be mistaken for more") {
  auto shown = [](std::string address) {
    return to_text({LogLevel::info, "e", "", {{"to", Address{address}}}});
  };
  CHECK(shown("") == "info e to=<>");
  CHECK(shown("a@example.com") == "info e to=<a@example.com>");
  CHECK(shown("\"a> status=x\"@b") == R"(info e to="<\"a> status=x\"@b>")");
}

TEST_CASE("log: of a long list ten addresses are shown") {
  std::vector<Address> list(12, Address{"a@b"});
  std::string text = to_text({LogLevel::info, "e", "", {{"to", list}}});
  CHECK(text.ends_with("<a@b>,<a@b>,+2"));
  CHECK(std::ranges::count(text, '<') == 10);
  std::string json = to_json({LogLevel::info, "e", "", {{"to", std::vector<Address>{{"a@b"}, {""}}}}}, "");
  CHECK(json == R"({"level":"info","event":"e","to":["a@b",""]})");
}

}  // namespace
}  // namespace hikyaku::log
