// SPDX-License-Identifier: MIT
// The tables of options for parse_arguments: which options take a value, and what they do. Pure.
#pragma once

#include <string_view>

#include "daemon/sendmail/arguments.h"

namespace hikyaku::sendmail {

enum class Value : std::uint8_t {
  none,      // -i; others may follow in the same word
  required,  // -fuser, -f user; --from=user, --from user
  attached,  // -q, -q15m: the rest of the same word, if any
};

// Fails with what is wrong with the value.
using Applied = Result<void, Failure>;
using Apply = Applied (*)(Request& request, std::string_view value);

struct Option {
  std::string_view name;  // one letter, or a long option without its dashes
  Value value;
  Apply apply;
};

// Returns nullptr for an unknown option.
const Option* find_option(char letter);
const Option* find_long_option(std::string_view name);
// Whether the option, although it has an attached value, takes the next argument too: `-oMr smtp` (Exim),
// `-qI ID`.
bool takes_next_too(char letter, std::string_view value);
// The most similar name, or empty.
std::string nearest_long_option(std::string_view name);

// Applies the mode that the program's name implies, before any option.
void apply_program_name(Request& request, std::string_view path);

// What each option does to the request.
namespace option {

Applied ignore(Request& request, std::string_view value);         // has a meaning in other programs only
Applied refuse_daemon(Request& request, std::string_view value);  // -bd and similar modes
Applied refuse_queue_action(Request& request, std::string_view value);  // -M
Applied refuse_check(Request& request, std::string_view value);         // --serverinfo
Applied set_sender(Request& request, std::string_view value);
Applied set_name(Request& request, std::string_view value);
Applied set_config(Request& request, std::string_view value);
Applied read_recipients(Request& request, std::string_view value);
Applied read_sender(Request& request, std::string_view value);
Applied ignore_dots(Request& request, std::string_view value);
Applied be_verbose(Request& request, std::string_view value);
Applied use_json(Request& request, std::string_view value);
Applied set_notify(Request& request, std::string_view value);
Applied set_ret(Request& request, std::string_view value);
Applied set_envid(Request& request, std::string_view value);
Applied set_body(Request& request, std::string_view value);
Applied set_mode_word(Request& request, std::string_view value);
Applied set_short_option(Request& request, std::string_view value);
Applied set_named_option(Request& request, std::string_view value);
Applied set_queue_run(Request& request, std::string_view value);

template <Mode mode>
Applied set_mode(Request& request, std::string_view) {
  request.mode = mode;
  return {};
}

}  // namespace option
}  // namespace hikyaku::sendmail
