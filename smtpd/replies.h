// SPDX-License-Identifier: MIT
// A reply as a plain value, its form on the wire (RFC 5321 4.2, RFC 2034), and every text that the server
// says, in one place, with its enhanced status code (RFC 3463). Texts are ours alone: no byte that a client
// sent may ever stand in one, so that nobody can make us say something to a third party. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/mail/address_pattern.h"
#include "daemon/mail/mail_id.h"
#include "daemon/mail/mail_sink.h"
#include "daemon/mail/smtp_command.h"
#include "daemon/mail/smtp_reply.h"

namespace hikyaku::smtpd {

struct Reply {
  int code = 0;
  mail::EnhancedStatus status;  // class 0: none (greeting, EHLO, 3yz)
  std::vector<std::string> lines;

  Reply() = default;
  Reply(int reply_code, mail::EnhancedStatus enhanced, std::string text)
      : code(reply_code), status(enhanced), lines{std::move(text)} {}

  bool is_positive() const { return code < 400; }
  bool is_permanent() const { return code >= 500; }
  bool ends_session() const { return code == 221 || code == 421; }
  bool operator==(const Reply&) const = default;
};

// All lines with their CR LF; each carries code and enhanced status.
std::string to_wire(const Reply& reply);
// "550 5.1.1 no such user" with lines joined by " / ", for the log.
std::string to_text(const Reply& reply);

namespace replies {

// Opening. The greeting carries the instance's token, by which we recognise ourselves as smarthost, and never
// the word ESMTP: node-sendmail's repository version waits for ever after an EHLO without STARTTLS, and says
// HELO to a greeting without that word.
Reply greeting(std::string_view hostname, std::string_view token);
Reply helo(std::string_view hostname);
Reply ehlo(std::string_view hostname, std::vector<std::string> keywords);
Reply not_allowed();
Reply too_many_connections();
Reply too_many_from_client();
Reply too_many_of_user();

// Commands.
Reply ok();
Reply sender_ok();
Reply own_sender();
Reply sender_not_allowed(const mail::AddressPatterns& senders);
Reply recipient_ok();
Reply help();
Reply cannot_verify();
Reply bye();
Reply from(const mail::CommandError& error);
Reply line_too_long();
Reply nested_mail();
Reply unknown_submitter();
Reply mail_first();
Reply recipient_first();
Reply too_many_recipients();
Reply no_memory();
Reply no_memory_for_more();
Reply too_big(std::uint64_t max_size);
Reply inside_bdat();

// Content.
Reply send_content();
Reply body_unasked();
Reply chunk_ok();
Reply queued(mail::MailId id);
Reply from(const mail::SinkError& error);
Reply has_nul();
Reply too_many_hops();

// STARTTLS and AUTH.
Reply starttls_not_offered();
Reply starttls_twice();
Reply starttls_go();
Reply starttls_injection();
Reply auth_not_offered();
Reply auth_twice();
Reply auth_in_transaction();
Reply auth_needs_tls();
Reply auth_unknown_mechanism();
Reply auth_challenge(std::string_view base64);
Reply auth_ok();
Reply auth_refused();
Reply auth_malformed();
Reply auth_cancelled();
Reply auth_required();

// The end.
Reply not_smtp();
Reply too_many_errors();
Reply too_many_commands();
Reply endless_line();
Reply timed_out();
Reply shutting_down();
Reply internal_error();

}  // namespace replies

}  // namespace hikyaku::smtpd
