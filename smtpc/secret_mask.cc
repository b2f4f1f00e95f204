// SPDX-License-Identifier: MIT
#include "smtpc/secret_mask.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/base/text.h"

namespace hikyaku::smtpc {
namespace {

constexpr std::string_view kInstead = "***";
constexpr std::size_t kMostBlanks = 64;                   // around a line end inside a secret
constexpr std::size_t kMostLines = mail::kMaxReplyLines;  // without a character of the secret
constexpr std::string_view kWords[] = {"AUTH",
                                       "PLAIN",
                                       "LOGIN",
                                       "SIZE",
                                       "DSN",
                                       "STARTTLS",
                                       "PIPELINING",
                                       "8BITMIME",
                                       "SMTPUTF8",
                                       "CHUNKING",
                                       "BINARYMIME",
                                       "CRAM-MD5",
                                       "ENHANCEDSTATUSCODES",
                                       "DIGEST-MD5",
                                       "EXTERNAL",
                                       "XOAUTH2",
                                       "ESMTP",
                                       "SMTP",
                                       "GSSAPI",
                                       "OAUTHBEARER",
                                       "SCRAM-SHA-1",
                                       "HELP",
                                       "ETRN",
                                       "VRFY",
                                       "EXPN",
                                       "NTLM",
                                       "SCRAM-SHA-256"};

bool is_word_character(char c) { return is_alpha(c) || is_digit(c) || static_cast<unsigned char>(c) >= 0x80; }

std::optional<char> hex_pair(std::string_view digits) {
  if (digits.size() < 2) return std::nullopt;
  const auto high = hex_value(digits[0]);
  const auto low = hex_value(digits[1]);
  if (!high || !low) return std::nullopt;
  return static_cast<char>(*high * 16 + *low);
}

std::size_t blanks(std::string_view text, const char* which) {
  const auto end = text.substr(0, kMostBlanks).find_first_not_of(which);
  return end == text.npos ? std::min(text.size(), kMostBlanks) : end;
}

bool has_code(std::string_view line) {
  return line.size() > 3 && (line[3] == ' ' || line[3] == '-') && parse_number(line.substr(0, 3));
}

// The enhanced status and its blank at a line's beginning, in a raw one with the code before it.
std::size_t prefix_length(std::string_view line, bool is_raw) {
  const std::size_t code = is_raw && has_code(line) ? 4 : 0;
  const std::string_view rest = line.substr(code);
  if (!mail::parse_enhanced_status(rest)) return code;
  const auto end = std::min(rest.find_first_not_of("0123456789."), rest.size());
  return code + end + (rest.substr(end).starts_with(' ') ? 1 : 0);
}

// One character of a secret as the text has it: itself, or encoded.
struct Symbol {
  char character;
  std::size_t length;  // in the text
};

class Reading {
 public:
  // `is_raw`: its lines have their codes.
  Reading(const SecretPieces& pieces, std::string_view text, bool is_raw)
      : pieces_(pieces), text_(text), is_raw_(is_raw), is_hidden_(text.size(), false) {}

  std::string run() {
    bool found = false;
    for (start_ = 0; start_ < text_.size(); ++start_) found = follow(start_, {}) || found;
    if (!found) return std::string(text_);
    show_prefixes();
    return without_hidden();
  }

 private:
  // Whether the characters from `at` on complete a piece that began with `piece`, in any reading; those that
  // do are hidden. No deeper than a piece is long.
  bool follow(std::size_t at, Piece piece) {
    const bool found = piece.length() > 0 && follow_over_line_end(at, piece);
    return follow_symbols(at, piece) || found;
  }

  bool follow_symbols(std::size_t at, Piece piece) {
    bool found = false;
    for (const Symbol& symbol : symbols(at)) {
      if (symbol.length == 0 || !continues(at + symbol.length, piece.then(symbol.character))) continue;
      hide(at, symbol.length);
      found = true;
    }
    return found;
  }

  bool continues(std::size_t at, Piece piece) {
    const auto known = pieces_.find(piece);
    bool found = known.whole && counts(at, piece);
    if (known.begins && piece.length() < Piece::kLongest) found = follow(at, piece) || found;
    return found;
  }

  bool counts(std::size_t end, Piece piece) const {
    if (!pieces_.are_words() || piece.length() == Piece::kLongest) return true;
    return (start_ == 0 || !is_word_character(text_[start_ - 1])) &&
           (end == text_.size() || !is_word_character(text_[end]));
  }

  bool follow_over_line_end(std::size_t at, Piece piece) {
    const std::size_t next = next_line(at);
    if (next == at) return false;
    bool found = follow_line(next, piece);
    const std::size_t prefix = prefix_at(next);
    return (prefix > 0 && follow_line(next + prefix, piece)) || found;
  }

  // The blank at which the line was broken may be the secret's own, and is gone.
  bool follow_line(std::size_t begin, Piece piece) {
    begin += blanks(text_.substr(begin), " \t");
    bool found = follow_symbols(begin, piece);
    return continues(begin, piece.then(' ')) || found;
  }

  // The beginning of the next line that is not empty, if only blanks, or the "=" of quoted-printable, stand
  // before it; else `at`.
  std::size_t next_line(std::size_t at) const {
    std::size_t next = line_behind(at);
    for (std::size_t i = 0; i < kMostLines && next != at; ++i) {
      const std::size_t begin = next + prefix_at(next);
      const std::size_t after = begin < text_.size() ? line_behind(begin) : begin;
      if (after == begin) return next;
      next = after;
    }
    return next;
  }

  std::size_t line_behind(std::size_t at) const {
    const std::size_t from = at < text_.size() && text_[at] == '=' ? at + 1 : at;
    const std::string_view gap = text_.substr(from, blanks(text_.substr(from), " \t\r\n"));
    const auto end = gap.rfind('\n');
    return end == gap.npos ? at : from + end + 1;
  }

  std::size_t prefix_at(std::size_t begin) const {
    return prefix_length(text_.substr(begin, text_.substr(begin).find('\n')), is_raw_);
  }

  std::array<Symbol, 3> symbols(std::size_t at) const {
    const std::string_view rest = text_.substr(at);
    if (rest.empty() || rest[0] == '\n') return {};
    std::array<Symbol, 3> all{{{rest[0], 1}, {}, {}}};
    if (rest[0] == '%' || rest[0] == '=')
      if (auto byte = hex_pair(rest.substr(1))) all[1] = {*byte, 3};
    if (rest[0] == '+' || rest[0] == '_') all[1] = {' ', 1};
    if (rest.starts_with("\\\\")) all[1] = {'\\', 2};
    if (rest.starts_with("\\x"))
      if (auto byte = hex_pair(rest.substr(2))) all[2] = {*byte, 4};
    return all;
  }

  void hide(std::size_t at, std::size_t length) {
    std::fill_n(is_hidden_.begin() + static_cast<std::ptrdiff_t>(at), length, true);
  }

  void show_prefixes() {
    for (std::size_t begin = 0; begin < text_.size();) {
      std::fill_n(is_hidden_.begin() + static_cast<std::ptrdiff_t>(begin), prefix_at(begin), false);
      begin += std::min(text_.substr(begin).find('\n'), text_.size() - begin - 1) + 1;
    }
  }

  bool is_word_of_smtp(std::size_t from, std::size_t to) const {
    bool stands_alone = (from == 0 || !is_word_character(text_[from - 1])) &&
                        (to == text_.size() || !is_word_character(text_[to]));
    return stands_alone && std::ranges::find(kWords, text_.substr(from, to - from)) != std::end(kWords);
  }

  std::string without_hidden() const {
    std::string shown;
    for (std::size_t at = 0, end = 0; at < text_.size(); at = end) {
      while (end < text_.size() && is_hidden_[end] == is_hidden_[at]) ++end;
      shown += is_hidden_[at] && !is_word_of_smtp(at, end) ? kInstead : text_.substr(at, end - at);
    }
    return shown;
  }

  const SecretPieces& pieces_;
  std::string_view text_;
  bool is_raw_;
  std::vector<bool> is_hidden_;
  std::size_t start_ = 0;
};

}  // namespace

std::string SecretMask::masked(std::string_view text) const {
  return pieces_.empty() ? std::string(text) : Reading(pieces_, text, true).run();
}

mail::Reply SecretMask::masked(mail::Reply reply) const {
  if (pieces_.empty()) return reply;
  const std::string shown = Reading(pieces_, join(reply.lines, "\n"), false).run();
  const auto lines = split(shown, '\n');
  reply.lines.assign(lines.begin(), lines.end());
  return reply;
}

}  // namespace hikyaku::smtpc
