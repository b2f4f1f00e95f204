// SPDX-License-Identifier: MIT
#include "daemon/sendmail/drop_session.h"

#include <utility>

#include "daemon/base/text.h"
#include "daemon/mail/drop_format.h"
#include "daemon/sendmail/process_hygiene.h"

namespace hikyaku::sendmail {
namespace {

namespace command = mail::command;

constexpr std::size_t kMaxLine = mail::DropCommands::kMaxLine;

template <class... Cases>
struct Match : Cases... {
  using Cases::operator()...;
};

}  // namespace

Exit DropSession::run() {
  say(cat("220 ", info_.hostname, " hikyaku sendmail ready"));
  while (!ended_) {
    auto line = input_.line();
    if (!line) break;
    obey(*line);
  }
  if (input_.is_endless()) say("421 4.7.0 Line without an end, closing");
  return Exit::ok;
}

void DropSession::obey(std::string_view line) {
  if (line.size() > kMaxLine)
    return refuse(line, {.reply_code = 500, .enhanced = {5, 5, 2}, .text = "Line too long"});
  auto parsed = mail::parse_command(line, {info_.domain, smtputf8_});
  std::visit(
      Match{[&](const command::Ehlo& ehlo) { obey(ehlo); },
            [&](const command::Mail& mail) { begin(mail, line); },
            [&](const command::Rcpt&) { add_recipient(line); }, [&](const command::Data&) { take_data(); },
            [&](const command::Rset&) {
              clear();
              say("250 2.0.0 Ok");
            },
            [&](const command::Noop&) { say("250 2.0.0 Ok"); },
            [&](const command::Vrfy&) { say("252 2.5.0 Cannot verify, but will take mail"); },
            [&](const command::Help&) { say("214 2.0.0 See sendmail(8)"); },
            [&](const command::Quit&) {
              ended_ = true;
              say("221 2.0.0 Bye");
            },
            [&](const command::NotSmtp&) {
              ended_ = true;
              say("554 5.5.0 This is SMTP");
            },
            [&](const command::Bdat&) {
              ended_ = true;
              say("502 5.5.1 Not offered here");
            },
            [&](const mail::CommandError& error) { refuse(line, error); },
            [&](const auto&) { say("502 5.5.1 Not offered here"); }},
      parsed);
}

void DropSession::obey(const command::Ehlo& command) {
  clear();
  if (command.is_helo) return say(cat("250 ", info_.hostname));
  say(cat("250-", info_.hostname, "\r\n250-PIPELINING\r\n250-SIZE ", std::to_string(info_.max_size),
          "\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250 DSN"));
}

void DropSession::begin(const command::Mail& command, std::string_view line) {
  if (!commands_.empty()) {
    clear();
    return say("503 5.5.1 MAIL inside another mail; both are dropped");
  }
  if (command.size.value_or(0) > info_.max_size) return say("552 5.3.4 Message too big");
  commands_ = cat(line, "\r\n");
  smtputf8_ = command.envelope.smtputf8;
  say("250 2.1.0 Sender ok");
}

void DropSession::add_recipient(std::string_view line) {
  if (commands_.empty()) return say("503 5.5.1 Send MAIL first");
  if (recipients_ == info_.max_recipients) return say("452 4.5.3 Too many recipients");
  commands_ += cat(line, "\r\n");
  ++recipients_;
  say("250 2.1.5 Recipient ok");
}

// After a refused DATA, a second DATA and the lines before it may belong to the first DATA's message. They do
// if content arrives before the 354 is sent.
void DropSession::take_data() {
  bool is_body = std::exchange(behind_refused_data_, false) && input_.comes_within(manner_.unasked);
  if (is_body) return swallow_message();
  if (recipients_ == 0) return refuse_data("503 5.5.1 No valid recipient yet: send RCPT first");
  auto draft = Draft::begin(drop_, commands_);
  if (!draft) return refuse_data(cat("451 4.3.0 ", draft.error().text));
  say("354 End with a line of a single dot");
  mail::DataDecoder decoder(input_.line_mode());
  take_content(decoder, **draft);
  if (decoder.is_done()) finish(decoder, **draft);
  if (!decoder.is_done() && manner_.is_batch) out_(kInputEnded);
  clear();
}

void DropSession::take_content(mail::DataDecoder& decoder, Draft& draft) {
  size_ = 0;
  stored_ = {};
  std::string content;
  while (!decoder.is_done() && !ended_) {
    content.clear();
    ended_ = !input_.content(decoder,
                             content);  // the input ended inside the message, which was never acknowledged
    keep(content, draft);
  }
}

void DropSession::keep(std::string_view content, Draft& draft) {
  size_ += content.size();
  if (stored_ && size_ <= info_.max_size) stored_ = draft.append(content);
}

void DropSession::finish(const mail::DataDecoder& decoder, Draft& draft) {
  if (decoder.has_nul()) return say("554 5.6.0 Message contains a NUL byte");
  if (size_ > info_.max_size) return say("552 5.3.4 Message too big");
  SignalBlock signal_block;  // a stored message must be acknowledged
  if (stored_) stored_ = draft.commit();
  say(stored_ ? std::string("250 2.0.0 Ok: left for the daemon") : cat("451 4.3.0 ", stored_.error().text));
}

void DropSession::refuse_data(std::string_view reply) {
  say(reply);
  behind_refused_data_ = true;
  if (manner_.is_batch || input_.comes_within({})) swallow_message();
}

// After a refused DATA, lines that are not commands are the message.
void DropSession::refuse(std::string_view line, const mail::CommandError& error) {
  bool is_body = behind_refused_data_ && error.reply_code == 500;
  if (is_body) {
    input_.put_back(line);
    return swallow_message();
  }
  std::string reply = cat(std::to_string(error.reply_code), " ", to_text(error.enhanced), " ", error.text);
  if (is_data(line)) return refuse_data(reply);
  if (error.must_close) ended_ = true;
  say(reply);
}

void DropSession::swallow_message() {
  mail::DataDecoder decoder(input_.line_mode());
  std::string content;
  while (!decoder.is_done() && !ended_) {
    content.clear();
    ended_ = !input_.content(decoder, content);
  }
  behind_refused_data_ = false;
  clear();
  if (!ended_) say("554 5.5.1 The message was dropped: its DATA was refused");
}

void DropSession::clear() {
  commands_.clear();
  recipients_ = 0;
  smtputf8_ = false;
}

void DropSession::say(std::string_view reply) {
  if (!out_(cat(reply, "\r\n"))) ended_ = true;
}

}  // namespace hikyaku::sendmail
