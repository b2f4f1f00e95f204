// SPDX-License-Identifier: MIT
#include "daemon/sendmail/smtp_pipe.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>
#include <variant>

#include "daemon/base/text.h"
#include "daemon/mail/dot_stuffing.h"
#include "daemon/mail/smtp_command.h"
#include "daemon/sendmail/dialogue.h"
#include "daemon/sendmail/smtp_input.h"

namespace hikyaku::sendmail {
namespace {

constexpr std::size_t kPipePiece = 64 * 1024;

class Pump {
 public:
  Pump(Fd daemon, int in, const TakeOutput& out) : daemon_(std::move(daemon)), in_(in), out_(out) {}

  Exit run() {
    while (!ended_) {
      bool wants_input = waiting_.empty() && !input_ended_;
      pollfd watched[] = {
          {wants_input ? in_ : -1, POLLIN, 0},
          {daemon_.get(), static_cast<short>(waiting_.empty() ? POLLIN : POLLIN | POLLOUT), 0}};
      if (::poll(watched, 2, -1) < 0 && errno != EINTR) return Exit::os;
      if (watched[0].revents != 0) take_input();
      if ((watched[1].revents & POLLOUT) != 0) pass_on();
      if ((watched[1].revents & ~POLLOUT) != 0) take_output();
    }
    return said_farewell() ? Exit::ok : lose();
  }

 private:
  void take_input() {
    waiting_.resize(kPipePiece);
    ssize_t got = ::read(in_, waiting_.data(), waiting_.size());
    waiting_.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    if (got > 0 || (got < 0 && errno == EINTR)) return pass_on();
    input_ended_ = true;
    ::shutdown(daemon_.get(), SHUT_WR);
  }

  void pass_on() {
    ssize_t sent = ::send(daemon_.get(), waiting_.data(), waiting_.size(), MSG_NOSIGNAL);
    if (sent > 0) waiting_.erase(0, static_cast<std::size_t>(sent));
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
      waiting_.clear();  // the daemon has closed the connection; its last reply may follow
  }

  void take_output() {
    output_.resize(kPipePiece);
    ssize_t got = ::recv(daemon_.get(), output_.data(), output_.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    output_.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    ended_ = output_.empty() || !out_(output_);
    remember(output_);
  }

  // The beginning of the last line received.
  void remember(std::string_view bytes) {
    for (char c : bytes) {
      if (at_line_start_) last_line_.clear();
      if (last_line_.size() < 4) last_line_ += c;
      at_line_start_ = c == '\n';
    }
  }

  bool said_farewell() const { return last_line_ == "221 " || last_line_ == "421 "; }

  // A caller that left without QUIT needs no reply.
  Exit lose() {
    if (input_ended_) return Exit::ok;
    out_(kDaemonLost);
    return Exit::try_again;
  }

  Fd daemon_;
  int in_;
  const TakeOutput& out_;
  std::string waiting_;  // for the daemon
  std::string output_;   // from the daemon, unchanged
  std::string last_line_;
  bool at_line_start_ = true;
  bool input_ended_ = false;
  bool ended_ = false;
};

constexpr Timeout kStorageTimeout(300);  // longer than any disk that still works
constexpr std::uint64_t kMostForwarded = 64 * 1024;

class Batch {
 public:
  Batch(Fd daemon, int in, const TakeOutput& out) : daemon_(std::move(daemon), {}), input_(in), out_(out) {}

  Exit run() {
    hear();
    while (!is_over()) {
      auto line = input_.line();
      if (!line) break;
      obey(*line);
    }
    if (input_.is_endless()) out_("500 5.5.2 Line without an end\r\n");
    return is_lost_ ? Exit::try_again : Exit::ok;
  }

 private:
  void obey(std::string_view line) {
    send(cat(line, "\r\n"));
    auto command = mail::parse_command(line, {});
    if (const auto* chunk = std::get_if<mail::command::Bdat>(&command)) send_octets(chunk->size);
    if (ended_) return;
    hear();
    if (is_data(line)) carry_message();
  }

  void send_octets(std::uint64_t size) {
    while (size > 0 && !is_over()) {
      std::string some = input_.octets(static_cast<std::size_t>(std::min(size, kMostForwarded)));
      if (some.empty()) return end_inside_message();
      size -= some.size();
      send(some);
    }
  }

  // Sends the message, if the daemon accepted DATA.
  void carry_message() {
    bool is_wanted = code_ == 354;
    mail::DataDecoder decoder(input_.line_mode());
    mail::DotStuffer stuffer;
    std::string content;
    while (!decoder.is_done() && !is_over()) {
      content.clear();
      if (!input_.content(decoder, content)) return end_inside_message();
      std::string wire;
      stuffer.feed(content, wire);
      if (is_wanted) send(wire);
    }
    std::string end;
    stuffer.finish(end);
    if (is_wanted) send(end), hear();
  }

  void send(std::string_view bytes) { is_lost_ = is_lost_ || !daemon_.send_bytes(bytes, kStorageTimeout); }

  // Also after a failed write: the daemon's last reply says why.
  void hear() {
    auto reply = daemon_.reply(kStorageTimeout);
    code_ = reply ? reply->code : 421;
    is_lost_ |= !reply;
    out_(reply ? cat(to_text(*reply), "\r\n") : std::string(kDaemonLost));
  }

  void end_inside_message() {
    out_(kInputEnded);
    ended_ = true;
  }

  bool is_over() const { return ended_ || is_lost_ || code_ == 221 || code_ == 421; }

  Dialogue daemon_;
  SmtpInput input_;
  const TakeOutput& out_;
  int code_ = 0;  // of the last reply
  bool is_lost_ = false;
  bool ended_ = false;  // the input ended inside a message
};

}  // namespace

Exit carry_smtp(Fd daemon, int in, const TakeOutput& out) { return Pump(std::move(daemon), in, out).run(); }

Exit carry_batch(Fd daemon, int in, const TakeOutput& out) { return Batch(std::move(daemon), in, out).run(); }

void BatchReplies::take(std::string_view bytes) {
  for (char c : bytes) {
    if (c != '\n') {
      line_ += c;
      continue;
    }
    bool transient = line_.starts_with('4');
    if ((transient || line_.starts_with('5')) && !bad_)
      bad_ = Failure{transient ? Exit::try_again : Exit::damaged,
                     cat("hikyakud answered ", still_printable(trim(line_.substr(0, line_.find('\r')))))};
    line_.clear();
  }
}

Result<void, Failure> BatchReplies::verdict() const {
  if (bad_) return std::unexpected(*bad_);
  return {};
}

}  // namespace hikyaku::sendmail
