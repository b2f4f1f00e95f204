// SPDX-License-Identifier: MIT
#include "daemon/app/log_observer.h"

#include "daemon/base/text.h"

namespace hikyaku::app {
namespace {

std::vector<std::string> addresses_of(const std::vector<mail::Recipient>& recipients) {
  std::vector<std::string> addresses;
  for (const mail::Recipient& recipient : recipients) addresses.push_back(recipient.address);
  return addresses;
}

std::vector<std::string> parts_of(std::string_view list) {
  if (list.empty()) return {};
  auto parts = split(list, ',');
  return {parts.begin(), parts.end()};
}

// What programs do all the time, and what is repaired without loss, is not worth a warning.
bool is_everyday(smtpd::Oddity oddity) {
  return oddity == smtpd::Oddity::envelope_syntax || oddity == smtpd::Oddity::bare_line_end ||
         oddity == smtpd::Oddity::lf_session;
}

std::string_view explain(smtpd::Oddity oddity) {
  switch (oddity) {
    case smtpd::Oddity::data_after_end:
      return "more text came after the end of a message: a line of one dot inside it may have ended it early";
    case smtpd::Oddity::body_unasked:
      return "a client sent a message although its DATA was refused; its lines were not taken for commands";
    case smtpd::Oddity::not_smtp: return "a client speaks another protocol than SMTP, probably HTTP";
    case smtpd::Oddity::tls_hello: return "a client begins with TLS, which this port does not support";
    case smtpd::Oddity::tls_failed:
      return "TLS with a client could not begin: it does not trust this certificate, or speaks without "
             "TLS to a port that wants it from the first byte";
    case smtpd::Oddity::no_proxy_header:
      return "a connection from a network in `proxy` was closed: it does not begin with a header of "
             "the PROXY protocol, version 2, that names a client elsewhere";
    default: return "a client violates SMTP";
  }
}

}  // namespace

void LogObserver::accepted(const smtpd::Client& client, const smtpd::Accepted& what) {
  log_.accepted({.id = mail::to_text(what.id),
                 .from = what.envelope.sender,
                 .to = addresses_of(what.envelope.recipients),
                 .size = what.size,
                 .client = smtpd::to_text(client),
                 .helo = client.helo,
                 .proto = std::string(what.protocol),
                 .fixed = parts_of(what.fixed)});
}

void LogObserver::rejected(const smtpd::Client& client, const smtpd::Rejected& what) {
  log_.rejected({.client = smtpd::to_text(client),
                 .uid = client.uid,
                 .helo = client.helo,
                 .command = std::string(what.stage),
                 .from = what.sender ? std::optional<std::string>(*what.sender) : std::nullopt,
                 .size = what.size,
                 .reply = smtpd::to_text(what.reply)});
}

void LogObserver::odd(const smtpd::Client& client, smtpd::Oddity oddity) {
  std::vector<log::Field> fields{{"client", smtpd::to_text(client)},
                                 {"oddity", std::string(smtpd::to_text(oddity))}};
  if (is_everyday(oddity))
    log_.debug(explain(oddity), fields);
  else
    log_.info(explain(oddity), fields);
}

void LogObserver::broke_down(const std::string& what) {
  log_.error(cat("a session ended because of an error in hikyakud: ", what));
}

}  // namespace hikyaku::app
