// SPDX-License-Identifier: MIT
// The connection as the dialogue sees it: lines and blocks in, replies out. Replies are gathered, and written
// in one piece before we wait for the client and not sooner: a pipelined group gets one segment back, and we
// never wait for a client that waits for us. Owns the stream. Suspends in everything that says Task.
#pragma once

#include <string>

#include "daemon/io/line_reader.h"
#include "daemon/io/loop.h"
#include "daemon/io/tls.h"
#include "smtpd/observer.h"
#include "smtpd/options.h"
#include "smtpd/replies.h"

namespace hikyaku::smtpd {

class Channel {
 public:
  // `options` and `hard` outlive this; `hard` ends every wait.
  Channel(io::Loop& loop, io::StreamPtr stream, const SessionOptions& options, io::Cancel& hard);

  void say(const Reply& reply);

  // Like LineReader's functions, but pending replies are flushed before blocking.
  Task<Result<io::Line, IoError>> line(std::size_t limit, io::Until until);
  Task<Result<void, IoError>> skip_line(std::size_t limit, io::Until until);
  Task<Result<std::string_view, IoError>> some(io::Until until);
  void consume(std::size_t bytes) { reader_.consume(bytes); }
  // Whether the client has sent more than was read.
  bool has_input() const { return !reader_.is_empty(); }

  // Flushes pending replies, then performs the handshake. After a failure the connection is closed.
  // has_input() must be false.
  Task<Result<void, IoError>> start_tls(io::TlsServer& server);
  const io::TlsInfo* tls() const { return stream_ ? stream_->tls() : nullptr; }
  Client client() const;  // the peer, as far as the connection identifies it

  // The end: the last replies, a moment for the client to close, FIN, and then what the client still writes is
  // read for a while: closing over unread bytes would send an RST, which can overtake our last reply.
  Task<void> farewell();

 private:
  Task<IoError> drop_input(std::size_t& left, io::Until until);
  Task<Result<void, IoError>> flush();
  Task<Result<void, IoError>> flush_unless(bool has_what_is_wanted);

  io::Loop& loop_;
  io::StreamPtr stream_;  // nullptr after a failed handshake
  io::LineReader reader_;
  const SessionOptions& options_;
  io::Cancel& hard_;
  std::string unsent_;
  bool is_deaf_ = false;  // writing to the peer has failed
};

}  // namespace hikyaku::smtpd
