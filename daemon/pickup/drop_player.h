// SPDX-License-Identifier: MIT
// Plays a drop to an SMTP session, as its client: one command, one reply. The session gets the last bytes
// only when the whole file has been read and its checksum is right, so no damaged mail can be committed. A
// drop is accepted as a whole or not at all. The loop's thread; reads on the pool.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "daemon/io/line_reader.h"
#include "daemon/io/loop.h"
#include "daemon/mail/smtp_reply.h"
#include "daemon/pickup/drop_file.h"

namespace hikyaku::pickup {

struct DropAccepted {};
// Not now: a 4yz reply, trouble with the disk, or the daemon is stopping.
struct DropDeferred {
  std::string why;
};
// Never: a 5yz reply, or another that would come again each time.
struct DropRefused {
  mail::Reply reply;
};
// The file is not as it was written.
struct DropBroken {
  std::string why;
};
using DropOutcome = std::variant<DropAccepted, DropDeferred, DropRefused, DropBroken>;

class DropPlayer {
 public:
  // File and stream outlive the player. `most` is the number of recipients that the session takes; `until`
  // bounds all of it.
  DropPlayer(io::Loop& loop, DropFile& file, io::Stream& session, std::size_t most, io::Until until)
      : loop_(loop), file_(file), stream_(session), most_(most), replies_(session), until_(until) {}

  // From the greeting to the reply to the content. Once.
  Task<DropOutcome> play();

  // For the bounce of a refused drop: its commands, and the beginning of its content.
  const std::vector<std::string>& commands() const { return commands_; }
  const std::string& beginning() const { return beginning_; }

 private:
  using Step = std::optional<DropOutcome>;  // an outcome ends it

  Task<Step> greet();
  Task<Step> speak_envelope();
  Task<Step> speak_content();
  Task<Step> say(std::string line);
  Task<Step> send(std::string bytes);
  Task<Step> hear();
  Task<Step> read_line(std::string& line);
  Task<Step> read_piece(std::string& piece);
  Task<Step> read_more(std::string& piece);
  Step judge(const mail::Reply& reply) const;
  Task<Step> see_the_end();
  Step take_command(const std::string& line);

  io::Loop& loop_;
  DropFile& file_;
  io::Stream& stream_;
  std::size_t most_;
  io::LineReader replies_;
  io::Until until_;
  mail::DropCommands order_;
  bool is_at_content_ = false;
  std::string read_ahead_;  // of the file
  std::size_t used_ = 0;    // of that
  std::vector<std::string> commands_;
  std::string beginning_;
};

}  // namespace hikyaku::pickup
