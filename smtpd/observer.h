// SPDX-License-Identifier: MIT
// An observer of the server side: the mail log, counters, tests. Calls come on the loop's thread, never
// suspend, and their arguments are valid until they return. A client's bytes are unchanged: code that shows
// them escapes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/ip.h"
#include "daemon/mail/envelope.h"
#include "daemon/mail/mail_id.h"
#include "smtpd/replies.h"

namespace hikyaku::smtpd {

struct Client {
  std::optional<Endpoint> address;   // nullopt: the Unix socket
  std::optional<std::uint32_t> uid;  // the caller over the Unix socket, from the kernel
  std::string account;               // that user's name, once it was looked up; or empty
  std::string helo;                  // as it came; empty before EHLO or HELO
  std::string user;                  // logged in as; empty: not
};
// "127.0.0.1:40512", "unix uid=1000"; "unix" if the uid is not known.
std::string to_text(const Client& client);

// A message is on stable storage; its 250 is about to be sent.
struct Accepted {
  mail::MailId id;
  const mail::Envelope& envelope;
  std::uint64_t size;         // as stored, our Received and additions included
  std::string_view protocol;  // of the Received field: "ESMTP"
  std::string_view fixed;     // "blankline,date,msgid,from", or empty
};

struct Rejected {
  std::string_view
      stage;  // our word for it ("MAIL", "RCPT", "DATA", "message", "connect"), never the client's
  const Reply& reply;
  std::optional<std::string_view> sender{};  // of the newest MAIL, whether it was accepted or not
  std::uint64_t size = 0;  // of the message, as MAIL declared it or as it came; 0: not known
};

// What clients do that no standard allows and that we put up with, or cannot help.
enum class Oddity : std::uint8_t {
  envelope_syntax,  // a space after the colon, no angle brackets
  bare_line_end,    // a lone CR or LF in a message, repaired
  lf_session,       // DATA itself ended in a bare LF
  data_after_end,   // something unknown right after a message: a line of one dot inside it may have ended it
                    // early
  body_unasked,     // lines of a message behind a DATA that was refused
  not_smtp,         // HTTP
  tls_hello,        // TLS on a port without
  tls_failed,       // a TLS handshake that came to nothing
  no_proxy_header,  // from a proxy that is to say who the client is
};
std::string_view to_text(Oddity oddity);

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void accepted(const Client&, const Accepted&) {}
  virtual void rejected(const Client&, const Rejected&) {}
  virtual void odd(const Client&, Oddity) {}
  // An exception ended a session; `what` is the library's text.
  virtual void broke_down(const std::string& /*what*/) {}
};

}  // namespace hikyaku::smtpd
