// SPDX-License-Identifier: MIT
#include "daemon/sendmail/smtp_pipe.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

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
      waiting_.clear();  // it has hung up: its last words follow
  }

  void take_output() {
    output_.resize(kPipePiece);
    ssize_t got = ::recv(daemon_.get(), output_.data(), output_.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    output_.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    ended_ = output_.empty() || !out_(output_);
    remember(output_);
  }

  // The beginning of the last line that has come.
  void remember(std::string_view bytes) {
    for (char c : bytes) {
      if (at_line_start_) last_line_.clear();
      if (last_line_.size() < 4) last_line_ += c;
      at_line_start_ = c == '\n';
    }
  }

  bool said_farewell() const { return last_line_ == "221 " || last_line_ == "421 "; }

  // A caller that has left without QUIT wanted no more.
  Exit lose() {
    if (input_ended_) return Exit::ok;
    out_(kDaemonLost);
    return Exit::temporary;
  }

  Fd daemon_;
  int in_;
  const TakeOutput& out_;
  std::string waiting_;  // for the daemon
  std::string output_;   // the daemon's, as it came
  std::string last_line_;
  bool at_line_start_ = true;
  bool input_ended_ = false;
  bool ended_ = false;
};

}  // namespace

Exit carry_smtp(Fd daemon, int in, const TakeOutput& out) { return Pump(std::move(daemon), in, out).run(); }

}  // namespace hikyaku::sendmail
