// SPDX-License-Identifier: MIT
// SMTP commands of a client: parses one line into one plain value. Knows no session, so the caller decides
// whether the command is allowed now. Error texts contain no byte of the input. Never throws. Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "daemon/mail/envelope.h"
#include "daemon/mail/handover.h"
#include "daemon/mail/smtp_reply.h"

namespace hikyaku::mail {

namespace command {

struct Ehlo {
  std::string name;  // as received, tabs as spaces; at most 255 bytes, no controls; not checked further
  bool is_helo = false;
};
struct Mail {
  Envelope envelope;                   // all but the recipients
  std::optional<std::uint64_t> size;   // SIZE (RFC 1870); below 2^63
  bool lenient = false;                // the address deviates from the RFC
  std::optional<Handover> handover{};  // XHIKYAKU, of a peer
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
  std::string argument;  // as received; no controls but tabs
};
struct Help {};
struct Quit {};
struct StartTls {};
struct Auth {
  std::string mechanism;               // upper case
  std::optional<std::string> initial;  // the initial response, still Base64; "=" is an empty one (RFC 4954 4)
};
// Not SMTP: an HTTP request (or a first line "Host: …"), or a TLS ClientHello. Reply once and close.
struct NotSmtp {
  bool is_tls = false;
};

}  // namespace command

struct CommandError {
  int reply_code = 500;
  EnhancedStatus enhanced;
  std::string text;
  // A BDAT of unknown size: content may follow that must not be read as commands, so reply and close.
  bool must_close = false;
  bool operator==(const CommandError&) const = default;
};

using Command = std::variant<command::Ehlo, command::Mail, command::Rcpt, command::Data, command::Bdat,
                             command::Rset, command::Noop, command::Vrfy, command::Help, command::Quit,
                             command::StartTls, command::Auth, command::NotSmtp, CommandError>;

struct CommandOptions {
  std::string_view default_domain;  // added to addresses without one; must not be empty
  bool smtputf8 = false;            // the transaction's MAIL had SMTPUTF8; RCPT may use it then
  bool is_peer = false;             // another hikyaku that the operator has named: it may say XHIKYAKU
};

// `line` is without its line end and may contain any bytes. The case of verbs and keywords is ignored.
//   500 5.5.2   controls (NUL, a lone CR, ESC; tabs are blanks), or an unknown command
//   502 5.5.1   a known command that is not implemented
//   501 5.5.4   syntax, a malformed or repeated parameter, BODY=BINARYMIME
//   501 5.1.7   a bad address in MAIL; 5.1.3 in RCPT
//   553 5.6.7   an address that needs SMTPUTF8
//   552 5.3.4   SIZE of 2^63 or more
//   555 5.5.4   an unknown parameter; XHIKYAKU of anybody but a peer
Command parse_command(std::string_view line, const CommandOptions& options);

// Whether the bytes begin a TLS handshake record: 16 03. For input that may never contain a line end.
bool is_tls_hello(std::string_view bytes);

// The parameters of MAIL and RCPT (RFC 5321 4.1.2, esmtp-param): SIZE, BODY, SMTPUTF8, RET, ENVID, AUTH,
// XHIKYAKU; NOTIFY, ORCPT. Used by parse_command only. `text` follows the path; each parameter may occur once. Sets the
// members of the command, or returns the reply to send.
std::expected<void, CommandError> apply_parameters(std::string_view text, command::Mail& mail,
                                                   const CommandOptions& options);
std::expected<void, CommandError> apply_parameters(std::string_view text, command::Rcpt& rcpt,
                                                   const CommandOptions& options);

// xtext (RFC 3461 4), for ENVID, ORCPT and AUTH: printable ASCII without "+" and "=", everything else as +XX.
// from_xtext(to_xtext(s)) == s for every ASCII s without controls. Bytes from 0x80 are not encoded: they
// occur only in an ORCPT of a transaction with SMTPUTF8 (RFC 6533 3).
std::string to_xtext(std::string_view decoded);

// Returns nullopt if a byte is not allowed in xtext, if a +XX is incomplete, or if it encodes CR, LF, NUL,
// another control or non-ASCII: such bytes must never reach an envelope. Hexadecimal digits may have either
// case. With `smtputf8` unencoded UTF-8 is allowed.
std::optional<std::string> from_xtext(std::string_view encoded, bool smtputf8 = false);

}  // namespace hikyaku::mail
