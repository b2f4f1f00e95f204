// SPDX-License-Identifier: MIT
#include "daemon/mail/address_list.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::mail {
namespace {

// The tokens of a structured header field (RFC 5322 3.2): atoms, quoted strings, domain literals and
// specials; blanks, folds and comments are skipped.

struct AddressToken {
  enum Kind : char {
    end = 0,
    atom = 'a',
    quoted = 'q',    // with its quotes
    literal = 'l',   // with its brackets
    unclosed = 'u',  // a quote or bracket that is not closed; extends to the end
    stray = '?',     // a byte that is not allowed here: a control, a backslash, ")", "]"
    special = 's',   // one of . @ < > , ; :
  };
  Kind kind = end;
  std::size_t begin = 0;
  std::size_t finish = 0;  // after its last byte
  char byte = 0;           // its first byte
  bool is(char c) const { return kind == special && byte == c; }
  bool is_word() const { return kind == atom || kind == quoted; }
};

class AddressTokens {
 public:
  explicit AddressTokens(std::string_view value) : value_(value) {}
  // The next token; `end` at the end and on every later call. An unclosed comment extends to the end.
  AddressToken next();

 private:
  void skip_comments_and_blanks();
  void skip_comment();
  std::size_t end_of_enclosed(char closing) const;
  AddressToken make(AddressToken::Kind kind, std::size_t finish);

  std::string_view value_;
  std::size_t at_ = 0;
};

bool is_blank_or_line_end(char c) { return is_blank(c) || c == '\r' || c == '\n'; }

bool is_atext(char c) {
  constexpr std::string_view kOthers = "!#$%&'*+-/=?^_`{|}~";
  return is_alpha(c) || is_digit(c) || static_cast<unsigned char>(c) >= 0x80 ||
         kOthers.find(c) != kOthers.npos;
}

bool is_special(char c) { return std::string_view(".@<>,;:").find(c) != std::string_view::npos; }

AddressToken AddressTokens::next() {
  skip_comments_and_blanks();
  if (at_ == value_.size()) return {AddressToken::end, at_, at_, 0};
  char c = value_[at_];
  if (is_special(c)) return make(AddressToken::special, at_ + 1);
  if (c == '"' || c == '[') {
    std::size_t finish = end_of_enclosed(c == '"' ? '"' : ']');
    if (finish == value_.npos) return make(AddressToken::unclosed, value_.size());
    return make(c == '"' ? AddressToken::quoted : AddressToken::literal, finish);
  }
  if (!is_atext(c)) return make(AddressToken::stray, at_ + 1);
  auto rest = value_.substr(at_);
  auto end = std::ranges::find_if_not(rest, is_atext);
  return make(AddressToken::atom, at_ + static_cast<std::size_t>(end - rest.begin()));
}

void AddressTokens::skip_comments_and_blanks() {
  while (at_ < value_.size() && (is_blank_or_line_end(value_[at_]) || value_[at_] == '(')) {
    if (value_[at_] == '(') {
      skip_comment();
    } else {
      ++at_;
    }
  }
}

// Comments nest (RFC 5322 3.2.2).
void AddressTokens::skip_comment() {
  for (std::size_t depth = 0; at_ < value_.size(); ++at_) {
    char c = value_[at_];
    if (c == '\\' && at_ + 1 < value_.size()) ++at_;
    if (c == '(') ++depth;
    if (c == ')' && --depth == 0) break;
  }
  at_ = std::min(at_ + 1, value_.size());
}

std::size_t AddressTokens::end_of_enclosed(char closing) const {
  for (std::size_t i = at_ + 1; i < value_.size(); ++i) {
    if (value_[i] == '\\') {
      ++i;
    } else if (value_[i] == closing) {
      return i + 1;
    }
  }
  return value_.npos;
}

AddressToken AddressTokens::make(AddressToken::Kind kind, std::size_t finish) {
  AddressToken token{kind, at_, finish, value_[at_]};
  at_ = finish;
  return token;
}

using Tokens = std::vector<AddressToken>;

constexpr const char* kNotAnAddress = "a name without an address, or no comma between two addresses";

// The text of a quoted string or an atom.
std::string unquote(std::string_view word) {
  if (!word.starts_with('"')) return std::string(word);
  std::string plain;
  for (std::size_t i = 1; i + 1 < word.size(); ++i) {
    if (word[i] == '\\' && i + 2 < word.size()) ++i;
    if (word[i] != '\r' && word[i] != '\n') plain += word[i];
  }
  return plain;
}

std::string quote(std::string_view plain) {
  std::string quoted = "\"";
  for (char c : plain) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

// Folds never count (RFC 5322 3.2.2); blanks count only in a quoted string.
bool is_dropped(char c, AddressToken::Kind kind) {
  return c == '\r' || c == '\n' || (kind == AddressToken::literal && (c == ' ' || c == '\t'));
}

// Words separated by dots, misplaced dots allowed; never two adjacent words.
bool is_dotted(const Tokens& tokens, bool domain) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    bool word = domain ? tokens[i].kind == AddressToken::atom : tokens[i].is_word();
    if (!word && !tokens[i].is('.')) return false;
    if (word && i > 0 && !tokens[i - 1].is('.')) return false;
  }
  return !tokens.empty();
}

bool is_listed_domain(const Tokens& tokens) {
  return (tokens.size() == 1 && tokens[0].kind == AddressToken::literal) || is_dotted(tokens, true);
}

// Parses one mailbox after the other. Commas and colons of a route within brackets are not separators.
class ListParser {
 public:
  explicit ListParser(std::string_view value) : value_(value), tokens_(value) {}

  AddressList run() {
    AddressToken token = tokens_.next();
    for (; token.kind != AddressToken::end; token = tokens_.next()) take(token);
    finish_entry(token);
    return std::move(list_);
  }

 private:
  enum class Bracket : char { none, open, closed };

  void take(const AddressToken& token) {
    if (!in_entry_) begin_ = token.begin;
    in_entry_ = true;
    bool in_route = bracket_ == Bracket::open && !pending_.empty() && pending_[0].is('@');
    if (in_route && (token.is(',') || token.is(':'))) return end_hop(token);
    if (token.is(',') || token.is(';')) return finish_entry(token);
    if (token.is(':')) return begin_group(token);
    if (token.is('<')) return open_bracket(token);
    if (token.is('>')) return close_bracket(token);
    if (token.kind == AddressToken::unclosed) note("a quote or bracket is not closed");
    pending_.push_back(token);
  }

  // <@a,@b:user@host>: the route is dropped with its colon (RFC 5322 4.4).
  void end_hop(const AddressToken& token) {
    if (token.is(':')) {
      pending_.clear();
    } else {
      pending_.push_back(token);
    }
  }

  bool has_at() const {
    return std::ranges::any_of(pending_, [](const auto& token) { return token.is('@'); });
  }

  void begin_group(const AddressToken& colon) {
    if (has_at() || pending_.empty() || bracket_ != Bracket::none)
      return note("a colon is in the wrong place");
    pending_.clear();
    in_entry_ = false;
    entry_begin_ = colon.finish;
  }

  void open_bracket(const AddressToken& token) {
    if (bracket_ != Bracket::none) return note(kNotAnAddress);
    has_at_in_name_ = has_at();
    pending_.clear();  // the display name
    bracket_ = Bracket::open;
    bracket_at_ = token.begin;
  }

  void close_bracket(const AddressToken& token) {
    if (bracket_ != Bracket::open) return note("a bracket is closed that was not opened");
    bracket_ = Bracket::closed;
    if (!pending_.empty()) assemble();
    if (found_) put_spot(bracket_at_, token.finish);
    pending_.clear();
  }

  void put_spot(std::size_t begin, std::size_t end) {
    found_->spot_begin = begin;
    found_->spot_end = end;
    found_->is_bracketed = bracket_ == Bracket::closed;
    found_->has_at_in_name = has_at_in_name_;
  }

  void finish_entry(const AddressToken& separator) {
    if (bracket_ == Bracket::open) note("a quote or bracket is not closed");
    if (bracket_ == Bracket::closed && !pending_.empty()) note("there is text after the address");
    if (bracket_ == Bracket::none && !pending_.empty()) assemble();
    if (found_ && bracket_ == Bracket::none) put_spot(found_->begin, found_->end);
    if (found_ && !wrong_) keep(separator.begin);
    entry_begin_ = separator.finish;
    has_at_in_name_ = false;
    found_.reset();
    pending_.clear();
    bracket_ = Bracket::none;
    wrong_ = in_entry_ = false;
  }

  void keep(std::size_t end) {
    found_->entry_begin = entry_begin_;
    found_->entry_end = end;
    list_.mailboxes.push_back(std::move(*found_));
  }

  void assemble() {
    auto at = std::ranges::find_if(pending_, [](const auto& token) { return token.is('@'); });
    bool has_domain = at != pending_.end();
    Tokens local(pending_.begin(), at);
    Tokens domain(has_domain ? at + 1 : at, pending_.end());
    if (!is_dotted(local, false) || (has_domain && !is_listed_domain(domain))) return note(kNotAnAddress);
    std::string address = local_part(local);
    if (has_domain) address += "@" + joined(domain);
    found_.emplace();
    found_->address = std::move(address);
    found_->begin = pending_.front().begin;
    found_->end = pending_.back().finish;
    found_->has_domain = has_domain;
  }

  // A quoted string beside atoms is an obsolete form that envelopes do not allow; everything goes into the
  // quotes.
  std::string local_part(const Tokens& tokens) const {
    auto is_quoted = [](const auto& token) { return token.kind == AddressToken::quoted; };
    if (std::ranges::none_of(tokens, is_quoted)) return joined(tokens);
    std::string plain;
    for (const auto& token : tokens) plain += unquote(text(token));
    return quote(plain);
  }

  std::string joined(const Tokens& tokens) const {
    std::string words;
    for (const auto& token : tokens)
      for (char c : text(token))
        if (!is_dropped(c, token.kind)) words += c;
    return words;
  }

  std::string_view text(const AddressToken& token) const {
    return value_.substr(token.begin, token.finish - token.begin);
  }

  void note(const char* what) {
    wrong_ = true;
    if (!list_.problem) list_.problem = {begin_, what};
  }

  std::string_view value_;
  AddressTokens tokens_;
  AddressList list_;
  Tokens pending_;  // of the entry so far; after a bracket or colon, the tokens from there
  std::optional<ListedMailbox> found_;  // in this entry
  Bracket bracket_ = Bracket::none;
  std::size_t begin_ = 0;        // of the entry's first token
  std::size_t entry_begin_ = 0;  // behind the separator before it
  std::size_t bracket_at_ = 0;
  bool has_at_in_name_ = false;
  bool in_entry_ = false;
  bool wrong_ = false;
};

}  // namespace

AddressList parse_address_list(std::string_view value) { return ListParser(value).run(); }

}  // namespace hikyaku::mail
