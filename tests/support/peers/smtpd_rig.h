// SPDX-License-Identifier: MIT
// A server session over an in-memory connection, a sink that remembers, simulated time, and a client whose
// words the test chooses. The clock jumps to the next deadline whenever both sides wait.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/io/line_reader.h"
#include "daemon/io/memory_stream.h"
#include "daemon/io/nursery.h"
#include "smtpd/session.h"
#include "tests/support/memory_sink.h"

namespace hikyaku::test {

// Keeps each event as a line: "accepted 1 from=<a@b> to=<c@d> size=12 ESMTP fixed=date", "rejected RCPT
// 503 5.5.1 … helo=app from=<a@b> size=12", "odd lf-session".
class RecordingObserver final : public smtpd::Observer {
 public:
  void accepted(const smtpd::Client& client, const smtpd::Accepted& what) override;
  void rejected(const smtpd::Client& client, const smtpd::Rejected& what) override;
  void odd(const smtpd::Client& client, smtpd::Oddity oddity) override;
  void broke_down(const std::string& what) override;

  bool saw(std::string_view line_start) const;
  std::vector<std::string> lines;
};

// The client's end.
class TestClient {
 public:
  TestClient(io::Loop& loop, io::StreamPtr stream)
      : loop_(loop), stream_(std::move(stream)), reader_(*stream_) {}

  Task<bool> send(std::string bytes);       // false: the server has closed
  Task<void> finish();                      // half-closes
  Task<std::optional<std::string>> line();  // without its line end; nothing at the end of the connection
  Task<std::string> reply();  // a whole reply, lines joined by "\n", without the last line end; "" at the end
  Task<std::string> rest();   // everything until the end of the connection
  io::StreamPtr take_stream() { return std::move(stream_); }  // nothing may be buffered

 private:
  io::Loop& loop_;
  io::StreamPtr stream_;
  io::LineReader reader_;
};

class SmtpdRig {
 public:
  SmtpdRig();

  // Changes apply to sessions that begin later.
  smtpd::SessionOptions options;
  io::MemoryPairOptions wire;

  ManualClock clock;
  io::Loop loop{clock};
  MemorySink sink{loop};
  RecordingObserver observer;
  smtpd::Stop stop;
  io::Nursery nursery{loop};

  // Begins a session and gives its client.
  TestClient connect();
  // Sends all of it in one write, half-closes, and gives what the server said but for the greeting.
  std::string burst(std::string bytes);
  // The only mail that was stored, without the Received field that the server put on top; "" and a failed
  // check else.
  std::string only_content() const;

 private:
  Task<std::string> burst_task(std::string bytes);
};

// Without its first field, which must be ours.
std::string below_received(const std::string& content);

}  // namespace hikyaku::test
