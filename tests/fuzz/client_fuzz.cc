// SPDX-License-Identifier: MIT
// The client's whole dialogue, log-in included, with a peer that says what the input says: a piece up to each
// NUL, the next one when it has heard something. \x01 in it is the newest line it has heard, \x02 the
// password. However it goes, the dialogue ends; nothing counts as delivered without a 2yz to each of its
// steps, and the password is in nothing that is told of it.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/io/line_reader.h"
#include "daemon/io/memory_stream.h"
#include "daemon/io/nursery.h"
#include "daemon/mail/diagnosis.h"
#include "smtpc/client.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/secrets.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;

namespace {

constexpr const char* kPassword = "sesame~open~wide";
constexpr const char* kContent = "Subject: x\r\n\r\n.hello\r\n";

class NoConnector final : public Connector {
 public:
  Task<Result<io::StreamPtr, mail::Failure>> dial(const mail::Smarthost& smarthost, io::Until) override {
    co_return std::unexpected(make_failure(smarthost, mail::Stage::connect, mail::FailureKind::refused));
  }
};

class OnePiece final : public mail::ContentReader {
 public:
  Task<Result<std::string_view, mail::SourceError>> next() override {
    co_return std::exchange(left_, std::string_view());
  }
  Task<Result<void, mail::SourceError>> rewind() override {
    left_ = kContent;
    co_return Result<void, mail::SourceError>{};
  }

 private:
  std::string_view left_ = kContent;
};

// Says and hears; both are kept.
class FuzzedPeer {
 public:
  FuzzedPeer(io::Loop& loop, std::string_view input) : loop_(loop), pieces_(split(input, '\0')) {}

  Task<void> play(io::StreamPtr stream) {
    io::LineReader reader(*stream);
    for (std::string_view piece : pieces_) {
      std::string bytes = filled_in(piece);
      auto written = co_await stream->write(bytes, loop_.within(1h));
      said += bytes;
      if (!written) break;
      auto heard_now = co_await reader.some(loop_.within(1h));
      if (!heard_now) break;
      heard += *heard_now;
      reader.consume(heard_now->size());
    }
    [[maybe_unused]] auto closed = co_await stream->shut_down(loop_.within(1h));
  }

  std::string said, heard;

 private:
  std::string filled_in(std::string_view piece) const {
    std::string bytes;
    for (char c : piece) {
      if (c == '\x01')
        bytes += newest_line();
      else if (c == '\x02')
        bytes += kPassword;
      else
        bytes += c;
    }
    return bytes;
  }
  std::string_view newest_line() const {
    std::string_view all = heard;
    while (all.ends_with('\n') || all.ends_with('\r')) all.remove_suffix(1);
    return all.substr(std::min(all.rfind('\n') + 1, all.size()));
  }

  io::Loop& loop_;
  std::vector<std::string_view> pieces_;
};

struct Dialogue {
  ManualClock clock;
  io::Loop loop{clock};
  NoConnector connector;
  PeerKnowledge knowledge;
  mail::Smarthost smarthost;
  mail::QueuedMail mail;
  OnePiece content;
  Result<void, Refusal> opened;
  std::optional<TransactionResult> result;
  std::string shown;  // whatever is told of it

  Dialogue() {
    smarthost.name = "main";
    smarthost.host = "smtp.example";
    smarthost.port = 25;
    smarthost.tls.mode = mail::TlsMode::none;
    smarthost.allow_plaintext_auth = true;
    smarthost.credentials.emplace();
    smarthost.credentials->user = "me";
    smarthost.credentials->password = Secret(kPassword);
    mail.id = {1};
    mail.envelope.sender = "a@client.example";
    mail.envelope.recipients = {{.address = "b@example.net", .notify = {.success = true}, .orcpt = {}},
                                {.address = "c@example.net", .notify = {}, .orcpt = {}}};
    mail.size = std::string_view(kContent).size();
  }

  Task<void> talk(FuzzedPeer& peer) {
    io::Nursery nursery(loop);
    auto ends = io::make_memory_pair(loop);
    nursery.spawn(peer.play(std::move(ends.second)));
    {
      Client client({loop, smarthost, connector, knowledge, nullptr, "client.example", "token"},
                    std::move(ends.first));
      opened = co_await client.open();
      if (opened) result = co_await client.send({mail, {0, 1}, content, false}, {});
      if (client.is_usable()) co_await client.quit();
      shown += cat(client.capabilities().name, "\n", join(client.capabilities().mechanisms, " "), "\n");
    }
    [[maybe_unused]] auto drained = co_await nursery.drained({});
  }

  void tell(const Refusal& refusal) {
    const mail::Failure& failure = refusal.failure;
    shown += cat(mail::diagnose(failure), "\n", failure.detail, "\n", join(failure.offered, " "), "\n");
    if (failure.reply) tell(*failure.reply);
  }
  void tell(const mail::Reply& reply) {
    shown += cat(to_text(reply), "\n", join(reply.lines, "\n"), "\n", join(reply.lines, ""), "\n");
  }
};

std::size_t count(const std::string& text, std::string_view what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++found;
  return found;
}

// Greeting, EHLO, MAIL, RCPT and the end of the message had theirs.
void check_delivered(const FuzzedPeer& peer, const TransactionResult& result) {
  std::size_t yes = 0;
  for (std::string_view line : split(peer.said, '\n')) yes += line.starts_with('2') ? 1 : 0;
  check(yes >= 5, "delivered with fewer good replies than steps");
  check(result.final_reply->is_completed(), "delivered by a reply that is none");
  check(count(peer.heard, "RCPT TO:<") >= result.recipients.size(), "delivered to whom nobody named");
  check(peer.heard.find("\r\n.\r\n") != std::string::npos || peer.heard.find("BDAT ") != std::string::npos,
        "delivered without an end of the message");
}

void check_result(Dialogue& dialogue, const FuzzedPeer& peer, const TransactionResult& result) {
  bool is_delivered = false;
  for (const RecipientOutcome& outcome : result.recipients) {
    check(outcome.recipient < 2, "a recipient that is none");
    is_delivered = is_delivered || !outcome.refusal;
    if (outcome.refusal) dialogue.tell(*outcome.refusal);
  }
  check(!is_delivered || result.final_reply, "delivered without a reply");
  check(result.recipients.size() == 2 || result.rest, "somebody has no outcome");
  if (is_delivered) check_delivered(peer, result);
  if (result.rest) dialogue.tell(*result.rest);
  if (result.final_reply) dialogue.tell(*result.final_reply);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Dialogue dialogue;
  FuzzedPeer peer(dialogue.loop, test::as_text(data, size));
  dialogue.loop.run(dialogue.talk(peer));
  if (!dialogue.opened) dialogue.tell(dialogue.opened.error());
  if (dialogue.result) check_result(dialogue, peer, *dialogue.result);
  check(!test::has_secret(test::without_escapes(dialogue.shown), kPassword),
        "the password is in what is told");
  return 0;
}
