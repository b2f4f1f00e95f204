// SPDX-License-Identifier: MIT
#include "smtpd/session_content.h"

#include <algorithm>
#include <utility>

#include "daemon/base/random.h"
#include "daemon/mail/received.h"
#include "smtpd/replies.h"

namespace hikyaku::smtpd {
namespace {

constexpr std::size_t kPiece = 16 * 1024;  // of what is copied

}  // namespace

// RFC 2920: nothing may follow DATA unasked. Where it does although DATA was refused, a message comes whether
// we want it or not, and its lines must not be taken for commands.
Task<void> SessionContent::data() {
  bool may_go_on = co_await waits_for_replies();
  if (!may_go_on) co_return;
  auto reception = open_reception();
  if (!reception) {
    talk_.refuse("DATA", reception.error());
    talk_.behind_refused_data = true;
    if (!talk_.ended && talk_.channel.has_input()) talk_.end_at_body();
    co_return;
  }
  talk_.say(replies::send_content());
  co_await receive_data(**reception);
  if (!talk_.ended) co_await conclude(**reception);
}

// The second DATA behind a refused one may be a line of the first one's message, and so may what came
// between. A client that sends content before our 354 does not wait for replies; a message that consists
// of commands ends here.
Task<bool> SessionContent::waits_for_replies() {
  if (!std::exchange(talk_.behind_refused_data, false)) co_return true;
  auto early = co_await talk_.channel.some(
      talk_.context.loop.within(talk_.options->deadlines.unasked, &talk_.context.stop.hard));
  if (early) {
    talk_.end_at_body();
  } else if (early.error().kind != IoErrorKind::timeout) {
    talk_.lost(early.error());
  }
  co_return !talk_.ended;
}

Result<std::unique_ptr<Reception>, Reply> SessionContent::open_reception() {
  if (talk_.bdat) return std::unexpected(replies::inside_bdat());
  if (auto refusal = talk_.transaction.refusal_of_content()) return std::unexpected(*refusal);
  auto refusal = talk_.hook(Stage::data, {});
  const auto& handover = talk_.transaction.handover();
  auto writer = handover ? talk_.context.sink.begin_handed_over(*handover) : talk_.context.sink.begin();
  if (!refusal && !writer) refusal = replies::from(writer.error());
  if (refusal) {
    talk_.clear();
    return std::unexpected(*refusal);
  }
  WallTime now = talk_.context.loop.clock().wall();
  if (talk_.options->written) now = std::min(now, *talk_.options->written);
  mail::IntakeOptions intake{.domain = talk_.options->domain,
                             .sender = talk_.transaction.envelope().sender,
                             .message_id = mail::make_message_id(now, random_token(12), talk_.options->domain,
                                                                 talk_.options->hostname),
                             .now = now,
                             .masquerade = talk_.options->masquerade,
                             .as_it_is = handover.has_value()};
  std::string top = received((*writer)->id());
  return std::make_unique<Reception>(std::move(*writer), std::move(top), std::move(intake),
                                     talk_.options->limits);
}

std::string SessionContent::received(mail::MailId id) const {
  const mail::Envelope& envelope = talk_.transaction.envelope();
  std::string text = to_text(id);
  mail::ReceivedFacts facts;
  facts.helo = talk_.client.helo;
  if (talk_.client.address) facts.client = talk_.client.address->address;
  facts.uid = talk_.client.uid;
  facts.account = talk_.client.account;
  facts.hostname = talk_.options->hostname;
  facts.id = text;
  facts.traits = traits(envelope);
  if (envelope.recipients.size() == 1) facts.only_recipient = envelope.recipients.front().address;
  facts.now = talk_.context.loop.clock().wall();
  return mail::received_field(facts);
}

mail::SessionTraits SessionContent::traits(const mail::Envelope& envelope) const {
  return {.esmtp = talk_.said_ehlo,
          .tls = talk_.channel.tls() != nullptr,
          .authenticated = !talk_.client.user.empty(),
          .smtputf8 = envelope.smtputf8};
}

// Decided by the line end of DATA itself. One CR LF earlier shows that the client knows the standard's line
// end, so that a bare LF now comes from somebody else: from a body that wants to be commands.
mail::LineMode SessionContent::line_mode() {
  if (talk_.line_end == io::LineEnd::crlf || talk_.spoke_crlf) return mail::LineMode::crlf;
  talk_.context.observer.odd(talk_.client, Oddity::lf_session);
  return mail::LineMode::lf;
}

Task<void> SessionContent::receive_data(Reception& reception) {
  mail::DataDecoder decoder(line_mode());
  Pace pace(talk_.context.loop.now(), talk_.options->deadlines.data_block,
            talk_.options->limits.min_data_rate);
  while (!decoder.is_done()) {
    auto piece = co_await next_piece(pace);
    if (!piece) co_return talk_.lost(piece.error());
    const std::size_t passed = decoder.pass(*piece);
    if (passed > 0) {
      co_await hand_over(reception, piece->substr(0, passed), decoder.notes(), pace);
      came(passed, pace);
      continue;
    }
    std::string content;  // not kept while we wait for more
    auto fed = decoder.feed(piece->substr(0, kPiece), content);
    came(fed.consumed, pace);
    co_await hand_over(reception, content, decoder.notes(), pace);
  }
}

void SessionContent::came(std::size_t bytes, Pace& pace) {
  talk_.channel.consume(bytes);
  pace.came(bytes);
}

// A view that holds until the next call; follow with consume().
Task<Result<std::string_view, IoError>> SessionContent::next_piece(const Pace& pace) {
  io::Until until{pace.deadline(talk_.context.loop.now()), &talk_.context.stop.hard};
  auto bytes = co_await talk_.channel.some(until);
  co_return bytes;
}

Task<void> SessionContent::hand_over(Reception& reception, std::string_view content,
                                     const mail::ContentNotes& notes, Pace& pace) {
  Instant before = talk_.context.loop.now();
  co_await reception.take(content, notes);
  pace.forgive(talk_.context.loop.now() - before);
}

Task<void> SessionContent::chunk(mail::command::Bdat chunk) {
  auto refusal = open_bdat();
  co_await receive_chunk(chunk.size);  // wanted or not: these octets are no commands
  if (talk_.ended) co_return;
  if (!refusal) refusal = talk_.bdat->refusal();
  if (refusal) {
    if (talk_.bdat) talk_.named_size = talk_.bdat->size();
    talk_.clear();
    co_return talk_.refuse("BDAT", *refusal);
  }
  if (!chunk.last) co_return talk_.say(replies::chunk_ok());
  std::string rest;
  chunks_.finish(rest);
  co_await talk_.bdat->take(rest, chunks_.notes());
  auto reception = std::move(talk_.bdat);
  co_await conclude(*reception);
}

std::optional<Reply> SessionContent::open_bdat() {
  if (talk_.bdat) return std::nullopt;
  auto reception = open_reception();
  if (!reception) return reception.error();
  talk_.bdat = std::move(*reception);
  chunks_ = mail::Canonicaliser();
  return std::nullopt;
}

Task<void> SessionContent::receive_chunk(std::uint64_t size) {
  Pace pace(talk_.context.loop.now(), talk_.options->deadlines.data_block,
            talk_.options->limits.min_data_rate);
  while (size > 0) {
    auto piece = co_await next_piece(pace);
    if (!piece) co_return talk_.lost(piece.error());
    piece = piece->substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(size, piece->size())));
    const std::size_t passed = talk_.bdat ? chunks_.pass(*piece) : piece->size();
    if (passed > 0) {
      if (talk_.bdat) co_await hand_over(*talk_.bdat, piece->substr(0, passed), chunks_.notes(), pace);
      came(passed, pace);
      size -= passed;
      continue;
    }
    const std::size_t taken = std::min(piece->size(), kPiece);
    std::string content;
    chunks_.feed(piece->substr(0, taken), content);
    came(taken, pace);
    size -= taken;
    co_await hand_over(*talk_.bdat, content, chunks_.notes(), pace);
  }
}

// Whatever comes of it, the transaction is over before the reply is.
Task<void> SessionContent::conclude(Reception& reception) {
  mail::Envelope envelope = talk_.transaction.take_envelope();
  [[maybe_unused]] auto room = std::move(talk_.room);
  talk_.clear();
  if (reception.notes().has_8bit) envelope.body = mail::Body::eight_bit_mime;
  auto unwanted = talk_.hook(Stage::message, {});
  if (unwanted) reception.refuse(*unwanted);
  Reply reply = co_await reception.finish(envelope);
  if (reply.is_positive()) {
    report(reception, envelope);
    talk_.say(reply);
  } else {
    talk_.named_size = reception.size();
    talk_.refuse("message", reply);
  }
  talk_.named_sender.reset();
}

void SessionContent::report(const Reception& reception, const mail::Envelope& envelope) {
  std::string fixed = reception.fixed();
  talk_.context.observer.accepted(talk_.client, {.id = reception.id(),
                                                 .envelope = envelope,
                                                 .size = reception.stored_size(),
                                                 .protocol = mail::with_protocol(traits(envelope)),
                                                 .fixed = fixed});
  if (reception.notes().repaired) talk_.context.observer.odd(talk_.client, Oddity::bare_line_end);
  talk_.accepted_now = true;
  talk_.errors = 0;
  talk_.commands = 0;
}

}  // namespace hikyaku::smtpd
