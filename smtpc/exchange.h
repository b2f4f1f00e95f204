// SPDX-License-Identifier: MIT
// Commands out, replies in, over one connection. Knows no command's meaning. Bounds every reply (64 KiB, and
// a deadline for all of it), notices unexpected replies, and looks for a last reply of the peer before it
// reports that writing failed. After an error no further command can be sent on the connection. Secrets that
// the peer repeats are removed here, where replies enter (secret_mask.h). Whatever passes is recorded (transcript.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/io/line_reader.h"
#include "daemon/io/loop.h"
#include "daemon/mail/smtp_reply.h"
#include "smtpc/secret_mask.h"
#include "smtpc/transcript.h"

namespace hikyaku::smtpc {

struct ExchangeError {
  std::optional<IoErrorKind> io;  // nullopt: the peer broke the protocol
  std::string text;               // plain words; the peer's bytes are made printable
};

class Exchange {
 public:
  // `loop` and `cancel` outlive the exchange; `cancel` may be null.
  Exchange(io::Loop& loop, io::StreamPtr stream, io::Cancel* cancel, SecretMask mask = {});

  // One command, without its line end, and its reply.
  Task<Result<mail::Reply, ExchangeError>> ask(std::string_view command, Duration limit);
  // The same for AUTH and the answers to its challenges: a 334 is for the mechanism alone, so it is not
  // masked (the question "Password:" may look like the password).
  Task<Result<mail::Reply, ExchangeError>> ask_for_login(std::string_view command, Duration limit);
  // Sends complete commands. Fails only if an unexpected reply came before; an error of writing is kept for
  // reply(), which may still find an answer.
  Task<Result<void, ExchangeError>> say(std::string_view commands, Duration limit);
  // The same of a part of a message, or of what is on record already.
  Task<Result<void, ExchangeError>> send(std::string_view bytes, Duration limit);
  // The next reply.
  Task<Result<mail::Reply, ExchangeError>> reply(Duration limit);

  // Ends our direction of the connection.
  Task<Result<void, IoError>> shut_down(Duration limit) { return stream_->shut_down(within(limit)); }

  // Waits until there is something to read, without reading it. For the greeting.
  Task<Result<void, IoError>> wait_for_bytes(io::Until until);
  // Whether there is something to read (or the end of the stream) at this moment: bad news wherever no reply
  // is due.
  Task<bool> has_unread();
  // Any other text from the peer that is to be shown, without secrets.
  std::string masked(std::string_view text) const;
  // From now on this is a secret too.
  void hide(const Secret& token);
  // What has been read and belongs to no reply yet; not masked.
  std::string_view unread() const { return reader_.buffered(); }

  // No more can be sent; perhaps a reply can still be read.
  bool is_broken() const { return ended_ || write_error_.has_value(); }
  // No more can be read: the peer sent 421 or nonsense, hung up, or was given up.
  bool has_ended() const { return ended_; }
  // No more is sent or read; the owner then hangs up.
  void give_up() { ended_ = true; }
  bool has_write_failed() const { return write_error_.has_value(); }
  io::Until within(Duration limit) const { return loop_.within(limit, cancel_); }
  const io::Stream* stream() const { return stream_.get(); }
  Transcript& transcript() { return transcript_; }
  const Transcript& transcript() const { return transcript_; }

  // For the TLS handshake: take the connection out, and put another one in. There must be no unread bytes.
  io::StreamPtr take_stream();
  void put_stream(io::StreamPtr stream);

 private:
  Task<Result<void, ExchangeError>> expect_silence();
  Task<Result<mail::Reply, ExchangeError>> next_reply(Duration limit);
  Task<Result<mail::Reply, ExchangeError>> read_reply(io::Until until);
  mail::Reply masked(mail::Reply reply) const;
  std::string quote(std::string_view line) const;
  std::unexpected<ExchangeError> break_off(std::string text);
  std::unexpected<ExchangeError> break_off(const IoError& error);

  io::Loop& loop_;
  io::StreamPtr stream_;
  io::LineReader reader_;
  io::Cancel* cancel_;
  std::vector<SecretMask> masks_;
  Transcript transcript_;
  std::optional<IoError> write_error_;
  std::optional<mail::Reply> early_;  // a 421 that came before the command
  bool ended_ = false;
};

}  // namespace hikyaku::smtpc
