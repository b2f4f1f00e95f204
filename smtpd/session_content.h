// SPDX-License-Identifier: MIT
// A session's DATA (RFC 5321 4.1.1.4) and BDAT (RFC 3030): takes a message's content from the connection into
// a Reception, and answers when it is on stable storage. No line of a message may become a command. Loop
// thread; refers to the session's conversation.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"
#include "daemon/mail/dot_stuffing.h"
#include "daemon/mail/received.h"
#include "daemon/mail/smtp_command.h"
#include "smtpd/conversation.h"

namespace hikyaku::smtpd {

// The data-rate limit: how long to wait for the next piece of content. Each wait has a timeout, and there is a
// minimum rate on average, so that a client cannot hold a session with one byte now and then. Pure.
class Pace {
 public:
  // `timeout` is the longest single wait, and the time before the average counts.
  Pace(Instant start, Duration timeout, std::uint64_t bytes_per_second)
      : start_(start), timeout_(timeout), rate_(bytes_per_second) {}

  void came(std::size_t bytes) { bytes_ += bytes; }
  // Time that was ours, not the client's: a slow disk, a used-up memory budget.
  void forgive(Duration time) { start_ += time; }

  Instant deadline(Instant now) const {
    auto earned = std::chrono::seconds(static_cast<std::int64_t>(bytes_ / rate_));
    return std::min(now + timeout_, start_ + timeout_ + earned);
  }

 private:
  Instant start_;
  Duration timeout_;
  std::uint64_t rate_;
  std::uint64_t bytes_ = 0;
};

class SessionContent {
 public:
  explicit SessionContent(Conversation& talk) : talk_(talk) {}
  Task<void> data();
  Task<void> chunk(mail::command::Bdat chunk);

 private:
  Task<bool> waits_for_replies();
  Result<std::unique_ptr<Reception>, Reply> open_reception();
  std::optional<Reply> open_bdat();
  std::string received(mail::MailId id) const;
  mail::SessionTraits traits(const mail::Envelope& envelope) const;
  mail::LineMode line_mode();
  Task<void> receive_data(Reception& reception);
  Task<void> receive_chunk(std::uint64_t size);
  Task<Result<std::string_view, IoError>> next_piece(const Pace& pace);
  void came(std::size_t bytes, Pace& pace);
  Task<void> hand_over(Reception& reception, std::string_view content, const mail::ContentNotes& notes,
                       Pace& pace);
  Task<void> conclude(Reception& reception);
  void report(const Reception& reception, const mail::Envelope& envelope);

  Conversation& talk_;
  mail::Canonicaliser chunks_;  // line ends of a message that comes in chunks
};

}  // namespace hikyaku::smtpd
