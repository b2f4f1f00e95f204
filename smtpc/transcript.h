// SPDX-License-Identifier: MIT
// Records what is said on one connection, so that a failure can be shown with what led to it: its opening, and the
// latest mail. Written while mail flows, so it costs a copy of short lines into memory that is kept, and nothing is
// made printable before somebody has to look. Of a log-in only the mechanism's name is recorded, of a message only its size;
// replies must come in masked (secret_mask.h). Bounded, whatever the peer says.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/mail/dialogue.h"
#include "daemon/mail/smtp_reply.h"

namespace hikyaku::smtpc {

// Some lines in the order of their coming. Of too many the first and the newest stay.
class Passage {
 public:
  static constexpr std::size_t kMostLines = 60;
  static constexpr std::size_t kMostBytes = 6 * 1024;
  static constexpr std::size_t kLongestLine = 400;  // of a longer one its beginning stays

  // A line, which is its `start` and then `text`.
  void add(Duration after, mail::Speaker speaker, std::string_view start, std::string_view text = {});
  void clear();
  void append_to(std::vector<mail::Dialogue::Line>& lines) const;

 private:
  struct Mark {
    Duration after;
    std::uint16_t length;
    mail::Speaker speaker;
    bool is_cut;
  };
  void leave_out_some();

  std::string text_;  // of all lines, one behind the other
  std::vector<Mark> marks_;
  std::size_t left_out_ = 0;
};

class Transcript {
 public:
  // Begins now. The clock outlives the transcript.
  explicit Transcript(Clock& clock) : clock_(&clock), began_(clock.now()), began_wall_(clock.wall()) {}

  // One or several commands; the last line end may be missing.
  void say(std::string_view commands) { say_into(current(), commands); }
  // AUTH, or the answer to a challenge.
  void say_login(std::string_view command);
  // Commands of the next mail, which travel with the end of this one.
  void say_ahead(std::string_view commands) { say_into(ahead_, commands); }
  void hear(const mail::Reply& reply);
  // Something that nobody says. Must be printable.
  void note(std::string_view what) { current().add(age(), mail::Speaker::nobody, what); }

  // What comes from now on belongs to another mail; what the one before said is forgotten.
  void begin_mail();

  WallTime began() const { return began_wall_; }
  std::vector<mail::Dialogue::Line> lines() const;

 private:
  Duration age() const { return clock_->now() - began_; }
  Passage& current() { return mails_ == 0 ? opening_ : mail_; }
  void say_into(Passage& passage, std::string_view commands);

  Clock* clock_;
  Instant began_;
  WallTime began_wall_;
  std::uint64_t mails_ = 0;
  Passage opening_;
  Passage mail_;
  Passage ahead_;
};

}  // namespace hikyaku::smtpc
