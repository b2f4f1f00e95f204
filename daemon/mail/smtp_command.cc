// SPDX-License-Identifier: MIT
#include "daemon/mail/smtp_command.h"

#include <algorithm>
#include <limits>

#include "daemon/base/text.h"
#include "daemon/mail/address.h"

namespace hikyaku::mail {
namespace {

constexpr std::size_t kMaxGreetingName = 255;  // RFC 5321 4.5.3.1.2
constexpr std::size_t kMaxMechanism = 20;      // RFC 4422 3.1
constexpr std::uint64_t kMaxChunk = std::numeric_limits<std::int64_t>::max();

struct Verb {
  std::string_view name;
  Command (*parse)(std::string_view argument, const CommandOptions& options);
};

CommandError refuse(int code, EnhancedStatus enhanced, std::string_view text) {
  return {.reply_code = code, .enhanced = enhanced, .text = std::string(text)};
}
CommandError bad_syntax(std::string_view text) { return refuse(501, {5, 5, 4}, text); }

Command parse_greeting(std::string_view name, bool is_helo) {
  if (name.empty()) return bad_syntax("A host name is needed");
  if (name.size() > kMaxGreetingName) return bad_syntax("Host name too long");
  command::Ehlo ehlo{.name = std::string(name), .is_helo = is_helo};
  std::ranges::replace(ehlo.name, '\t', ' ');
  return ehlo;
}
Command parse_ehlo(std::string_view name, const CommandOptions&) { return parse_greeting(name, false); }
Command parse_helo(std::string_view name, const CommandOptions&) { return parse_greeting(name, true); }

// The text after "FROM:" or "TO:". Blanks before and after the colon are allowed.
std::optional<std::string_view> after_keyword(std::string_view argument, std::string_view keyword) {
  if (!starts_with_ignoring_case(argument, keyword)) return std::nullopt;
  argument = trim(argument.substr(keyword.size()));
  if (!argument.starts_with(':')) return std::nullopt;
  return argument.substr(1);
}

// RFC 3463 3.2: X.1.7 is a bad sender's address, X.1.3 a bad destination's.
CommandError path_refusal(const PathError& error, std::uint16_t detail) {
  if (error.kind == PathErrorKind::needs_smtputf8) return refuse(553, {5, 6, 7}, "Address needs SMTPUTF8");
  if (error.kind == PathErrorKind::several) return refuse(501, {5, 1, detail}, "One address only, please");
  if (error.kind == PathErrorKind::too_long) return refuse(501, {5, 1, detail}, "Address too long");
  return refuse(501, {5, 1, detail},
                detail == 7 ? "Bad sender address syntax" : "Bad recipient address syntax");
}

// "<a@b>X" and "<a@b>,<c@d>" are not a path with parameters: the whole text is parsed, and refused, as a
// path.
PathAndRest split_argument(std::string_view text) {
  PathAndRest parts = split_path(text);
  if (!parts.rest.empty() && !is_blank(parts.rest.front())) return {text, {}};
  return parts;
}

Command parse_mail(std::string_view argument, const CommandOptions& options) {
  auto text = after_keyword(argument, "FROM");
  if (!text) return bad_syntax("Syntax: MAIL FROM:<address>");
  PathAndRest parts = split_argument(*text);
  command::Mail mail;
  if (auto applied = apply_parameters(parts.rest, mail, options); !applied) return applied.error();
  PathOptions allowed{options.default_domain, true, mail.envelope.smtputf8};
  auto path = parse_path(parts.path, allowed);
  if (!path) return path_refusal(path.error(), 7);
  mail.envelope.sender = std::move(path->address);
  mail.lenient = path->lenient;
  return mail;
}

Command parse_rcpt(std::string_view argument, const CommandOptions& options) {
  auto text = after_keyword(argument, "TO");
  if (!text) return bad_syntax("Syntax: RCPT TO:<address>");
  PathAndRest parts = split_argument(*text);
  command::Rcpt rcpt;
  if (auto applied = apply_parameters(parts.rest, rcpt, options); !applied) return applied.error();
  auto path = parse_path(parts.path, {options.default_domain, false, options.smtputf8});
  if (!path) return path_refusal(path.error(), 3);
  rcpt.recipient.address = std::move(path->address);
  rcpt.recipient.is_bare = path->is_bare;
  rcpt.lenient = path->lenient;
  return rcpt;
}

// Commands without an argument: DATA, RSET, QUIT, STARTTLS.
template <class Plain>
Command parse_plain(std::string_view argument, const CommandOptions&) {
  if (!argument.empty()) return bad_syntax("This command takes no argument");
  return Plain{};
}

// Commands that ignore their argument: NOOP, HELP.
template <class Ignoring>
Command parse_ignoring(std::string_view, const CommandOptions&) {
  return Ignoring{};
}

CommandError bad_chunk() {
  CommandError error = bad_syntax("Syntax: BDAT size [LAST]");
  error.must_close = true;
  return error;
}

Command parse_bdat(std::string_view argument, const CommandOptions&) {
  auto parts = words(argument);
  if (parts.empty() || parts.size() > 2) return bad_chunk();
  auto size = parse_number(parts[0]);
  bool last = parts.size() == 2;
  if (!size || *size > kMaxChunk || (last && !equals_ignoring_case(parts[1], "LAST"))) return bad_chunk();
  return command::Bdat{.size = *size, .last = last};
}

Command parse_vrfy(std::string_view argument, const CommandOptions&) {
  if (argument.empty()) return bad_syntax("Syntax: VRFY address");
  return command::Vrfy{std::string(argument)};
}

bool is_mechanism(std::string_view name) {
  auto fits = [](char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '_'; };
  return !name.empty() && name.size() <= kMaxMechanism && std::ranges::all_of(name, fits);
}

Command parse_auth(std::string_view argument, const CommandOptions&) {
  auto parts = words(argument);
  if (parts.empty() || parts.size() > 2 || !is_mechanism(parts[0]))
    return bad_syntax("Syntax: AUTH mechanism [initial-response]");
  command::Auth auth{.mechanism = to_upper(parts[0]), .initial = std::nullopt};
  if (parts.size() == 2) auth.initial = std::string(parts[1]);
  return auth;
}

Command parse_unimplemented(std::string_view, const CommandOptions&) {
  return refuse(502, {5, 5, 1}, "Command not implemented");
}

constexpr Verb kVerbs[] = {
    {"EHLO", parse_ehlo},
    {"HELO", parse_helo},
    {"MAIL", parse_mail},
    {"RCPT", parse_rcpt},
    {"DATA", parse_plain<command::Data>},
    {"BDAT", parse_bdat},
    {"RSET", parse_plain<command::Rset>},
    {"NOOP", parse_ignoring<command::Noop>},
    {"VRFY", parse_vrfy},
    {"HELP", parse_ignoring<command::Help>},
    {"QUIT", parse_plain<command::Quit>},
    {"STARTTLS", parse_plain<command::StartTls>},
    {"AUTH", parse_auth},
    {"EXPN", parse_unimplemented},
    {"ETRN", parse_unimplemented},
    {"TURN", parse_unimplemented},
    {"SEND", parse_unimplemented},
    {"SOML", parse_unimplemented},
    {"SAML", parse_unimplemented},
    {"LHLO", parse_unimplemented},
};

// What a browser sends first if it was directed to our port (SECURITY.md S7).
constexpr std::string_view kHttpBeginnings[] = {"GET",     "POST",   "PUT",   "CONNECT", "HEAD",
                                                "OPTIONS", "DELETE", "PATCH", "TRACE",   "PRI"};

bool is_http(std::string_view verb) {
  if (starts_with_ignoring_case(verb, "Host:")) return true;
  return std::ranges::any_of(kHttpBeginnings, [&](auto word) { return equals_ignoring_case(verb, word); });
}

bool has_control_but_tab(std::string_view line) {
  return std::ranges::any_of(line, [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7f; });
}

CommandError refuse_controls(std::string_view verb) {
  CommandError error = refuse(500, {5, 5, 2}, "Control characters are not allowed in a command");
  error.must_close = equals_ignoring_case(verb, "BDAT");
  return error;
}

}  // namespace

Command parse_command(std::string_view line, const CommandOptions& options) {
  if (is_tls_hello(line)) return command::NotSmtp{.is_tls = true};
  std::string_view verb = line.substr(0, line.find_first_of(" \t"));
  if (is_http(verb)) return command::NotSmtp{};
  if (has_control_but_tab(line)) return refuse_controls(verb);
  for (const Verb& known : kVerbs)
    if (equals_ignoring_case(verb, known.name)) return known.parse(trim(line.substr(verb.size())), options);
  return refuse(500, {5, 5, 2}, "Command not recognized");
}

bool is_tls_hello(std::string_view bytes) { return bytes.starts_with("\x16\x03"); }

}  // namespace hikyaku::mail
