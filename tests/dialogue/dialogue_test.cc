// SPDX-License-Identifier: MIT
#include <filesystem>
#include <fstream>
#include <sstream>

#include "doctest/doctest.h"
#include "tests/dialogue/play.h"

using namespace hikyaku::test;

namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::vector<std::filesystem::path> scripts() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(HIKYAKU_DIALOGUES))
    if (entry.path().extension() == ".smtp") found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

}  // namespace

TEST_CASE("dialogue: every script plays as it is written, whole and byte by byte") {
  auto found = scripts();
  CHECK(found.size() >= 40);
  for (const auto& path : found) {
    CAPTURE(path.filename().string());
    Script script = parse_script(read_file(path));
    CHECK(play(script, SIZE_MAX) == "");
    if (!script.whole_only) CHECK(play(script, 1) == "");
  }
}

TEST_CASE("dialogue: a script that is not what happens fails") {
  const std::string greeting = "S: 220 mx.test hikyaku t0ken ready\n";
  CHECK(play(parse_script(greeting), SIZE_MAX) == "");
  CHECK(play(parse_script("S: 220 other\n"), SIZE_MAX).starts_with("line 1: wanted \"220 other\""));
  CHECK(play(parse_script("S: 220 mx…\nC: NOOP\nS*: 500\n"), SIZE_MAX).starts_with("line 3"));
  CHECK(play(parse_script("S: 220 mx…\nC: NOOP\n"), SIZE_MAX).starts_with("unexpected at the end: 250"));
  CHECK(play(parse_script(greeting + "mail <> -> a@b\n"), SIZE_MAX) == "wanted 1 mails, got 0");
  CHECK(play(parse_script(greeting + "log odd"), SIZE_MAX).starts_with("line 2: wanted \"odd\""));
  CHECK(play(parse_script("oops"), SIZE_MAX) == "line 1 is no step");
}

TEST_CASE("dialogue: a mail that arrives otherwise than written fails") {
  const std::string way =
      "S*: 220\nC: MAIL FROM:<a@b>\nS*: 250\nC: RCPT TO:<c@d>\nS*: 250\nC: DATA\nS*: 354\nC: From: "
      "a@b\nC:\nC: x\n"
      "C: .\nS*: 250\n";
  const std::string mail = "mail <a@b> -> c@d\n| From: a@b\n| Date: …\n| Message-ID: …\n|\n| x\n";
  CHECK(play(parse_script(way + mail), SIZE_MAX) == "");
  CHECK(play(parse_script(way + mail + "| y\n"), SIZE_MAX).starts_with("line 19"));
  CHECK(play(parse_script(way + "mail <a@b> -> c@d\n| From: a@b\n"), SIZE_MAX)
            .starts_with("line 14: wanted \"no more"));
  CHECK(play(parse_script(way + "mail <a@b> -> e@d\n"), SIZE_MAX)
            .starts_with("line 13: wanted \"<a@b> -> e@d\""));
}

TEST_CASE("dialogue: escapes stand for bytes") {
  CHECK(unescape(R"(a\r\n\0\\\x7f\{x*3}b)") == std::string("a\r\n\0\\\x7fxxxb", 10));
  CHECK(unescape(R"(\q)") == std::nullopt);
  CHECK(unescape(R"(\)") == std::nullopt);
  CHECK(unescape(R"(\{x*})") == std::nullopt);
  CHECK(unescape(R"(\xg0)") == std::nullopt);
}
