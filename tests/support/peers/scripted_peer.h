// SPDX-License-Identifier: MIT
// The other side of a dialogue, played from a script: a server for the client under test. A script is lines,
// blanks before them ignored:
//
//   S: 220 mx.example ready    sends the line; several S in a row leave in one write
//   R: 250-x\r\n250 y          sends these bytes as they are, with \r \n \0 \\ ; joins S in one write
//   C: EHLO client.example     expects exactly this line, with CR LF
//   C* AUTH PLAIN              expects a line that begins so
//   D:                         reads content up to the final dot; contents() has it as it came
//   B 25                       reads so many bytes of content (BDAT); contents() has them
//   TLS                        shakes hands as the server (give a TlsServer)
//   SLEEP 60                   seconds
//   CLOSE                      hangs up
//
// At its end it reads on until the client hangs up; whatever the client still says is a problem. So is
// anything that was not expected. One thread, the loop's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/io/line_reader.h"
#include "daemon/io/loop.h"
#include "daemon/io/tls.h"

namespace hikyaku::test {

class ScriptedPeer {
 public:
  ScriptedPeer(io::Loop& loop, std::string script, std::shared_ptr<io::TlsServer> tls = nullptr);

  // Plays the script once. The peer outlives it.
  Task<void> play(io::StreamPtr stream);

  const std::string& problem() const { return problem_; }  // empty: the dialogue was as the script has it
  const std::vector<std::string>& heard() const { return heard_; }  // the client's lines, without their ends
  const std::vector<std::string>& contents() const { return contents_; }  // with the final dot's line

 private:
  struct Step {
    enum Kind { send, expect, expect_prefix, content, chunk, tls, sleep, close } kind;
    std::string text;
  };
  static std::vector<Step> parse(const std::string& script);
  Task<bool> take(const Step& step);
  Task<bool> expect(const Step& step);
  Task<bool> read_content();
  Task<bool> read_chunk(std::size_t size);
  Task<bool> shake_hands();
  Task<void> hear_to_the_end();
  bool fail(std::string what);

  io::Loop& loop_;
  std::vector<Step> steps_;
  std::shared_ptr<io::TlsServer> tls_;
  io::StreamPtr stream_;
  std::unique_ptr<io::LineReader> reader_;
  std::string problem_;
  std::vector<std::string> heard_;
  std::vector<std::string> contents_;
};

}  // namespace hikyaku::test
