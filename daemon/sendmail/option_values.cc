// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/mail/smtp_command.h"
#include "daemon/sendmail/options.h"

namespace hikyaku::sendmail::option {
namespace {

constexpr std::size_t kMaxEnvid = 100;  // RFC 3461 4.4

std::unexpected<Failure> wrong_value(std::string text) { return fail(Exit::usage, std::move(text)); }

// The values of -b. Exim's tests of its own configuration (-be, -brt) are ignored, because the mail matters
// more.
struct ModeWords {
  std::string_view words;
  Apply apply;
};
constexpr auto kModes = std::to_array<ModeWords>({
    {"m a q", set_mode<Mode::deliver>},
    {"p pa pi pr pra pri pru pu", set_mode<Mode::list_queue>},
    {"pc P", set_mode<Mode::count_queue>},
    {"i", set_mode<Mode::check_aliases>},
    {"s", set_mode<Mode::speak_smtp>},
    {"S", set_mode<Mode::batch_smtp>},
    {"t", set_mode<Mode::test_addresses>},
    {"v vs", set_mode<Mode::verify>},
    {"V", set_mode<Mode::version>},
    {"h H", set_mode<Mode::nothing>},
    {"d D df l w", refuse_daemon},
    {"hc nq rt rw e em f fd fl fp fs F malware", ignore},
});

}  // namespace

Applied ignore(Request&, std::string_view) { return {}; }
Applied refuse_daemon(Request&, std::string_view) {
  return fail(Exit::unavailable,
              "sendmail is not the daemon here; start hikyakud with `systemctl start hikyaku`");
}
Applied refuse_queue_action(Request&, std::string_view) {
  return fail(Exit::unavailable, "Exim's -M is not supported; use `hikyaku queue`");
}
Applied refuse_check(Request&, std::string_view) {
  return fail(Exit::unavailable,
              "sendmail cannot test a smarthost here; use `hikyakud --check` and `hikyaku status`");
}

Applied set_sender(Request& request, std::string_view value) {
  request.sender = value == "<>" ? std::string_view() : value;
  return {};
}
Applied set_name(Request& request, std::string_view value) {
  if (!is_valid_utf8(value)) return wrong_value("the name given with -F is not valid UTF-8");
  request.full_name = value;
  return {};
}
Applied set_config(Request& request, std::string_view value) {
  request.config_file = value;
  return {};
}
Applied read_recipients(Request& request, std::string_view) {
  request.recipients_from_header = true;
  return {};
}
Applied read_sender(Request& request, std::string_view) {
  request.sender_from_header = true;
  return {};
}
Applied ignore_dots(Request& request, std::string_view) {
  request.dot_ends_input = false;
  return {};
}
Applied be_verbose(Request& request, std::string_view) {
  ++request.verbose;
  return {};
}
Applied use_json(Request& request, std::string_view) {
  request.json = true;
  return {};
}

Applied set_notify(Request& request, std::string_view value) {
  request.notify.clear();
  if (equals_ignoring_case(value, "off")) return {};  // msmtp
  auto notify = mail::parse_notify(value);
  if (!notify) return wrong_value("-N takes `never`, or a list of success, failure, delay");
  request.notify = mail::to_text(*notify);
  return {};
}

Applied set_ret(Request& request, std::string_view value) {
  std::string upper = to_upper(value);
  if (upper != "FULL" && upper != "HDRS" && upper != "OFF") return wrong_value("-R takes `full` or `hdrs`");
  request.ret = upper == "OFF" ? "" : upper;
  return {};
}

Applied set_envid(Request& request, std::string_view value) {
  if (!is_ascii(value) || mail::to_xtext(value).size() > kMaxEnvid)
    return wrong_value("-V takes at most 100 ASCII characters");
  request.envid = value;
  return {};
}

Applied set_body(Request& request, std::string_view value) {
  std::string upper = to_upper(value);
  if (upper == "7BIT" || upper == "8BITMIME") request.body = upper;
  return {};
}

Applied set_mode_word(Request& request, std::string_view value) {
  for (const auto& mode : kModes)
    for (std::string_view word : words(mode.words))
      if (word == value) return mode.apply(request, value);
  if (value.starts_with("I:")) return {};  // Exim's queries about itself
  return wrong_value(cat("unknown mode -b", printable(value, 40), "; see sendmail(8)"));
}

Applied set_short_option(Request& request, std::string_view value) {
  return value == "i" || value == "itrue" ? ignore_dots(request, value) : Applied();
}

Applied set_named_option(Request& request, std::string_view value) {
  std::size_t equals = std::min(value.find('='), value.size());
  bool is_true = !equals_ignoring_case(value.substr(std::min(equals + 1, value.size())), "false");
  bool is_dots = equals_ignoring_case(value.substr(0, equals), "IgnoreDots");
  return is_dots && is_true ? ignore_dots(request, value) : Applied();
}

// -q, -q15m, -qff: all mail that waits. -qIID, -qRdomain: a part of it. Other selections, and -q!…, mean all
// mail.
Applied set_queue_run(Request& request, std::string_view value) {
  if (request.mode == Mode::deliver) request.mode = Mode::run_queue;
  std::string_view by = value.substr(std::min(value.find_first_not_of("qfilp"), value.size()));
  if (by.starts_with('I') && by.size() > 1) request.queue_run.ids.emplace_back(by.substr(1));
  if (by.starts_with('R') && by.size() > 1)
    request.queue_run.domain = by.substr(std::min(by.find_first_not_of("@", 1), by.size()));
  return {};
}

}  // namespace hikyaku::sendmail::option
