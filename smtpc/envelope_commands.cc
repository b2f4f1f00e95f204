// SPDX-License-Identifier: MIT
#include "daemon/base/text.h"
#include "daemon/mail/smtp_command.h"
#include "smtpc/transaction.h"

namespace hikyaku::smtpc {
namespace {

// ORCPT is its type in clear and its address in xtext (RFC 3461 4.2).
std::string orcpt(const std::string& decoded) {
  auto semicolon = decoded.find(';');
  if (semicolon == decoded.npos) return {};
  return cat(" ORCPT=", decoded.substr(0, semicolon + 1), mail::to_xtext(decoded.substr(semicolon + 1)));
}

}  // namespace

bool needs_smtputf8(const std::string& address) { return !is_ascii(address); }

std::string mail_command(const mail::QueuedMail& mail, const mail::Capabilities& capabilities,
                         bool has_eight_bit, bool needs_utf8) {
  const mail::Envelope& envelope = mail.envelope;
  std::string command = cat("MAIL FROM:<", envelope.sender, ">");
  if (capabilities.size) command += cat(" SIZE=", std::to_string(mail.size));
  if (capabilities.eight_bit_mime && has_eight_bit) command += " BODY=8BITMIME";
  if (capabilities.smtputf8 && (needs_utf8 || envelope.smtputf8)) command += " SMTPUTF8";
  if (!capabilities.dsn) return command;
  if (envelope.ret != mail::Ret::absent)
    command += envelope.ret == mail::Ret::full ? " RET=FULL" : " RET=HDRS";
  if (!envelope.envid.empty()) command += cat(" ENVID=", mail::to_xtext(envelope.envid));
  return command;
}

std::string rcpt_command(const mail::Recipient& recipient, const mail::Capabilities& capabilities) {
  std::string command = cat("RCPT TO:<", recipient.address, ">");
  if (!capabilities.dsn) return command;
  if (!recipient.notify.is_absent()) command += cat(" NOTIFY=", mail::to_text(recipient.notify));
  return command + orcpt(recipient.orcpt);
}

}  // namespace hikyaku::smtpc
