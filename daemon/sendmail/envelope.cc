// SPDX-License-Identifier: MIT
#include "daemon/sendmail/envelope.h"

#include "daemon/base/text.h"
#include "daemon/mail/xtext.h"

namespace hikyaku::sendmail {
namespace {

std::string parameter(std::string_view name, std::string_view value) {
  return value.empty() ? std::string() : cat(" ", name, "=", value);
}

}  // namespace

std::string mail_command(const Envelope& envelope, std::optional<std::uint64_t> size) {
  return cat("MAIL FROM:<", envelope.sender, ">", parameter("SIZE", size ? std::to_string(*size) : ""),
             parameter("BODY", envelope.body), parameter("RET", envelope.ret),
             parameter("ENVID", mail::to_xtext(envelope.envid)), envelope.smtputf8 ? " SMTPUTF8" : "",
             "\r\n");
}

std::string rcpt_commands(const Envelope& envelope, std::span<const Address> recipients) {
  std::string commands;
  for (const Address& recipient : recipients)
    commands += cat("RCPT TO:<", recipient, ">", parameter("NOTIFY", envelope.notify), "\r\n");
  return commands;
}

}  // namespace hikyaku::sendmail
