// SPDX-License-Identifier: MIT
#include "spool/payload.h"

#include <algorithm>

#include "daemon/mail/common_reason.h"
#include "spool/codec.h"

namespace hikyaku::spool {
namespace {

using mail::Notify;
using mail::Progress;
using mail::Recipient;

constexpr std::uint8_t kSmtputf8 = 1;
constexpr std::uint8_t kHasUid = 2;
constexpr std::uint8_t kSevenBit = 4;
constexpr std::uint8_t kNoDotLine = 8;
constexpr std::uint8_t kAllFlags = 15;
constexpr std::uint8_t kHeld = 1;
constexpr std::uint8_t kDelayNoticed = 2;
constexpr std::uint8_t kAllNotify = 15;
constexpr std::size_t kLeastRecipient = 9;  // two empty texts and the flags
constexpr std::size_t kLeastProgress = 5;   // a state and an empty text
constexpr std::uint8_t kOwesNotice = 3;     // as a state: delivered, and its sender is still to be notified

std::uint8_t to_bits(const Notify& notify) {
  return static_cast<std::uint8_t>(notify.never | notify.success << 1 | notify.failure << 2 |
                                   notify.delay << 3);
}

Notify to_notify(std::uint8_t bits) {
  return {.never = (bits & 1) != 0,
          .success = (bits & 2) != 0,
          .failure = (bits & 4) != 0,
          .delay = (bits & 8) != 0};
}

Recipient decode_recipient(Decoder& in) {
  Recipient recipient;
  recipient.address = in.text();
  recipient.orcpt = in.text();
  std::uint8_t notify = in.u8();
  if (notify > kAllNotify) in.reject();
  recipient.notify = to_notify(notify);
  return recipient;
}

std::uint8_t state_byte(const mail::RecipientProgress& recipient) {
  return recipient.owes_notice ? kOwesNotice : static_cast<std::uint8_t>(recipient.state);
}

mail::RecipientProgress decode_recipient_progress(Decoder& in) {
  mail::RecipientProgress recipient;
  std::uint8_t state = in.u8();
  recipient.owes_notice = state == kOwesNotice;
  if (state > kOwesNotice)
    in.reject();
  else
    recipient.state =
        recipient.owes_notice ? mail::RecipientState::delivered : static_cast<mail::RecipientState>(state);
  recipient.last_reply = in.text();
  return recipient;
}

// The longest reply text that may be kept so that all fit into `room` beside everything else.
std::size_t reply_limit(const Progress& progress, std::size_t room) {
  std::size_t total = 0;
  for (const auto& recipient : progress.recipients) total += recipient.last_reply.size();
  if (total <= room || progress.recipients.empty()) return total;
  return room / progress.recipients.size();
}

Encoder encode_fixed_part(const Progress& progress, std::size_t text_limit) {
  Encoder out;
  out.i64(progress.next_wait.count());
  out.u8(
      static_cast<std::uint8_t>((progress.held ? kHeld : 0) | (progress.delay_noticed ? kDelayNoticed : 0)));
  out.i64(progress.waited.count()).u32(progress.attempts);
  out.text(std::string_view(progress.reason).substr(0, text_limit));
  out.text(std::string_view(progress.smarthost).substr(0, text_limit));
  out.u32(static_cast<std::uint32_t>(progress.recipients.size()));
  return out;
}

std::optional<MessageHead> decode_message(Decoder& in) {
  MessageHead head;
  head.arrival = WallTime(Duration(in.i64()));
  std::uint8_t ret = in.u8();
  std::uint8_t body = in.u8();
  std::uint8_t flags = in.u8();
  if (ret > 2 || body > 2 || flags > kAllFlags) return std::nullopt;
  head.envelope.ret = static_cast<mail::Ret>(ret);
  head.envelope.body = static_cast<mail::Body>(body);
  head.envelope.smtputf8 = (flags & kSmtputf8) != 0;
  head.envelope.traits = {.is_seven_bit = (flags & kSevenBit) != 0,
                          .has_no_dot_line = (flags & kNoDotLine) != 0};
  if ((flags & kHasUid) != 0) head.envelope.uid = in.u32();
  head.envelope.sender = in.text();
  head.envelope.envid = in.text();
  std::size_t recipients = in.count(kLeastRecipient);
  head.envelope.recipients.reserve(recipients);
  while (recipients-- > 0) head.envelope.recipients.push_back(decode_recipient(in));
  if (!in.ok()) return std::nullopt;
  return head;
}

std::uint8_t flags_of(const mail::Envelope& envelope) {
  return static_cast<std::uint8_t>((envelope.smtputf8 ? kSmtputf8 : 0) | (envelope.uid ? kHasUid : 0) |
                                   (envelope.traits.is_seven_bit ? kSevenBit : 0) |
                                   (envelope.traits.has_no_dot_line ? kNoDotLine : 0));
}

}  // namespace

std::string encode_message_head(const MessageHead& head) {
  const mail::Envelope& envelope = head.envelope;
  Encoder out;
  out.i64(head.arrival.time_since_epoch().count());
  out.u8(static_cast<std::uint8_t>(envelope.ret)).u8(static_cast<std::uint8_t>(envelope.body));
  out.u8(flags_of(envelope));
  if (envelope.uid) out.u32(*envelope.uid);
  out.text(envelope.sender).text(envelope.envid);
  out.u32(static_cast<std::uint32_t>(envelope.recipients.size()));
  for (const Recipient& recipient : envelope.recipients)
    out.text(recipient.address).text(recipient.orcpt).u8(to_bits(recipient.notify));
  return out.take();
}

std::optional<MessageHead> decode_message_head(std::string_view bytes) {
  Decoder in(bytes);
  auto head = decode_message(in);
  return in.is_at_end() ? head : std::nullopt;
}

WallTime decode_arrival(std::string_view bytes) { return WallTime(Duration(Decoder(bytes).i64())); }

std::optional<std::size_t> message_head_length(std::string_view bytes) {
  Decoder in(bytes);
  if (!decode_message(in)) return std::nullopt;
  return bytes.size() - in.left();
}

std::optional<FoldedHead> decode_folded_head(std::string_view bytes) {
  Decoder in(bytes);
  auto message = decode_message(in);
  if (!message) return std::nullopt;
  auto progress = decode_progress(bytes.substr(bytes.size() - in.left()));
  if (!progress || progress->recipients.size() != message->envelope.recipients.size()) return std::nullopt;
  return FoldedHead{std::move(*message), std::move(*progress)};
}

std::string encode_progress(const Progress& progress, std::size_t limit) {
  constexpr std::size_t kFixed = 33;  // all but the texts and the recipients
  std::size_t states = kFixed + progress.recipients.size() * kLeastProgress;
  std::size_t room = limit > states ? limit - states : 0;
  Encoder out = encode_fixed_part(progress, room / 4);
  std::size_t longest = reply_limit(progress, room / 2);
  for (const mail::RecipientProgress& recipient : progress.recipients) {
    out.u8(state_byte(recipient));
    out.text(std::string_view(recipient.last_reply).substr(0, longest));
  }
  return out.take();
}

std::optional<Progress> decode_progress(std::string_view bytes) {
  Decoder in(bytes);
  Progress progress;
  progress.next_wait = Duration(in.i64());
  std::uint8_t flags = in.u8();
  progress.held = (flags & kHeld) != 0;
  progress.delay_noticed = (flags & kDelayNoticed) != 0;
  progress.waited = Duration(in.i64());
  progress.attempts = in.u32();
  progress.reason = in.text();
  progress.smarthost = in.text();
  progress.recipients.resize(in.count(kLeastProgress));
  for (mail::RecipientProgress& recipient : progress.recipients) recipient = decode_recipient_progress(in);
  if (!in.ok() || !in.is_at_end() || flags > (kHeld | kDelayNoticed)) return std::nullopt;
  return progress;
}

std::optional<ProgressBrief> decode_progress_brief(std::string_view bytes) {
  Decoder in(bytes);
  ProgressBrief brief;
  brief.next_wait = Duration(in.i64());
  brief.held = (in.u8() & kHeld) != 0;
  in.i64();  // waited
  brief.attempts = in.u32();
  const std::string_view reason = in.text();
  const std::string_view smarthost = in.text();
  brief.reason = mail::reason_code(reason, smarthost);
  if (!in.ok()) return std::nullopt;
  return brief;
}

}  // namespace hikyaku::spool
