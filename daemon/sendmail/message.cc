// SPDX-License-Identifier: MIT
#include "daemon/sendmail/message.h"

#include <utility>

#include "daemon/base/text.h"
#include "daemon/mail/smtp_command.h"
#include "daemon/sendmail/header.h"

namespace hikyaku::sendmail {
namespace {

Result<void, Failure> read_header(HeaderReader& header, Input& input) {
  while (true) {
    std::string piece;
    auto more = input.read(piece);
    if (!more) return std::unexpected(more.error());
    if (!*more) header.finish();
    auto complete = header.feed(piece);
    if (!complete) return std::unexpected(complete.error());
    if (*complete) return {};
  }
}

Result<Recipients, Failure> operands(const Request& request) {
  Recipients recipients;
  for (const std::string& operand : request.recipients)
    if (auto added = recipients.add_operand(operand); !added) return std::unexpected(added.error());
  return recipients;
}

Result<Address, Failure> find_sender(const Request& request, const Caller& caller, const Fields& fields) {
  if (request.sender) return sender_of(*request.sender);
  if (request.sender_from_header) {
    auto sender = sender_of(fields);
    if (!sender || !sender->empty()) return sender;
  }
  return sender_of(address_of_user(caller.user));
}

Result<Envelope, Failure> find_envelope(const Request& request, const Caller& caller, const Fields& fields,
                                        Recipients recipients) {
  if (request.recipients_from_header)
    if (auto added = recipients.add_header(fields); !added) return std::unexpected(added.error());
  if (recipients.addresses().empty())
    return fail(Exit::usage,
                "no recipients, neither in To, Cc or Bcc nor on the command line; nothing was sent");
  auto sender = find_sender(request, caller, fields);
  if (!sender) return std::unexpected(sender.error());
  Envelope envelope{.sender = *sender,
                    .recipients = recipients.addresses(),
                    .notify = request.notify,
                    .ret = request.ret,
                    .envid = request.envid,
                    .body = request.body};
  envelope.smtputf8 = needs_smtputf8(envelope.sender, envelope.recipients);
  return envelope;
}

// The daemon adds a missing From too, but does not know the caller's full name.
void complete_header(Fields& fields, const Request& request, const Address& sender) {
  remove_bcc(fields);
  if (!request.full_name.empty() && !sender.empty() && !has_field(fields, "From"))
    fields.push_back(from_field(request.full_name, sender));
}

Result<void, Failure> read_body(Message& message, Input& input) {
  while (message.read.size() < kMostInMemory) {
    auto more = input.read(message.read);
    if (!more) return std::unexpected(more.error());
    message.whole = !*more;
    if (message.whole) return {};
  }
  return {};
}

std::string parameter(std::string_view name, std::string_view value) {
  return value.empty() ? std::string() : cat(" ", name, "=", value);
}

}  // namespace

Result<Message, Failure> read_message(const Request& request, const Caller& caller, Input& input) {
  auto recipients = operands(request);
  if (!recipients) return std::unexpected(recipients.error());
  if (recipients->addresses().empty() && !request.recipients_from_header)
    return fail(Exit::usage,
                "no recipients: give them after the options, or use -t to take them from the header");
  HeaderReader header;
  if (auto read = read_header(header, input); !read) return std::unexpected(read.error());
  auto envelope = find_envelope(request, caller, header.fields(), std::move(*recipients));
  if (!envelope) return std::unexpected(envelope.error());
  complete_header(header.fields(), request, envelope->sender);
  Message message{.envelope = std::move(*envelope), .read = to_content(header.fields(), header.take_body())};
  if (auto read = read_body(message, input); !read) return std::unexpected(read.error());
  return message;
}

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
