// SPDX-License-Identifier: MIT
#include "tests/dialogue/script.h"

#include <charconv>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::test {
namespace {

constexpr std::string_view kAnyRest = "…";

class Parser {
 public:
  Script parse(std::string_view text) {
    for (std::string_view line : split(text, '\n')) {
      ++number_;
      if (script_.problem.empty() && !line.empty() && line[0] != '#') parse_line(line);
    }
    return std::move(script_);
  }

 private:
  void parse_line(std::string_view line) {
    std::size_t blank = line.find(' ');
    std::string_view word = line.substr(0, blank);
    auto text = unescape(blank == line.npos ? std::string_view() : line.substr(blank + 1));
    if (!text || !(parse_dialogue(word, *text) || parse_setting(word, *text)))
      script_.problem = cat("line ", std::to_string(number_), " is no step");
  }

  bool parse_dialogue(std::string_view word, const std::string& text) {
    if (word == "C:") return send(text + line_end_);
    if (word == "C>") return send(text);
    if (word == "S:") return add(StepKind::expect_line, text);
    if (word == "S*:") return add(StepKind::expect_reply, text);
    if (word == "S.") return add(StepKind::expect_end, text);
    if (word == "close") return add(StepKind::half_close, text);
    if (word == "sink") return add(StepKind::sink, text);
    if (word == "log") return add(StepKind::log, text);
    if (word == "burst") return is_burst_ = true;
    if (word == "end") {
      is_burst_ = false;
      return add(StepKind::send, std::exchange(burst_, {}));
    }
    return false;
  }

  bool parse_setting(std::string_view word, const std::string& text) {
    if (word == "line-ends") return !(line_end_ = text == "LF" ? "\n" : "\r\n").empty();
    if (word == "whole") return script_.whole_only = true;
    if (word == "mail") return add_mail(text);
    if (word == "|") return !script_.mails.empty() && add_content(text);
    return word == "option" && add_option(text);
  }

  bool send(const std::string& bytes) {
    if (!is_burst_) return add(StepKind::send, bytes);
    burst_ += bytes;
    return true;
  }
  bool add(StepKind kind, std::string text) {
    script_.steps.push_back({kind, std::move(text), number_});
    return true;
  }
  bool add_mail(std::string envelope) {
    script_.mails.push_back({std::move(envelope), {}, number_});
    return true;
  }
  bool add_content(const std::string& line) {
    script_.mails.back().lines.push_back(line);
    return true;
  }
  bool add_option(const std::string& text) {
    auto parts = words(text);
    auto value = parts.size() == 2 ? parse_number(parts[1]) : std::nullopt;
    if (value) script_.options.emplace_back(parts[0], *value);
    return value.has_value();
  }

  Script script_;
  std::size_t number_ = 0;
  std::string line_end_ = "\r\n";
  bool is_burst_ = false;
  std::string burst_;
};

// "{c*N}" at the beginning of `rest`, which is cut behind it.
std::optional<std::string> take_repetition(std::string_view& rest) {
  std::size_t end = rest.find('}');
  if (end == rest.npos || end < 4 || rest[2] != '*') return std::nullopt;
  auto count = parse_number(rest.substr(3, end - 3));
  if (!count) return std::nullopt;
  std::string run(*count, rest[1]);
  rest.remove_prefix(end + 1);
  return run;
}

std::optional<std::string> take_hex(std::string_view& rest) {
  unsigned byte = 0;
  if (rest.size() < 3) return std::nullopt;
  auto [end, error] = std::from_chars(rest.data() + 1, rest.data() + 3, byte, 16);
  if (error != std::errc() || end != rest.data() + 3) return std::nullopt;
  rest.remove_prefix(3);
  return std::string(1, static_cast<char>(byte));
}

// What follows a backslash.
std::optional<std::string> take_escape(std::string_view& rest) {
  static constexpr std::string_view kNames = "rnt0\\";
  static constexpr std::string_view kBytes("\r\n\t\0\\", 5);
  if (rest.starts_with('{')) return take_repetition(rest);
  if (rest.starts_with('x')) return take_hex(rest);
  std::size_t at = rest.empty() ? kNames.npos : kNames.find(rest[0]);
  if (at == kNames.npos) return std::nullopt;
  rest.remove_prefix(1);
  return std::string(1, kBytes[at]);
}

}  // namespace

Script parse_script(std::string_view text) { return Parser().parse(text); }

std::optional<std::string> unescape(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    std::size_t backslash = text.find('\\');
    bytes += text.substr(0, backslash);
    if (backslash == text.npos) return bytes;
    text.remove_prefix(backslash + 1);
    auto escaped = take_escape(text);
    if (!escaped) return std::nullopt;
    bytes += *escaped;
  }
  return bytes;
}

bool matches(std::string_view pattern, std::string_view got) {
  if (!pattern.ends_with(kAnyRest)) return got == pattern;
  return got.starts_with(pattern.substr(0, pattern.size() - kAnyRest.size()));
}

}  // namespace hikyaku::test
