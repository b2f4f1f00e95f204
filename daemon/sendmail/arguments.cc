// SPDX-License-Identifier: MIT
#include "daemon/sendmail/arguments.h"

#include <algorithm>

#include "daemon/base/text.h"
#include "daemon/sendmail/options.h"

namespace hikyaku::sendmail {
namespace {

constexpr std::string_view kSee = "; see sendmail(8)";

std::unexpected<Failure> usage(std::string text) { return fail(Exit::usage, std::move(text)); }

class Parser {
 public:
  Parser(std::span<const std::string_view> words, Request& request) : words_(words), request_(request) {}

  Applied run() {
    while (at_ < words_.size()) {
      std::string_view word = words_[at_];
      if (word.size() < 2 || word[0] != '-') break;
      ++at_;
      if (word == "--") return take_recipients();
      if (auto applied = take_option(word); !applied) return applied;
    }
    return take_bare_recipients();
  }

 private:
  Applied take_option(std::string_view word) {
    bool is_long = word.starts_with("--");
    if (is_long || is_long_with_one_dash(word)) return take_long(word.substr(is_long ? 2 : 1));
    std::string_view letters = word.substr(1);
    while (!letters.empty()) {
      auto taken = take_letter(letters);
      if (!taken) return taken;
    }
    return {};
  }

  // Options that Exim and nullmailer write with one dash, and that would otherwise be read as letters.
  static bool is_long_with_one_dash(std::string_view word) {
    return word == "-tls-on-connect" || word == "-help" || word == "-version";
  }

  // Applies the first of `letters` with its value; the rest of the word remains.
  Applied take_letter(std::string_view& letters) {
    char letter = letters.front();
    const Option* option = find_option(letter);
    if (option == nullptr) return usage(cat("unknown option -", printable(letters.substr(0, 1)), kSee));
    letters.remove_prefix(1);
    if (option->value == Value::none) return option->apply(request_, {});
    std::string_view value = letters;
    letters = {};
    if (value.empty() && option->value == Value::required) {
      if (at_ == words_.size()) return usage(cat("option -", option->name, " needs a value"));
      value = words_[at_++];
    }
    return apply_with_next(*option, value);
  }

  Applied apply_with_next(const Option& option, std::string_view value) {
    if (!takes_next_too(option.name[0], value)) return apply(option, cat("-", option.name), value);
    std::string both = cat(value, at_ < words_.size() ? words_[at_] : "");
    at_ = std::min(at_ + 1, words_.size());
    return apply(option, cat("-", option.name), both);
  }

  Applied take_long(std::string_view text) {
    std::size_t equals = std::min(text.find('='), text.size());
    const Option* option = find_long_option(text.substr(0, equals));
    if (option == nullptr) return unknown_long(text.substr(0, equals));
    bool has_value = equals < text.size();
    std::string_view value = has_value ? text.substr(equals + 1) : std::string_view();
    if (!has_value && option->value == Value::required) {
      if (at_ == words_.size()) return usage(cat("option --", option->name, " needs a value"));
      value = words_[at_++];
    }
    return apply(*option, cat("--", option->name), value);
  }

  static Applied unknown_long(std::string_view name) {
    std::string meant = nearest_long_option(name);
    std::string hint = meant.empty() ? std::string() : cat(" (perhaps --", meant, ")");
    return usage(cat("unknown option --", printable(name, 40), hint, kSee));
  }

  Applied apply(const Option& option, std::string_view shown, std::string_view value) {
    bool has_control = std::ranges::any_of(value, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
    if (has_control) return usage(cat("the value of ", shown, " contains a control character or a line end"));
    return option.apply(request_, value);
  }

  Applied take_recipients() {
    for (; at_ < words_.size(); ++at_) request_.recipients.emplace_back(words_[at_]);
    return {};
  }

  // A recipient may be untrusted data; a recipient that looks like an option is refused, not interpreted.
  Applied take_bare_recipients() {
    auto rest = words_.subspan(at_);
    if (std::ranges::any_of(rest, [](auto word) { return word.starts_with('-'); }))
      return usage("a recipient begins with a dash; write options first, then --, then the recipients");
    return take_recipients();
  }

  std::span<const std::string_view> words_;
  Request& request_;
  std::size_t at_ = 0;
};

}  // namespace

Result<Request, Failure> parse_arguments(std::span<const std::string_view> arguments) {
  if (arguments.empty()) return usage("the list of arguments is empty, without even the program's name");
  Request request;
  apply_program_name(request, arguments[0]);
  if (auto applied = Parser(arguments.subspan(1), request).run(); !applied)
    return std::unexpected(applied.error());
  return request;
}

std::string usage_text() {
  return "usage: sendmail [-t] [-i] [-f SENDER] [-F NAME] [OPTION…] [--] RECIPIENT… < MESSAGE\n"
         "       mailq [-j]\n"
         "       newaliases\n"
         "The options are those of Sendmail and compatible programs; sendmail(8) explains them.\n";
}

}  // namespace hikyaku::sendmail
