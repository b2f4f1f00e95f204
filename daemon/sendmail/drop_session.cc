// SPDX-License-Identifier: MIT
#include "daemon/sendmail/drop_session.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/mail/drop_format.h"
#include "daemon/sendmail/departure.h"

namespace hikyaku::sendmail {
namespace {

namespace command = mail::command;

constexpr std::size_t kPiece = 64 * 1024;
constexpr std::size_t kMaxLine = mail::DropCommands::kMaxLine;
constexpr std::size_t kEndless = 128 * 1024;

template <class... Cases>
struct Match : Cases... {
  using Cases::operator()...;
};

}  // namespace

Exit DropSession::run() {
  say(cat("220 ", places_.hostname, " hikyaku sendmail ready"));
  std::string line;
  bool ends_in_lf = false;
  while (!ended_ && read_line(line, ends_in_lf)) {
    if (line.size() > kMaxLine) {
      say("500 5.5.2 Line too long");
    } else {
      obey(line, ends_in_lf);
    }
  }
  return Exit::ok;
}

bool DropSession::read_more() {
  char bytes[kPiece];
  ssize_t got = -1;
  do {
    got = ::read(in_, bytes, sizeof bytes);
  } while (got < 0 && errno == EINTR);
  if (got > 0) input_.append(bytes, static_cast<std::size_t>(got));
  return got > 0;
}

bool DropSession::read_line(std::string& line, bool& ends_in_lf) {
  while (input_.find('\n') == input_.npos) {
    if (input_.size() > kEndless) {
      say("421 4.7.0 Line without an end, closing");
      return false;
    }
    if (!read_more()) return false;
  }
  std::size_t end = input_.find('\n');
  ends_in_lf = end == 0 || input_[end - 1] != '\r';
  line = input_.substr(0, ends_in_lf ? end : end - 1);
  input_.erase(0, end + 1);
  return true;
}

void DropSession::obey(std::string_view line, bool ends_in_lf) {
  auto parsed = mail::parse_command(line, {places_.domain, smtputf8_});
  std::visit(Match{[&](const command::Ehlo& ehlo) { obey(ehlo); },
                   [&](const command::Mail& mail) { begin(mail, line); },
                   [&](const command::Rcpt&) { add_recipient(line); },
                   [&](const command::Data&) { take_data(ends_in_lf); },
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
                   [&](const mail::CommandError& error) { say(error); },
                   [&](const auto&) { say("502 5.5.1 Not offered here"); }},
             parsed);
}

void DropSession::obey(const command::Ehlo& command) {
  clear();
  if (command.is_helo) return say(cat("250 ", places_.hostname));
  say(cat("250-", places_.hostname, "\r\n250-PIPELINING\r\n250-SIZE ", std::to_string(places_.max_size),
          "\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250 DSN"));
}

void DropSession::begin(const command::Mail& command, std::string_view line) {
  if (!commands_.empty()) return clear(), say("503 5.5.1 A message was begun already; both are dropped");
  if (command.size.value_or(0) > places_.max_size) return say("552 5.3.4 Message too big");
  commands_ = cat(line, "\r\n");
  smtputf8_ = command.envelope.smtputf8;
  say("250 2.1.0 Sender ok");
}

void DropSession::add_recipient(std::string_view line) {
  if (commands_.empty()) return say("503 5.5.1 Send MAIL first");
  if (recipients_ == places_.max_recipients) return say("452 4.5.3 Too many recipients");
  commands_ += cat(line, "\r\n");
  ++recipients_;
  say("250 2.1.5 Recipient ok");
}

void DropSession::take_data(bool ends_in_lf) {
  if (recipients_ == 0) return say("503 5.5.1 No valid recipient yet: send RCPT first");
  auto draft = Draft::begin(drop_, commands_);
  if (!draft) return say(cat("451 4.3.0 ", draft.error().text));
  say("354 End with a line of a single dot");
  mail::DataDecoder decoder(ends_in_lf ? mail::LineMode::lf : mail::LineMode::crlf);
  size_ = 0;
  stored_ = {};
  while (!take_content(decoder, **draft)) {
    if (read_more()) continue;
    ended_ = true;  // within a message: nobody was told that it was taken
    return;
  }
  finish(decoder, **draft);
  clear();
}

// True at the end of the data.
bool DropSession::take_content(mail::DataDecoder& decoder, Draft& draft) {
  std::string content;
  auto fed = decoder.feed(input_, content);
  input_.erase(0, fed.consumed);
  size_ += content.size();
  if (stored_ && size_ <= places_.max_size) stored_ = draft.append(content);
  return fed.done;
}

void DropSession::finish(const mail::DataDecoder& decoder, Draft& draft) {
  if (decoder.has_nul()) return say("554 5.6.0 Message holds a NUL byte");
  if (size_ > places_.max_size) return say("552 5.3.4 Message too big");
  Undisturbed undisturbed;  // what is stored is told
  if (stored_) stored_ = draft.commit();
  say(stored_ ? std::string("250 2.0.0 Ok: left for the daemon") : cat("451 4.3.0 ", stored_.error().text));
}

void DropSession::clear() {
  commands_.clear();
  recipients_ = 0;
  smtputf8_ = false;
}

void DropSession::say(const mail::CommandError& error) {
  if (error.must_close) ended_ = true;
  say(cat(std::to_string(error.reply_code), " ", to_text(error.enhanced), " ", error.text));
}

void DropSession::say(std::string_view reply) {
  if (!out_(cat(reply, "\r\n"))) ended_ = true;
}

}  // namespace hikyaku::sendmail
