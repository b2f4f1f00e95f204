// SPDX-License-Identifier: MIT
#include "smtpd/observer.h"

#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::smtpd {

std::string to_text(const Client& client) {
  if (client.address) return client.address->to_text();
  return client.uid ? cat("unix uid=", std::to_string(*client.uid)) : "unix";
}

std::string_view to_text(Oddity oddity) {
  switch (oddity) {
    case Oddity::envelope_syntax: return "envelope-syntax";
    case Oddity::bare_line_end: return "bare-line-end";
    case Oddity::lf_session: return "lf-session";
    case Oddity::data_after_end: return "data-after-end";
    case Oddity::body_unasked: return "body-unasked";
    case Oddity::not_smtp: return "not-smtp";
    case Oddity::tls_hello: return "tls-hello";
    case Oddity::tls_failed: return "tls-failed";
    case Oddity::no_proxy_header: return "no-proxy-header";
  }
  std::unreachable();
}

}  // namespace hikyaku::smtpd
