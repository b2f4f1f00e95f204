// SPDX-License-Identifier: MIT
// A dialogue script as a list of steps (README.md). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hikyaku::test {

enum class StepKind { send, expect_line, expect_reply, expect_end, half_close, sink, log };

struct Step {
  StepKind kind;
  std::string text;  // unescaped
  std::size_t line;  // of the script, for messages
};

struct ExpectedMail {
  std::string envelope;
  std::vector<std::string> lines;
  std::size_t line;
};

struct Script {
  std::vector<Step> steps;
  std::vector<std::pair<std::string, std::uint64_t>> options;
  std::vector<ExpectedMail> mails;
  bool whole_only = false;
  std::string problem;  // why it cannot be played; empty: it can
};

Script parse_script(std::string_view text);
// "a\r\{x*3}" with its escapes as the bytes they stand for; nothing if one is wrong.
std::optional<std::string> unescape(std::string_view text);
// Whether `got` is `pattern`, in which a trailing … stands for any rest.
bool matches(std::string_view pattern, std::string_view got);

}  // namespace hikyaku::test
