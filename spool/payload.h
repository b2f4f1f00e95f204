// SPDX-License-Identifier: MIT
// The heads of records as bytes: a message's envelope with its arrival, and its progress. Pure. Decoding
// takes any bytes; it returns nullopt for bytes that the encoder could not have written.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"
#include "daemon/mail/envelope.h"
#include "daemon/mail/progress.h"

namespace hikyaku::spool {

struct MessageHead {
  WallTime arrival;  // stays when the record is copied
  mail::Envelope envelope;
  bool operator==(const MessageHead&) const = default;
};

std::string encode_message_head(const MessageHead& head);
std::optional<MessageHead> decode_message_head(std::string_view bytes);

// The head of a MESSAGE that was copied, or handed over by another hikyaku: the message's, and behind it, without
// anything between, that of its newest progress.
struct FoldedHead {
  MessageHead message;
  mail::Progress progress;
  bool operator==(const FoldedHead&) const = default;
};
std::optional<FoldedHead> decode_folded_head(std::string_view bytes);
// When the mail came, of the head of any MESSAGE; zero if there is none.
WallTime decode_arrival(std::string_view bytes);
// Where the progress begins in such a head; nullopt if the head does not begin with a message's.
std::optional<std::size_t> message_head_length(std::string_view bytes);

// The least room that a progress of so many recipients needs.
constexpr std::size_t progress_room(std::size_t recipients) { return 64 + 16 * recipients; }

// At most `limit` bytes, which must be at least progress_room(): the texts of replies are
// shortened as far as needed, the states never.
std::string encode_progress(const mail::Progress& progress, std::size_t limit);
std::optional<mail::Progress> decode_progress(std::string_view bytes);

// What the index needs of a PROGRESS: its head without the recipients.
struct ProgressBrief {
  Duration next_wait{0};
  bool held = false;
  std::uint32_t attempts = 0;
  std::uint32_t reason = 0;  // mail::reason_code()
};
std::optional<ProgressBrief> decode_progress_brief(std::string_view bytes);

}  // namespace hikyaku::spool
