// SPDX-License-Identifier: MIT
#include "daemon/sendmail/batch.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "daemon/base/text.h"
#include "daemon/mail/dot_stuff.h"
#include "daemon/mail/smtp_command.h"
#include "daemon/sendmail/dialogue.h"
#include "daemon/sendmail/smtp_input.h"

namespace hikyaku::sendmail {
namespace {

constexpr Patience kStorageTimeout(300);  // longer than any disk that still works
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
    return is_lost_ ? Exit::temporary : Exit::ok;
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

  // To the daemon, if it wants it.
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

  // Also where sending has failed: its last words tell why.
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
  bool ended_ = false;  // the input, within a message
};

}  // namespace

Exit carry_batch(Fd daemon, int in, const TakeOutput& out) { return Batch(std::move(daemon), in, out).run(); }

void BatchReplies::take(std::string_view bytes) {
  for (char c : bytes) {
    if (c != '\n') {
      line_ += c;
      continue;
    }
    bool transient = line_.starts_with('4');
    if ((transient || line_.starts_with('5')) && !bad_)
      bad_ = Failure{transient ? Exit::temporary : Exit::bad_data,
                     cat("the daemon answered ", still_printable(trim(line_.substr(0, line_.find('\r')))))};
    line_.clear();
  }
}

Result<void, Failure> BatchReplies::verdict() const {
  if (bad_) return std::unexpected(*bad_);
  return {};
}

}  // namespace hikyaku::sendmail
