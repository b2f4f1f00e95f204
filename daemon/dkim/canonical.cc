// SPDX-License-Identifier: MIT
#include "daemon/dkim/canonical.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::dkim {
namespace {

constexpr std::size_t kPassedOn = 4096;

bool is_special(char c) { return is_blank(c) || c == '\r'; }

// Unfolded: a line end counts as nothing, the blank behind it as a blank.
std::string relaxed_text(std::string_view text) {
  std::string relaxed;
  bool has_blank = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text.substr(at, 2) == "\r\n") {
      ++at;
    } else if (is_blank(text[at])) {
      has_blank = true;
    } else {
      if (std::exchange(has_blank, false) && !relaxed.empty()) relaxed += ' ';
      relaxed += text[at];
    }
  }
  return relaxed;
}

}  // namespace

std::string relaxed_field(std::string_view name, std::string_view text) {
  return cat(to_lower(trim(name)), ":", relaxed_text(text));
}

void RelaxedBody::feed(std::string_view in) {
  while (!in.empty()) {
    const auto run = static_cast<std::size_t>(std::ranges::find_if(in, is_special) - in.begin());
    if (run > 1 && !has_cr_) {
      text(in.substr(0, run));
      in.remove_prefix(run);
    } else {
      step(in.front());
      in.remove_prefix(1);
    }
  }
}

void RelaxedBody::step(char c) {
  const bool had_cr = std::exchange(has_cr_, false);
  if (had_cr && c == '\n') {
    ++line_ends_;
    has_blanks_ = false;
    return;
  }
  if (had_cr) text("\r");  // a lone one is text
  if (is_blank(c))
    has_blanks_ = true;
  else if (c == '\r')
    has_cr_ = true;
  else
    text(std::string_view(&c, 1));
}

// Something follows what was held back.
void RelaxedBody::text(std::string_view bytes) {
  for (; line_ends_ > 0; --line_ends_) put("\r\n");
  if (std::exchange(has_blanks_, false)) put(" ");
  put(bytes);
  has_text_ = true;
}

void RelaxedBody::put(std::string_view bytes) {
  ready_ += bytes;
  if (ready_.size() >= kPassedOn) pass_on();
}

void RelaxedBody::pass_on() {
  if (!ready_.empty()) sink_(ready_);
  ready_.clear();
}

void RelaxedBody::finish() {
  if (std::exchange(has_cr_, false)) text("\r");
  if (has_text_) put("\r\n");
  pass_on();
}

}  // namespace hikyaku::dkim
