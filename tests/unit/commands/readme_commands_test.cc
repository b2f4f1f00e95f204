// SPDX-License-Identifier: MIT
// The command lines of `hikyaku` that README.md shows are understood, and the words that it quotes as the programs' are theirs.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <vector>

#include "daemon/base/text.h"
#include "daemon/commands/commands.h"

using namespace hikyaku;
using namespace hikyaku::commands;

namespace {

std::string file_text(const std::string& path) {
  std::ifstream in(path);
  REQUIRE(in);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::string readme() { return file_text(cat(HIKYAKU_TESTS_DIR, "/../README.md")); }

// As a shell would: quotes keep blanks, and a comment, a pipe, a redirection or `&` ends the command.
std::vector<std::string> shell_words(std::string_view line) {
  std::vector<std::string> words;
  std::optional<char> quote;
  bool is_in_word = false;
  for (const char c : line) {
    const bool ends_command = c == '|' || c == '>' || c == '&' || c == ';' || (c == '#' && !is_in_word);
    if (!quote && ends_command) break;
    if (quote ? c == *quote : c == '\'' || c == '"') {
      quote = quote ? std::nullopt : std::optional(c);
    } else if (!quote && is_blank(c)) {
      is_in_word = false;
      continue;
    } else {
      if (!is_in_word) words.emplace_back();
      words.back() += c;
      is_in_word = true;
      continue;
    }
    if (!is_in_word) words.emplace_back();
    is_in_word = true;
  }
  return words;
}

std::string_view without(std::string_view line, std::string_view prefix) {
  return line.starts_with(prefix) ? line.substr(prefix.size()) : line;
}

// Of a block between ``` and ```: the lines behind a prompt, or all where there is none.
std::vector<std::string> commands_in(std::string_view block) {
  const bool has_prompts = block.contains("\n$ ");
  std::vector<std::string> commands;
  for (std::string_view line : split(block, '\n'))
    if (!has_prompts || line.starts_with("$ ")) commands.emplace_back(without(without(line, "$ "), "sudo "));
  return commands;
}

// What is written as `hikyaku …` in the text, one line of a paragraph or over two.
std::vector<std::string> spans_in(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  std::vector<std::string> spans;
  const auto parts = split(text, '`');
  for (std::size_t i = 1; i < parts.size(); i += 2) spans.emplace_back(parts[i]);
  return spans;
}

// The arguments of each command line of `hikyaku`. Forms such as `queue hold|release` are none.
std::vector<std::vector<std::string>> command_lines() {
  std::vector<std::string> found;
  const std::string text = cat("\n", readme());
  bool is_block = false;
  for (std::size_t at = 0; at < text.size(); is_block = !is_block) {
    const std::size_t end = std::min(text.find("\n```", at), text.size());
    const std::string part = text.substr(at, end - at);
    const auto more = is_block ? commands_in(part) : spans_in(part);
    found.insert(found.end(), more.begin(), more.end());
    at = end + 4;
  }
  std::vector<std::vector<std::string>> lines;
  for (const std::string& command : found) {
    if (command.contains("|release") || command.contains("…")) continue;
    auto words = shell_words(command);
    if (words.size() > 1 && words.front() == "hikyaku") lines.emplace_back(words.begin() + 1, words.end());
  }
  return lines;
}

// In the section about the night: words of ours, and where they come from.
struct Quoted {
  const char* words;
  const char* source;
};
constexpr std::array kQuoted = {
    Quoted{"backing off until", "daemon/commands/daemon_answers.cc"},
    Quoted{"refused the user name or password of", "daemon/mail"},
    Quoted{"correct it and", "daemon/mail"},
    Quoted{"run 'hikyaku reload' to have the daemon use this", "daemon/commands"},
    Quoted{"has expired: it was valid until", "daemon/mail"},
    Quoted{"to trust just this one, set", "daemon/mail"},
    Quoted{"mail cannot be sent through", "daemon/checkup/report.cc"},
    Quoted{"nobody listens on", "daemon/mail"},
    Quoted{"waiting for the smarthost", "daemon/listing/queue_overview.cc"},
    Quoted{"could not be looked up", "daemon/mail"},
    Quoted{"make room on it, or lower `min_free`", "spool"},
    Quoted{"ready to take mail", "daemon/control/metrics_port.cc"},
    Quoted{"waiting because of the rate limit", "daemon/listing/queue_overview.cc"},
    Quoted{"is used up; mail waits until", "daemon"},
    Quoted{"this mail in a way that may concern all mail from here", "daemon/mail"},
    Quoted{"it is returned to its sender", "daemon/mail"},
    Quoted{"there is no alias for root, so mail to root (cron's, for instance) leaves for", "daemon/config"},
    Quoted{"a message from <> was refused, and there is no sender to notify", "daemon"},
    Quoted{"is an alias, or a user of this machine; instead:", "daemon/commands/explain.cc"},
    Quoted{"hikyakud is not running", "daemon/commands"},
    Quoted{"to be fetched by hikyakud", "daemon/listing"},
};

// Texts are broken into literals anywhere, as the page is broken into lines.
std::string without_breaks(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  std::string joined;
  for (std::string_view word : words(text)) joined += cat(joined.empty() ? "" : " ", word);
  for (std::size_t at = 0; (at = joined.find("\" \"", at)) != joined.npos;) joined.erase(at, 3);
  return joined;
}

bool is_said_in(const std::string& words, const std::filesystem::path& source) {
  if (!std::filesystem::is_directory(source)) return without_breaks(file_text(source)).contains(words);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(source))
    if (entry.path().extension() == ".cc" && without_breaks(file_text(entry.path())).contains(words))
      return true;
  return false;
}

}  // namespace

TEST_CASE("README: every command line of hikyaku that it shows is understood") {
  const auto lines = command_lines();
  CHECK(lines.size() > 60);
  for (const auto& arguments : lines) {
    // In a sentence the bare name of a command stands for all that it does.
    const std::string mistake = mistake_in(arguments).value_or("");
    CHECK_MESSAGE((mistake.empty() || mistake.ends_with(" is required")),
                  cat(join(arguments, " "), ": ", mistake));
  }
  CHECK(mistake_in({"queue", "--frmo", "x"}) == "there is no option '--frmo'; did you mean '--from'?");
}

TEST_CASE("README: \"It is 3 a.m.\" quotes what the programs say") {
  const std::string text = readme();
  const std::size_t begin = text.find("\n## It is 3 a.m.");
  REQUIRE(begin != text.npos);
  const std::string section = without_breaks(text.substr(begin, text.find("\n## ", begin + 1) - begin));
  for (const Quoted& each : kQuoted) {
    CHECK_MESSAGE(section.contains(each.words), std::string(each.words));
    CHECK_MESSAGE(is_said_in(each.words, std::filesystem::path(HIKYAKU_TESTS_DIR) / ".." / each.source),
                  cat(each.words, " is not in ", each.source));
  }
}
