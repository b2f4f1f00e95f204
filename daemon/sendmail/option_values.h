// SPDX-License-Identifier: MIT
// What each option does to the request; behind the tables of options.cc, which alone uses it. Pure.
#pragma once

#include <string_view>

#include "daemon/sendmail/options.h"

namespace hikyaku::sendmail::option {

Applied ignore(Request& request, std::string_view value);               // has a meaning elsewhere only
Applied refuse_daemon(Request& request, std::string_view value);        // -bd and its like
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

}  // namespace hikyaku::sendmail::option
