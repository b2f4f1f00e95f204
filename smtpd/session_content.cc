// SPDX-License-Identifier: MIT
// DATA (RFC 5321 4.1.1.4) and BDAT (RFC 3030).
#include <algorithm>
#include <utility>

#include "daemon/base/random.h"
#include "daemon/mail/message_id.h"
#include "smtpd/replies.h"
#include "smtpd/session.h"

namespace hikyaku::smtpd {
namespace {

constexpr std::size_t kPiece = 16 * 1024;

}  // namespace

// RFC 2920: nothing may follow DATA unasked. Where it does although DATA was refused, a message comes whether
// we want it or not, and its lines must not be taken for commands.
Task<void> Session::obey(mail::command::Data) {
  bool may_go_on = co_await waits_for_replies();
  if (!may_go_on) co_return;
  auto reception = open_reception();
  if (!reception) {
    refuse("DATA", reception.error());
    behind_refused_data_ = !bdat_;  // who sends chunks has no message for DATA
    if (!ended_ && channel_.has_input()) end_at_body();
    co_return;
  }
  say(replies::send_content());
  co_await receive_data(**reception);
  if (!ended_) co_await conclude(**reception);
}

// The second DATA behind a refused one may be a line of the first one's message, and so may what came
// between. Whoever sends content before our 354 does not listen; a message of commands ends here.
Task<bool> Session::waits_for_replies() {
  if (!std::exchange(behind_refused_data_, false)) co_return true;
  auto early = co_await channel_.some(around_.loop.within(options_->deadlines.unasked, &around_.stop.hard));
  if (early) {
    end_at_body();
  } else if (early.error().kind != IoErrorKind::timeout) {
    lost(early.error());
  }
  co_return !ended_;
}

Result<std::unique_ptr<Reception>, Reply> Session::open_reception() {
  if (bdat_) return std::unexpected(replies::inside_bdat());
  if (auto refusal = transaction_.refusal_of_content()) return std::unexpected(*refusal);
  auto refusal = hook(Stage::data, {});
  auto writer = around_.sink.begin();
  if (!refusal && !writer) refusal = replies::from(writer.error());
  if (refusal) {
    clear();
    return std::unexpected(*refusal);
  }
  WallTime now = around_.loop.clock().wall();
  if (options_->written) now = std::min(now, *options_->written);
  mail::IntakeOptions intake{
      options_->domain, transaction_.envelope().sender,
      mail::make_message_id(now, random_token(12), options_->domain, options_->hostname), now};
  std::string top = received((*writer)->id());
  return std::make_unique<Reception>(std::move(*writer), std::move(top), std::move(intake), options_->limits);
}

std::string Session::received(mail::MailId id) const {
  const mail::Envelope& envelope = transaction_.envelope();
  std::string text = to_text(id);
  mail::ReceivedFacts facts;
  facts.helo = client_.helo;
  if (client_.address) facts.client = client_.address->address;
  facts.uid = client_.uid;
  facts.account = client_.account;
  facts.hostname = options_->hostname;
  facts.id = text;
  facts.traits = traits(envelope);
  if (envelope.recipients.size() == 1) facts.only_recipient = envelope.recipients.front().address;
  facts.now = around_.loop.clock().wall();
  return mail::received_field(facts);
}

mail::SessionTraits Session::traits(const mail::Envelope& envelope) const {
  return {.esmtp = said_ehlo_,
          .tls = channel_.tls() != nullptr,
          .authenticated = !client_.user.empty(),
          .smtputf8 = envelope.smtputf8};
}

// Decided by the line end of DATA itself. One CR LF earlier shows that the client knows the standard's line
// end, so that a bare LF now comes from somebody else: from a body that wants to be commands.
mail::LineMode Session::line_mode() {
  if (line_end_ == io::LineEnd::crlf || spoke_crlf_) return mail::LineMode::crlf;
  around_.observer.odd(client_, Oddity::lf_session);
  return mail::LineMode::lf;
}

Task<void> Session::receive_data(Reception& reception) {
  mail::DataDecoder decoder(line_mode());
  Pace pace(around_.loop.now(), options_->deadlines.data_block, options_->limits.min_data_rate);
  while (!decoder.is_done()) {
    auto piece = co_await next_piece(pace);
    if (!piece) co_return lost(piece.error());
    std::string content;  // not kept while we wait for more
    auto fed = decoder.feed(*piece, content);
    channel_.consume(fed.consumed);
    pace.came(fed.consumed);
    co_await hand_over(reception, content, decoder.notes(), pace);
  }
}

// A view that holds until the next call; follow with consume().
Task<Result<std::string_view, IoError>> Session::next_piece(const Pace& pace) {
  io::Until until{pace.deadline(around_.loop.now()), &around_.stop.hard};
  auto bytes = co_await channel_.some(until);
  if (!bytes) co_return bytes;
  co_return bytes->substr(0, kPiece);
}

Task<void> Session::hand_over(Reception& reception, std::string_view content, const mail::ContentNotes& notes,
                              Pace& pace) {
  Instant before = around_.loop.now();
  co_await reception.take(content, notes);
  pace.forgive(around_.loop.now() - before);
}

Task<void> Session::obey(mail::command::Bdat chunk) {
  auto refusal = open_bdat();
  co_await receive_chunk(chunk.size);  // wanted or not: these octets are no commands
  if (ended_) co_return;
  if (!refusal) refusal = bdat_->refusal();
  if (refusal) {
    if (bdat_) named_size_ = bdat_->size();
    clear();
    co_return refuse("BDAT", *refusal);
  }
  if (!chunk.last) co_return say(replies::chunk_ok());
  std::string rest;
  chunks_.finish(rest);
  co_await bdat_->take(rest, chunks_.notes());
  auto reception = std::move(bdat_);
  co_await conclude(*reception);
}

std::optional<Reply> Session::open_bdat() {
  if (bdat_) return std::nullopt;
  auto reception = open_reception();
  if (!reception) return reception.error();
  bdat_ = std::move(*reception);
  chunks_ = mail::Canonicaliser();
  return std::nullopt;
}

Task<void> Session::receive_chunk(std::uint64_t size) {
  Pace pace(around_.loop.now(), options_->deadlines.data_block, options_->limits.min_data_rate);
  while (size > 0) {
    auto piece = co_await next_piece(pace);
    if (!piece) co_return lost(piece.error());
    std::size_t taken = static_cast<std::size_t>(std::min<std::uint64_t>(size, piece->size()));
    std::string content;
    if (bdat_) chunks_.feed(piece->substr(0, taken), content);
    channel_.consume(taken);
    pace.came(taken);
    size -= taken;
    if (bdat_) co_await hand_over(*bdat_, content, chunks_.notes(), pace);
  }
}

// Whatever comes of it, the transaction is over before the reply is.
Task<void> Session::conclude(Reception& reception) {
  mail::Envelope envelope = transaction_.take_envelope();
  [[maybe_unused]] auto room = std::move(room_);
  clear();
  if (reception.notes().has_8bit) envelope.body = mail::Body::eight_bit_mime;
  auto unwanted = hook(Stage::message, {});
  if (unwanted) reception.refuse(*unwanted);
  Reply reply = co_await reception.finish(envelope);
  if (reply.is_positive()) {
    report(reception, envelope);
    say(reply);
  } else {
    named_size_ = reception.size();
    refuse("message", reply);
  }
  named_sender_.reset();
}

void Session::report(const Reception& reception, const mail::Envelope& envelope) {
  std::string fixed = reception.fixed();
  around_.observer.accepted(client_, {.id = reception.id(),
                                      .envelope = envelope,
                                      .size = reception.stored_size(),
                                      .protocol = mail::with_protocol(traits(envelope)),
                                      .fixed = fixed});
  if (reception.notes().repaired) around_.observer.odd(client_, Oddity::bare_line_end);
  accepted_now_ = true;
  errors_ = commands_ = 0;
}

}  // namespace hikyaku::smtpd
