// SPDX-License-Identifier: MIT
#include "daemon/sendmail/options.h"

#include <algorithm>
#include <array>

#include "daemon/base/text.h"

namespace hikyaku::sendmail {
namespace {

using namespace option;

constexpr auto kLetters = std::to_array<Option>({
    {"A", Value::required, ignore},  // -Ac, -Am: which sendmail.cf
    {"a", Value::required, ignore},  // msmtp: account; Exim: -atrn
    {"B", Value::required, set_body},
    {"b", Value::required, set_mode_word},
    {"C", Value::required, set_config},
    {"c", Value::none, ignore},      // Postfix, undocumented
    {"D", Value::attached, ignore},  // Exim: a macro; dma: in the foreground
    {"d", Value::attached, ignore},  // debugging
    {"E", Value::attached, ignore},  // OpenSMTPD, Exim
    {"e", Value::required, ignore},  // how to report errors: always by the exit code
    {"F", Value::required, set_name},
    {"f", Value::required, set_sender},
    {"G", Value::none, ignore},      // from a gateway
    {"h", Value::required, ignore},  // hop count
    {"I", Value::none, set_mode<Mode::check_aliases>},
    {"i", Value::none, ignore_dots},
    {"J", Value::attached, ignore},  // OpenSMTPD
    {"j", Value::none, use_json},
    {"L", Value::required, ignore},  // tag in the log
    {"M", Value::attached, refuse_queue_action},
    {"m", Value::none, ignore},  // me too
    {"N", Value::required, set_notify},
    {"n", Value::none, ignore},  // no aliases
    {"O", Value::required, set_named_option},
    {"o", Value::required, set_short_option},
    {"P", Value::none, set_mode<Mode::nothing>},  // msmtp: pretend
    {"p", Value::required, ignore},               // protocol it came by
    {"q", Value::attached, set_queue_run},
    {"R", Value::required, set_ret},
    {"r", Value::required, set_sender},
    {"S", Value::attached, ignore},  // OpenSMTPD
    {"T", Value::attached, ignore},  // Exim: -Tqt
    {"t", Value::none, read_recipients},
    {"U", Value::none, ignore},  // a user's first submission
    {"V", Value::required, set_envid},
    {"v", Value::none, be_verbose},
    {"X", Value::required, ignore},  // a log of the traffic: would let a caller's argument name a file
    {"x", Value::none, ignore},      // AIX
    {"z", Value::required, ignore},  // Exim: a line for the log
});

constexpr auto kLongOptions = std::to_array<Option>({
    {"account", Value::required, ignore},
    {"add-missing-date-header", Value::attached, ignore},
    {"add-missing-from-header", Value::attached, ignore},
    {"aliases", Value::required, ignore},
    {"allow-from-override", Value::attached, ignore},
    {"auth", Value::attached, ignore},
    {"auto-from", Value::attached, ignore},
    {"configure", Value::required, refuse_check},
    {"connect-timeout", Value::required, ignore},
    {"debug", Value::attached, ignore},
    {"domain", Value::required, ignore},
    {"dsn-notify", Value::required, set_notify},
    {"dsn-return", Value::required, set_ret},
    {"file", Value::required, set_config},
    {"from", Value::required, set_sender},
    {"help", Value::attached, set_mode<Mode::help>},
    {"host", Value::required, ignore},
    {"keepbcc", Value::attached, ignore},
    {"logfile", Value::required, ignore},
    {"logfile-time-format", Value::required, ignore},
    {"maildomain", Value::required, ignore},
    {"passwordeval", Value::required, ignore},
    {"port", Value::required, ignore},
    {"pretend", Value::attached, set_mode<Mode::nothing>},
    {"protocol", Value::required, ignore},
    {"proxy-host", Value::required, ignore},
    {"proxy-port", Value::required, ignore},
    {"read-envelope-from", Value::attached, read_sender},
    {"read-recipients", Value::attached, read_recipients},
    {"remove-bcc-headers", Value::attached, ignore},
    {"rmqs", Value::required, refuse_check},
    {"serverinfo", Value::attached, refuse_check},
    {"set-date-header", Value::attached, ignore},
    {"set-from-header", Value::attached, ignore},
    {"set-msgid-header", Value::attached, ignore},
    {"set-to-header", Value::attached, ignore},
    {"socket", Value::required, ignore},
    {"source-ip", Value::required, ignore},
    {"syslog", Value::attached, ignore},
    {"timeout", Value::required, ignore},
    {"tls", Value::attached, ignore},
    {"tls-cert-file", Value::required, ignore},
    {"tls-certcheck", Value::attached, ignore},
    {"tls-crl-file", Value::required, ignore},
    {"tls-fingerprint", Value::required, ignore},
    {"tls-force-sslv3", Value::attached, ignore},
    {"tls-host-override", Value::required, ignore},
    {"tls-key-file", Value::required, ignore},
    {"tls-min-dh-prime-bits", Value::required, ignore},
    {"tls-on-connect", Value::attached, ignore},
    {"tls-priorities", Value::required, ignore},
    {"tls-starttls", Value::attached, ignore},
    {"tls-trust-file", Value::required, ignore},
    {"undisclosed-recipients", Value::attached, ignore},
    {"user", Value::required, ignore},
    {"version", Value::attached, set_mode<Mode::version>},
});

// Exim's options for where a message came from; the value is the next word.
constexpr auto kTwoWordOptions =
    std::to_array<std::string_view>({"A", "Ma", "Maa", "Mai", "Mas", "Mi", "Mm", "Mr", "Ms", "Mt", "P", "X"});

}  // namespace

const Option* find_option(char letter) {
  const auto* found = std::ranges::find(kLetters, std::string_view(&letter, 1), &Option::name);
  return found == kLetters.end() ? nullptr : found;
}

const Option* find_long_option(std::string_view name) {
  const auto* found = std::ranges::find(kLongOptions, name, &Option::name);
  return found == kLongOptions.end() ? nullptr : found;
}

bool takes_next_too(char letter, std::string_view value) {
  if (letter == 'o') return std::ranges::find(kTwoWordOptions, value) != kTwoWordOptions.end();
  bool chooses = value.size() == 1 && std::string_view("IRSGQ").find(value[0]) != std::string_view::npos;
  return letter == 'q' && (chooses || (value.size() == 2 && value[0] == '!'));
}

std::string nearest_long_option(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& option : kLongOptions) names.emplace_back(option.name);
  return nearest(name, names).value_or("");
}

void apply_program_name(Request& request, std::string_view path) {
  std::string_view name = path.substr(path.rfind('/') + 1);
  if (name == "mailq") request.mode = Mode::list_queue;
  if (name == "newaliases") request.mode = Mode::check_aliases;
  if (name == "rsmtp") request.mode = Mode::batch_smtp;
  if (name == "runq") request.mode = Mode::run_queue;
  if (name == "hoststat" || name == "purgestat") request.mode = Mode::nothing;
  if (name == "rmail") request.dot_ends_input = false;
}

}  // namespace hikyaku::sendmail
