// SPDX-License-Identifier: MIT
// Commands out, replies in, over one connection. Knows no command's meaning. It bounds every reply (64 KiB, a
// deadline for the whole of it), notices replies that nobody asked for, and looks for a last word of the peer
// before it reports that writing failed. After an error nothing more can be asked on the connection. Replies
// enter here, so here they lose what repeats a secret (secret_mask.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/io/line_reader.h"
#include "daemon/io/loop.h"
#include "daemon/mail/smtp_reply.h"
#include "smtpc/secret_mask.h"

namespace hikyaku::smtpc {

struct ExchangeError {
  std::optional<IoErrorKind> io;  // nothing: the peer broke the protocol
  std::string text;               // plain words; peer's bytes in it are made printable
};

class Exchange {
 public:
  // `loop` and `cancel` outlive it; `cancel` may be null.
  Exchange(io::Loop& loop, io::StreamPtr stream, io::Cancel* cancel, SecretMask mask = {});

  // One command, without its line end, and its reply.
  Task<Result<mail::Reply, ExchangeError>> ask(std::string_view command, Duration limit);
  // The same for AUTH and what answers its challenges: a 334 is for the mechanism alone, and keeps what looks
  // like the password (the question "Password:" may).
  Task<Result<mail::Reply, ExchangeError>> ask_for_login(std::string_view command, Duration limit);
  // Lines, whatever they are, and the one reply to them.
  Task<Result<mail::Reply, ExchangeError>> converse(std::string_view bytes, Duration limit);
  // Complete lines, or a part of a message. Fails only if the peer has said something before that was not
  // asked for; an error of writing is kept for reply(), which may still find an answer.
  Task<Result<void, ExchangeError>> send(std::string_view bytes, Duration limit);
  // The next reply.
  Task<Result<mail::Reply, ExchangeError>> reply(Duration limit);

  // Says that no more comes from us.
  Task<Result<void, IoError>> shut_down(Duration limit) { return stream_->shut_down(within(limit)); }

  // Until there is something to read, without reading it. For the greeting.
  Task<Result<void, IoError>> wait_for_bytes(io::Until until);
  // Whether there is something to read (or the end of it) this very moment: true is bad news wherever nothing
  // is due.
  Task<bool> has_unread();
  // What else came from the peer and is to be shown, without secrets.
  std::string masked(std::string_view text) const { return mask_.masked(text); }
  // What has been read and belongs to no reply yet. As it came.
  std::string_view unread() const { return reader_.buffered(); }

  // Nothing more can be said; perhaps something can still be heard.
  bool is_broken() const { return ended_ || write_error_.has_value(); }
  // Nothing more can be heard: the peer has said 421 or nonsense, has gone, or was given up.
  bool has_ended() const { return ended_; }
  // Whoever owns it hangs up.
  void give_up() { ended_ = true; }
  bool has_write_failed() const { return write_error_.has_value(); }
  io::Until within(Duration limit) const { return loop_.within(limit, cancel_); }
  const io::Stream* stream() const { return stream_.get(); }

  // For the TLS handshake: takes the connection out, and puts another one in. Nothing may be unread.
  io::StreamPtr take_stream();
  void put_stream(io::StreamPtr stream);

 private:
  Task<Result<void, ExchangeError>> expect_silence();
  Task<Result<mail::Reply, ExchangeError>> next_reply(Duration limit);
  Task<Result<mail::Reply, ExchangeError>> read_reply(io::Until until);
  std::string quote(std::string_view line) const;
  std::unexpected<ExchangeError> break_off(std::string text);
  std::unexpected<ExchangeError> break_off(const IoError& error);

  io::Loop& loop_;
  io::StreamPtr stream_;
  io::LineReader reader_;
  io::Cancel* cancel_;
  SecretMask mask_;
  std::optional<IoError> write_error_;
  std::optional<mail::Reply> early_;  // a 421 that came before the command
  bool ended_ = false;
};

}  // namespace hikyaku::smtpc
