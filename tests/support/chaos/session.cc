// SPDX-License-Identifier: MIT
#include "tests/support/chaos/session.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/mail/smtp_command.h"

namespace hikyaku::test {
namespace {

constexpr std::size_t kLongestLine = 1024 * 1024;

// Between the angle brackets.
std::string address_in(std::string_view line) {
  auto from = line.find('<');
  auto to = line.find('>');
  return from == line.npos || to == line.npos ? "?" : std::string(line.substr(from + 1, to - from - 1));
}

std::optional<std::size_t> announced_size(std::string_view line) {
  auto at = line.find(" SIZE=");
  if (at == line.npos) return std::nullopt;
  std::string_view number = line.substr(at + 6);
  return static_cast<std::size_t>(parse_number(number.substr(0, number.find(' '))).value_or(0));
}

ChaosOffer some_offer(Dice& dice) {
  return {.ehlo = !dice.chance(3),
          .pipelining = !dice.chance(15),
          .chunking = dice.chance(25),
          .size = dice.chance(60),
          .dsn = dice.chance(30),
          .eight_bit_mime = dice.chance(70)};
}

}  // namespace

ChaosSession::ChaosSession(ChaosSmarthost& host, io::StreamPtr stream, std::uint64_t seed)
    : host_(host),
      stream_(std::move(stream)),
      reader_(*stream_),
      dice_(seed),
      voice_(host.loop_, *stream_, host.ledger_, dice_, dice_.chance(50)),
      patience_(host.patience * (host.varies_offer ? 1 + dice_.below(99) : 100) / 100),
      offer_(host.varies_offer ? some_offer(dice_) : host.offer) {
  offer_.ehlo = offer_.ehlo || host.wants_login;
  if (host.on_group == OnGroup::forgets) offer_.chunking = false;
}

Task<void> ChaosSession::run() {
  auto goes_on = co_await greet();
  while (goes_on) goes_on = co_await hear();
  co_await voice_.flush();
  host_.most_endless_bytes_ = std::max(host_.most_endless_bytes_, voice_.endless_bytes());
}

Task<bool> ChaosSession::greet() {
  auto said = co_await answer(Moment::greeting, react(Moment::greeting), "220 chaos.example ESMTP\r\n");
  co_return said;
}

// Replies that wait go out before it waits itself (RFC 2920 3.2).
Task<bool> ChaosSession::hear() {
  auto more = co_await has_more_input();
  if (!more) {
    auto flushed = co_await voice_.flush();
    if (!flushed) co_return false;
  }
  auto line = co_await reader_.line(kLongestLine, host_.loop_.within(patience_));
  if (!line && line.error().kind == IoErrorKind::timeout) {
    co_await voice_.say(Manner::whole, "421 4.4.2 Idle for too long\r\n");
    co_return false;
  }
  if (!line || mail::is_tls_hello(line->text)) co_return false;  // that one only asks who listens here
  if (line->end != io::LineEnd::crlf) host_.ledger_.complain(cat("a bare LF behind: ", line->text));
  bool is_chunk = line->text.starts_with("BDAT ");  // with its content behind it
  bool disliked = false;
  if (!is_chunk) disliked = co_await dislikes_group();
  if (disliked) co_return false;
  auto obeyed = co_await obey(line->text);
  co_return obeyed;
}

Task<bool> ChaosSession::dislikes_group() {
  auto more = co_await has_more_input();
  if (more && !offer_.pipelining) host_.ledger_.complain("pipelined where it was not offered");
  if (more && host_.on_group == OnGroup::hangs_up) co_return true;
  bool forgets = host_.on_group == OnGroup::forgets && !offer_.chunking;  // half a chunk would be commands
  while (more && forgets) {
    reader_.consume(reader_.buffered().size());
    more = co_await has_more_input();
  }
  co_return false;
}

// Bytes that have arrived but were not read; a client that has gone has none.
Task<bool> ChaosSession::has_more_input() {
  auto bytes = co_await reader_.some({host_.loop_.now(), nullptr});
  co_return bytes.has_value();
}

Task<bool> ChaosSession::obey(const std::string& line) {
  bool goes_on = false;
  std::string wrong = what_is_wrong_with(line);
  if (!wrong.empty())
    goes_on = co_await voice_.say(Manner::whole, std::move(wrong));
  else if (line.starts_with("EHLO ") || line.starts_with("HELO "))
    goes_on = co_await hello();
  else if (line.starts_with("AUTH "))
    goes_on = co_await log_in(line);
  else if (line.starts_with("MAIL FROM:<"))
    goes_on = co_await mail(line);
  else if (line.starts_with("RCPT TO:<"))
    goes_on = co_await rcpt(line);
  else if (line == "DATA")
    goes_on = co_await data();
  else if (line.starts_with("BDAT "))
    goes_on = co_await bdat(line);
  else if (line == "RSET")
    goes_on = co_await reset();
  else if (line == "QUIT")
    goes_on = co_await quit();
  else
    host_.ledger_.complain(cat("no command: ", line));
  co_return goes_on;
}

// What the state of the dialogue demands as the reply; empty: it is in order. The dice have no say. Some
// answer DATA with 354 although nobody was accepted, and wait for a lone dot then (RFC 2920 3.1).
std::string ChaosSession::what_is_wrong_with(const std::string& line) {
  bool is_mail = line.starts_with("MAIL");
  bool is_later = line.starts_with("RCPT") || line == "DATA";
  if (is_mail && !is_greeted_) host_.ledger_.complain("MAIL without EHLO");
  if (is_mail && now_.is_open) host_.ledger_.complain("MAIL amid a transaction");
  if (line.starts_with("EHLO") && !offer_.ehlo) return "502 5.5.1 HELO, please\r\n";
  if (is_mail && now_.is_open) return "503 5.5.1 Nested MAIL\r\n";
  if (is_mail && host_.wants_login && !is_logged_in_) return "530 5.7.0 Log in first\r\n";
  if (is_later && !now_.is_open) return "503 5.5.1 MAIL first\r\n";
  bool is_for_nobody = line == "DATA" && now_.recipients.empty();
  return is_for_nobody && dice_.chance(50) ? kNobody : "";
}

Task<bool> ChaosSession::hello() {
  now_ = {};
  Reaction reaction = react(Moment::ehlo);
  is_greeted_ = is_greeted_ || reaction.answer == Answer::yes;
  if (!offer_.ehlo)
    offer_ = {.ehlo = false, .pipelining = false, .chunking = false, .size = false, .dsn = false};
  auto said = co_await answer(Moment::ehlo, reaction, offer_.ehlo ? keywords() : "250 chaos.example\r\n");
  co_return said;
}

std::string ChaosSession::keywords() {
  std::string text = "250-chaos.example\r\n";
  if (offer_.pipelining) text += "250-PIPELINING\r\n";
  if (offer_.chunking) text += "250-CHUNKING\r\n";
  if (offer_.size) text += "250-SIZE 10485760\r\n";
  if (offer_.dsn) text += "250-DSN\r\n";
  if (offer_.eight_bit_mime) text += "250-8BITMIME\r\n";
  if (host_.wants_login) text += "250-AUTH PLAIN\r\n";
  return text + "250-ENHANCEDSTATUSCODES\r\n250 XYZZY plugh\r\n";
}

Task<bool> ChaosSession::log_in(const std::string& line) {
  if (line.find(' ', sizeof "AUTH PLAIN " - 1) != line.npos || !host_.wants_login)
    host_.ledger_.complain(cat("not asked for: ", line));
  Reaction reaction = react(Moment::auth);
  is_logged_in_ = is_logged_in_ || reaction.answer == Answer::yes;
  auto said = co_await answer(Moment::auth, reaction, "235 2.7.0 Welcome\r\n");
  co_return said;
}

Task<bool> ChaosSession::mail(const std::string& line) {
  now_ = {};
  now_.sender = address_in(line);
  now_.announced = announced_size(line);
  Reaction reaction = react(Moment::mail);
  now_.is_open = reaction.answer == Answer::yes;
  auto said = co_await answer(Moment::mail, reaction, "250 2.1.0 Ok\r\n");
  co_return said;
}

Task<bool> ChaosSession::rcpt(const std::string& line) {
  std::string recipient = asked_ = address_in(line);
  Reaction reaction = host_.react(Moment::rcpt, now_.sender, recipient, dice_);
  if (reaction.answer == Answer::yes) now_.recipients.push_back(recipient);
  if (reaction.answer == Answer::never) host_.ledger_.refuse(now_.sender, recipient);
  auto said = co_await answer(Moment::rcpt, reaction, "250 2.1.5 Ok\r\n");
  co_return said;
}

Task<bool> ChaosSession::reset() {
  now_ = {};
  auto said = co_await answer(Moment::other, react(Moment::other), "250 2.0.0 Ok\r\n");
  co_return said;
}

Task<bool> ChaosSession::quit() {
  auto more = co_await has_more_input();
  if (more) host_.ledger_.complain("spoke on behind QUIT");
  co_await voice_.say(react(Moment::other).manner, "221 2.0.0 Bye\r\n");
  co_return false;
}

Task<bool> ChaosSession::answer(Moment moment, Reaction reaction, std::string good,
                                std::optional<std::size_t> entry) {
  bool is_yes = reaction.answer == Answer::yes;
  std::string reply = is_yes ? std::move(good) : no_for(moment, reaction.answer, dice_);
  if (reaction.answer == Answer::never) note_refusal(moment);
  if (reaction.answer == Answer::ours && is_doubtful(reply)) note_doubt(moment);
  auto said = co_await voice_.say(reaction.manner, std::move(reply), entry);
  co_return said && !reaction.hangs_up && reaction.answer != Answer::closing;
}

// RCPT's is noted there.
void ChaosSession::note_refusal(Moment moment) {
  if (moment == Moment::mail || moment == Moment::data) host_.ledger_.refuse(now_.sender, std::nullopt);
  if (moment != Moment::message && moment != Moment::content) return;
  for (const std::string& recipient : now_.recipients) host_.ledger_.refuse(now_.sender, recipient);
}

void ChaosSession::note_doubt(Moment moment) {
  if (!std::exchange(now_.is_doubted, true)) {
    const bool is_known = moment == Moment::rcpt || !now_.recipients.empty();
    host_.ledger_.doubt_mail(now_.sender, !is_known                ? ""
                                          : moment == Moment::rcpt ? asked_
                                                                   : now_.recipients.front());
  }
  if (moment == Moment::mail || moment == Moment::data) host_.ledger_.doubt(now_.sender, std::nullopt);
  if (moment == Moment::rcpt) host_.ledger_.doubt(now_.sender, asked_);
  if (moment != Moment::message && moment != Moment::content) return;
  for (const std::string& recipient : now_.recipients) host_.ledger_.doubt(now_.sender, recipient);
}

Reaction ChaosSession::react(Moment moment) { return host_.react(moment, now_.sender, "", dice_); }

}  // namespace hikyaku::test
