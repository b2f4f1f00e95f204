// SPDX-License-Identifier: MIT
// The app's side of SMTP, as plain as apps are: one command, one reply, no pipelining. Shows every line to
// whoever wants to watch. For `hikyaku demo` and tests.
#pragma once

#include <functional>
#include <string>

#include "daemon/io/line_reader.h"
#include "daemon/io/stream.h"

namespace hikyaku::tryout {

class AppDialogue {
 public:
  // `show` gets "C: …" and "S: …" without line ends. The stream outlives it; `until` bounds the whole.
  using Show = std::function<void(std::string_view)>;
  AppDialogue(io::Stream& stream, io::Until until, Show show);

  struct Message {
    std::string sender;
    std::string recipient;
    std::string content;  // lines end in CR LF; dots are stuffed here
  };
  // From the greeting to QUIT. The last reply to the message is the value ("250 2.0.0 …"). Errors: the
  // stream's, and `system` with the reply where one was not as hoped for.
  Task<Result<std::string, IoError>> submit(Message message);

 private:
  Task<Result<std::string, IoError>> reply(char wanted);
  Task<Result<std::string, IoError>> say(std::string line, char wanted);
  Task<Result<std::string, IoError>> send_content(std::string content);

  io::Stream& stream_;
  io::LineReader reader_;
  io::Until until_;
  Show show_;
};

}  // namespace hikyaku::tryout
