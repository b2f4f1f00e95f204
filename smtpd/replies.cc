// SPDX-License-Identifier: MIT
#include "smtpd/replies.h"

#include <utility>

#include "daemon/base/error.h"
#include "daemon/base/text.h"
#include "daemon/mail/dsn.h"

namespace hikyaku::smtpd {
namespace {

std::string status_prefix(const Reply& reply) {
  return reply.status.status_class == 0 ? std::string() : cat(mail::to_text(reply.status), " ");
}

Reply without_status(int code, std::string text) { return {code, {}, std::move(text)}; }

// Of the configuration, as many as a reply line has room for (RFC 5321 4.5.3.1.5), in ASCII.
std::string listed(const mail::AddressPatterns& patterns) {
  constexpr std::size_t kRoom = 350;
  std::string list;
  std::size_t count = 0;
  for (const mail::AddressPattern& pattern : patterns) {
    const std::string next = cat(count == 0 ? "" : ", ", mail::ascii_form(pattern.text()));
    if (list.size() + next.size() > kRoom) break;
    list += next;
    ++count;
  }
  const std::size_t others = patterns.size() - count;
  return others == 0 ? list : cat(list, " and ", std::to_string(others), count == 0 ? " addresses" : " more");
}

}  // namespace

std::string to_wire(const Reply& reply) {
  check(!reply.lines.empty(), "a reply has at least one line");
  std::string code = std::to_string(reply.code);
  std::string status = status_prefix(reply);
  std::string wire;
  for (const std::string& line : reply.lines)
    wire += cat(code, &line == &reply.lines.back() ? " " : "-", status, line, "\r\n");
  return wire;
}

std::string to_text(const Reply& reply) {
  return cat(std::to_string(reply.code), " ", status_prefix(reply), join(reply.lines, " / "));
}

namespace replies {

Reply greeting(std::string_view hostname, std::string_view token) {
  return without_status(220, cat(hostname, " hikyaku ", token, " ready"));
}
Reply helo(std::string_view hostname) { return without_status(250, std::string(hostname)); }
Reply ehlo(std::string_view hostname, std::vector<std::string> keywords) {
  Reply reply = helo(hostname);
  for (std::string& keyword : keywords) reply.lines.push_back(std::move(keyword));
  return reply;
}
Reply not_allowed() { return {554, {5, 7, 1}, "Your address may not send mail here (see `allow`)"}; }
Reply too_many_connections() { return {421, {4, 3, 2}, "Too many connections, try again later"}; }
Reply too_many_from_client() { return {421, {4, 7, 0}, "Too many connections from your address"}; }
Reply too_many_of_user() { return {421, {4, 7, 0}, "Too many connections of your user"}; }

Reply ok() { return {250, {2, 0, 0}, "Ok"}; }
Reply sender_ok() { return {250, {2, 1, 0}, "Sender ok"}; }
Reply own_sender() { return {250, {2, 1, 0}, "Ok, but from your own address (see `submit`)"}; }
Reply sender_not_allowed(const mail::AddressPatterns& senders) {
  return {550,
          {5, 7, 1},
          cat("This sender may not send here, only ", listed(senders), " (see `senders` in hikyaku.yaml)")};
}
Reply recipient_ok() { return {250, {2, 1, 5}, "Recipient ok"}; }
Reply help() { return {214, {2, 0, 0}, "See RFC 5321; RSET, NOOP, VRFY, BDAT and QUIT are here too"}; }
Reply cannot_verify() { return {252, {2, 5, 0}, "Cannot verify, but will take mail and try to deliver it"}; }
Reply bye() { return {221, {2, 0, 0}, "Bye"}; }
Reply from(const mail::CommandError& error) { return {error.reply_code, error.enhanced, error.text}; }
Reply line_too_long() { return {500, {5, 5, 2}, "Line too long"}; }
Reply nested_mail() { return {503, {5, 5, 1}, "A message was begun already; both are dropped"}; }
Reply unknown_submitter() {
  return {451, {4, 3, 0}, "The user database does not say who you are, try again later"};
}
Reply mail_first() { return {503, {5, 5, 1}, "Send MAIL first"}; }
Reply recipient_first() { return {503, {5, 5, 1}, "No valid recipient yet: send RCPT first"}; }
Reply too_many_recipients() { return {452, {4, 5, 3}, "Too many recipients"}; }
Reply no_memory() { return {451, {4, 3, 2}, "Too much mail is on its way through at once, try again later"}; }
Reply no_memory_for_more() {
  return {452, {4, 5, 3}, "No memory for more recipients now: send this message to those before, then again"};
}
Reply too_big(std::uint64_t max_size) {
  return {552, {5, 3, 4}, cat("Message too big: at most ", std::to_string(max_size), " bytes")};
}
Reply inside_bdat() { return {503, {5, 5, 1}, "A message is coming in with BDAT: go on with BDAT, or RSET"}; }

Reply send_content() { return without_status(354, "End with a line of a single dot"); }
Reply body_unasked() { return {421, {4, 5, 0}, "A message came although its DATA was refused, closing"}; }
Reply chunk_ok() { return {250, {2, 0, 0}, "Chunk received"}; }
Reply queued(mail::MailId id) { return {250, {2, 0, 0}, cat("Ok: queued as ", to_text(id))}; }
Reply from(const mail::SinkError& error) {
  switch (error.kind) {
    case mail::SinkErrorKind::no_space: return {452, {4, 3, 1}, "No space for mail now, try again later"};
    case mail::SinkErrorKind::write_failed:
      return {451, {4, 3, 0}, "Mail could not be stored, try again later"};
    case mail::SinkErrorKind::no_memory: return no_memory();
    case mail::SinkErrorKind::no_answer:
      return {451, {4, 3, 0}, "The user database does not say who is a user here, try again later"};
    case mail::SinkErrorKind::shutting_down: return shutting_down();
  }
  std::unreachable();
}
Reply has_nul() { return {554, {5, 6, 0}, "Message holds a NUL byte"}; }
Reply too_many_hops() { return {554, {5, 4, 6}, "Too many Received fields: this message goes in circles"}; }

Reply starttls_not_offered() { return {502, {5, 5, 1}, "STARTTLS is not offered here"}; }
Reply starttls_twice() { return {503, {5, 5, 1}, "TLS is active already"}; }
Reply starttls_go() { return {220, {2, 0, 0}, "Go ahead with TLS"}; }
Reply starttls_injection() {
  return {421, {4, 7, 0}, "Nothing may follow STARTTLS before the TLS handshake"};
}
Reply auth_not_offered() { return {502, {5, 5, 1}, "AUTH is not offered here"}; }
Reply auth_twice() { return {503, {5, 5, 1}, "You are logged in already"}; }
Reply auth_in_transaction() { return {503, {5, 5, 1}, "No AUTH inside a transaction"}; }
Reply auth_needs_tls() { return {538, {5, 7, 11}, "Log in over TLS only: send STARTTLS first"}; }
Reply auth_unknown_mechanism() { return {504, {5, 5, 4}, "This mechanism is not offered"}; }
Reply auth_challenge(std::string_view base64) { return without_status(334, std::string(base64)); }
Reply auth_ok() { return {235, {2, 7, 0}, "Logged in"}; }
Reply auth_refused() { return {535, {5, 7, 8}, "Wrong user or password"}; }
Reply auth_malformed() { return {501, {5, 5, 2}, "Not a response of this mechanism in Base64"}; }
Reply auth_cancelled() { return {501, {5, 7, 0}, "Log-in cancelled"}; }
Reply auth_required() { return {530, {5, 7, 0}, "Log in first"}; }

Reply not_smtp() { return {554, {5, 5, 0}, "This is an SMTP server; it speaks nothing else"}; }
Reply too_many_errors() { return {421, {4, 7, 0}, "Too many errors, closing"}; }
Reply too_many_commands() { return {421, {4, 7, 0}, "Too many commands without a message, closing"}; }
Reply endless_line() { return {421, {4, 7, 0}, "Line without an end, closing"}; }
Reply timed_out() { return {421, {4, 4, 2}, "Timed out waiting for you, closing"}; }
Reply shutting_down() { return {421, {4, 3, 2}, "Shutting down, try again soon"}; }
Reply internal_error() { return {421, {4, 3, 0}, "Internal error, try again later"}; }

}  // namespace replies

}  // namespace hikyaku::smtpd
