// SPDX-License-Identifier: MIT
#include <algorithm>

#include "daemon/base/text.h"
#include "daemon/import/source.h"

namespace hikyaku::importing {
namespace {

bool is_word(char c) { return is_alpha(c) || is_digit(c) || c == '_'; }

std::string without_quotes(std::string_view text) {
  while (!text.empty() && (is_blank(text.front()) || text.front() == '\n')) text.remove_prefix(1);
  while (!text.empty() && (is_blank(text.back()) || text.back() == '\n')) text.remove_suffix(1);
  const bool is_quoted = text.size() >= 2 && text.starts_with('`') && text.ends_with('\'');
  return std::string(is_quoted ? text.substr(1, text.size() - 2) : text);
}

class M4Reader {
 public:
  explicit M4Reader(std::string_view text) : text_(text) {}

  std::vector<M4Call> read() {
    while (at_ < text_.size()) step();
    return std::move(calls_);
  }

 private:
  void step() {
    if (text_[at_] == '#') return skip_line();
    if (!is_word(text_[at_])) return advance();
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    const std::string_view name = text_.substr(begin, at_ - begin);
    if (name == "dnl") return skip_line();
    const bool is_call = at_ < text_.size() && text_[at_] == '(';
    if (is_call) read_call(name);
  }

  void advance() {
    if (text_[at_] == '\n') ++line_;
    ++at_;
  }
  void skip_line() {
    while (at_ < text_.size() && text_[at_] != '\n') ++at_;
  }

  void read_call(std::string_view name) {
    M4Call call{std::string(name), {}, line_};
    advance();
    std::size_t begin = at_;
    unsigned quotes = 0, brackets = 1;
    for (; at_ < text_.size() && brackets > 0; advance()) {
      const char c = text_[at_];
      if (c == '`') ++quotes;
      if (c == '\'' && quotes > 0) --quotes;
      if (quotes > 0) continue;
      if (c == '(') ++brackets;
      if (c == ')') --brackets;
      const bool ends = brackets == 0 || (c == ',' && brackets == 1);
      if (!ends) continue;
      call.arguments.push_back(without_quotes(text_.substr(begin, at_ - begin)));
      begin = at_ + 1;
    }
    calls_.push_back(std::move(call));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  unsigned line_ = 1;
  std::vector<M4Call> calls_;
};

}  // namespace

std::vector<M4Call> m4_calls(std::string_view text) { return M4Reader(text).read(); }

}  // namespace hikyaku::importing
