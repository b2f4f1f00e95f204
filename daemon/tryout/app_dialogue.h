// SPDX-License-Identifier: MIT
// An application's side of SMTP, as simple as applications are: one command, one reply, no pipelining. Passes
// every line to a callback. For `hikyaku demo` and tests.
#pragma once

#include <functional>
#include <string>

#include "daemon/io/line_reader.h"
#include "daemon/io/stream.h"

namespace hikyaku::tryout {

class AppDialogue {
 public:
  // `show` receives "C: …" and "S: …" without line ends. The stream must outlive this object; `until` bounds
  // the whole dialogue.
  using Show = std::function<void(std::string_view)>;
  AppDialogue(io::Stream& stream, io::Until until, Show show);

  struct Message {
    std::string sender;
    std::string recipient;
    std::string content;  // lines end in CR LF; dots are stuffed here
  };
  // Runs from the greeting to QUIT. Returns the reply to the message ("250 2.0.0 …"). Errors: the stream's,
  // and `system` with the reply if the server refused a command.
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
