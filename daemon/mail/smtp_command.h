// SPDX-License-Identifier: MIT
// SMTP commands, as a client sends them: one line in, one plain value out. Pure; never throws; knows no
// session, so whether a command may come now is the caller's question. No text of an error repeats a byte of
// the input.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "daemon/mail/envelope.h"
#include "daemon/mail/smtp_reply.h"

namespace hikyaku::mail {

namespace command {

struct Ehlo {
  std::string name;  // as it came, tabs as spaces; at most 255 bytes, no controls; nothing else is promised
  bool is_helo = false;
};
struct Mail {
  Envelope envelope;                  // all but the recipients
  std::optional<std::uint64_t> size;  // SIZE (RFC 1870); below 2^63
  bool lenient = false;               // the address was not written as the RFC has it
};
struct Rcpt {
  Recipient recipient;
  bool lenient = false;
};
struct Data {};
struct Bdat {
  std::uint64_t size = 0;  // below 2^63
  bool last = false;
};
struct Rset {};
struct Noop {};
struct Vrfy {
  std::string argument;  // as it came; no controls but tabs
};
struct Help {};
struct Quit {};
struct StartTls {};
struct Auth {
  std::string mechanism;               // upper case
  std::optional<std::string> initial;  // the initial response, still Base64; "=" is an empty one (RFC 4954 4)
};
// Not SMTP at all: an HTTP request (or a first line "Host: …"), or a TLS ClientHello. Answer once and close.
struct NotSmtp {
  bool is_tls = false;
};

}  // namespace command

struct CommandError {
  int reply_code = 500;
  EnhancedStatus enhanced;
  std::string text;
  // A BDAT whose size cannot be known: what follows may be content, so reply and close, never read on as
  // commands.
  bool must_close = false;
  bool operator==(const CommandError&) const = default;
};

using Command = std::variant<command::Ehlo, command::Mail, command::Rcpt, command::Data, command::Bdat,
                             command::Rset, command::Noop, command::Vrfy, command::Help, command::Quit,
                             command::StartTls, command::Auth, command::NotSmtp, CommandError>;

struct CommandOptions {
  std::string_view default_domain;  // added to addresses without one; must not be empty
  bool smtputf8 = false;            // the transaction's MAIL had SMTPUTF8; RCPT may use it then
};

// `line` is without its line end and may hold any bytes. Verbs and keywords are taken in either case.
//   500 5.5.2   controls (NUL, a lone CR, ESC; tabs are blanks), or no such command
//   502 5.5.1   a command that is known and never implemented
//   501 5.5.4   syntax, a malformed or doubled parameter, BODY=BINARYMIME
//   501 5.1.7   the address of MAIL; 5.1.3 that of RCPT
//   553 5.6.7   an address that needs SMTPUTF8
//   552 5.3.4   SIZE of 2^63 and beyond
//   555 5.5.4   a parameter that is not known
Command parse_command(std::string_view line, const CommandOptions& options);

// The first bytes of a TLS record with a handshake: 16 03. For bytes that may never hold a line end.
bool is_tls_hello(std::string_view bytes);

// The parameters of MAIL and RCPT (RFC 5321 4.1.2, esmtp-param): SIZE, BODY, SMTPUTF8, RET, ENVID, AUTH;
// NOTIFY, ORCPT. Used by parse_command only. Pure; what is wrong comes back as the reply to give.

// `text` is what follows the path. Each parameter at most once. Fills what was given into the command.
std::expected<void, CommandError> apply_parameters(std::string_view text, command::Mail& mail,
                                                   const CommandOptions& options);
std::expected<void, CommandError> apply_parameters(std::string_view text, command::Rcpt& rcpt,
                                                   const CommandOptions& options);

// xtext (RFC 3461 4): printable ASCII without "+" and "=", everything else as +XX; for ENVID, ORCPT and AUTH.
// from_xtext(to_xtext(s)) == s for every ASCII s without controls.

// Bytes from 0x80 pass as they are: they occur only in an ORCPT of a transaction with SMTPUTF8 (RFC 6533 3).
std::string to_xtext(std::string_view decoded);

// Nothing if a byte may not stand in xtext, if a +XX is incomplete, or if what it stands for is CR, LF, NUL,
// another control or not ASCII: such bytes must never reach an envelope. Hexadecimal digits are taken in
// either case. With `smtputf8` UTF-8 may stand there unencoded.
std::optional<std::string> from_xtext(std::string_view encoded, bool smtputf8 = false);

}  // namespace hikyaku::mail
