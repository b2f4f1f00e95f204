// SPDX-License-Identifier: MIT
#include "daemon/mail/alias_lines.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::mail {
namespace {

bool is_blank_or_comment(std::string_view line) {
  std::string_view words = trim(line);
  return words.empty() || words.starts_with('#');
}

class Gatherer {
 public:
  void take(std::string_view line) {
    ++number_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    bool continued = std::exchange(is_continued_, false);
    if (!continued && is_blank_or_comment(line)) return append("");
    is_continued_ = line.ends_with('\\');
    if (is_continued_) line.remove_suffix(1);
    bool begins = !continued && !line.empty() && !is_blank(line.front());
    if (begins) return begin(line);
    if (lines_.entries.empty() && lines_.continues_nothing == 0) lines_.continues_nothing = number_;
    append(line);
  }
  AliasLines take_lines() { return std::move(lines_); }

 private:
  void begin(std::string_view line) { lines_.entries.push_back({number_, std::string(line)}); }
  void append(std::string_view line) {
    if (!lines_.entries.empty()) lines_.entries.back().text += cat("\n", line);
  }

  AliasLines lines_;
  unsigned number_ = 0;
  bool is_continued_ = false;
};

// Scans an entry once: the first part ends at the colon, the others at commas.
class Cutter {
 public:
  explicit Cutter(const AliasEntryText& entry) : text_(entry.text), line_(entry.line) {}

  bool is_done() const { return at_ >= text_.size(); }
  // Reads up to and including `end`; returns whether it was found.
  bool cut(char end, AliasPart& part) {
    part = {line_, {}, false};
    while (!is_done()) {
      char c = text_[at_];
      if (c == end) {
        ++at_;
        finish(part);
        return true;
      }
      step(c, part);
    }
    finish(part);
    return false;
  }

 private:
  void step(char c, AliasPart& part) {
    if (c == '"') return quoted(part);
    if (c == '(') return comment(part);
    if (c == '<') return bracketed(part);
    if (c == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n') take(part);
    take(part);
  }
  // Blanks before a part do not belong to it.
  void take(AliasPart& part) {
    char c = text_[at_++];
    if (c == '\n') ++line_;
    bool blank = is_blank(c) || c == '\n';
    if (part.text.empty() && blank) return;
    if (part.text.empty()) part.line = line_;
    part.text += blank ? ' ' : c;
  }
  void quoted(AliasPart& part) {
    take(part);
    while (!is_done() && text_[at_] != '"') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) take(part);
      take(part);
    }
    part.is_open |= is_done();
    if (!is_done()) take(part);
  }
  void bracketed(AliasPart& part) {
    take(part);
    while (!is_done() && text_[at_] != '>') text_[at_] == '"' ? quoted(part) : take(part);
    part.is_open |= is_done();
    if (!is_done()) take(part);
  }
  // RFC 5322 3.2.2; the comment counts as a blank.
  void comment(AliasPart& part) {
    std::size_t depth = 0;
    do {
      char c = text_[at_++];
      if (c == '\n') ++line_;
      if (c == '\\' && !is_done() && text_[at_] != '\n') ++at_;
      depth += c == '(' ? 1 : 0;
      depth -= c == ')' ? 1 : 0;
    } while (depth > 0 && !is_done());
    part.is_open |= depth > 0;
    if (!part.text.empty()) part.text += ' ';
  }
  static void finish(AliasPart& part) { part.text = trim(part.text); }

  std::string_view text_;
  unsigned line_;
  std::size_t at_ = 0;
};

}  // namespace

AliasLines entries_of(std::string_view file) {
  Gatherer gatherer;
  if (file.ends_with('\n')) file.remove_suffix(1);
  for (std::string_view line : split(file, '\n')) gatherer.take(line);
  return gatherer.take_lines();
}

AliasParts parts_of(const AliasEntryText& entry) {
  AliasParts parts;
  Cutter cutter(entry);
  parts.has_colon = cutter.cut(':', parts.name);
  while (!cutter.is_done()) cutter.cut(',', parts.targets.emplace_back());
  return parts;
}

}  // namespace hikyaku::mail
