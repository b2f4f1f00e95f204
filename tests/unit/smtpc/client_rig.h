// SPDX-License-Identifier: MIT
// A Client against a ScriptedPeer over an in-memory connection, in simulated time.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/io/memory_stream.h"
#include "daemon/io/nursery.h"
#include "smtpc/client.h"
#include "tests/support/peers/scripted_peer.h"

namespace hikyaku::test {

// Side connections: one script each, in order; none left is a refused connection. They are over before the
// rig is.
class ScriptedConnector final : public smtpc::Connector {
 public:
  explicit ScriptedConnector(io::Loop& loop);
  Task<Result<io::StreamPtr, mail::Failure>> dial(const mail::Smarthost& smarthost, io::Until until) override;
  Task<bool> wants_another(const mail::Smarthost&, const mail::Failure& failure, io::Until) override {
    refusals.push_back(failure);
    co_return has_another;
  }
  bool avoids_tls(const std::string&) const override { return is_tls_broken; }

  bool has_another = false;
  bool is_tls_broken = false;
  std::vector<mail::Failure> refusals;  // that wants_another() heard of
  std::vector<std::string> scripts;
  std::shared_ptr<io::TlsServer> tls;
  std::size_t dials = 0;
  io::Nursery nursery;

 private:
  io::Loop& loop_;
  std::vector<std::unique_ptr<ScriptedPeer>> peers_;
};

// A reader of pieces given; `damage` instead of the end.
class MemoryContent final : public mail::ContentReader {
 public:
  explicit MemoryContent(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}
  Task<Result<std::string_view, mail::SourceError>> next() override;
  Task<Result<void, mail::SourceError>> rewind() override;
  bool may_be_sent() const override { return is_ours; }

  std::optional<mail::SourceErrorKind> damage;
  bool is_ours = true;
  std::size_t rewinds = 0;

 private:
  std::vector<std::string> pieces_;
  std::size_t at_ = 0;
};

// "S: 220 …", EHLO and its answer with these keywords.
std::string hello(const std::vector<std::string>& keywords);
// From a@client.example to these; 25 bytes of content.
mail::QueuedMail mail_to(const std::vector<std::string>& recipients);
inline constexpr const char* kContent = "Subject: x\r\n\r\nhello you\r\n";

struct ClientRig {
  ClientRig();

  using Scenario = std::function<Task<void>(smtpc::Client&)>;
  // Plays the script against a new client that does the scenario. Afterwards problem, heard and contents are
  // the peer's.
  void run(const std::string& script, const Scenario& scenario);
  // Only open(); `elapsed` is how long it took.
  Result<void, smtpc::Refusal> open(const std::string& script);
  // open(), one mail to all of its recipients, quit().
  smtpc::TransactionResult send(const std::string& script, const mail::QueuedMail& mail,
                                std::vector<std::string> content = {kContent});

  ManualClock clock;
  io::Loop loop{clock};
  ScriptedConnector connector{loop};
  mail::Smarthost smarthost;  // TLS none, port 587, no log-in
  smtpc::PeerKnowledge knowledge;
  std::string instance_token;
  std::shared_ptr<io::TlsClient> tls;  // by set_tls()
  std::shared_ptr<io::TlsServer> server_tls;
  io::MemoryPairOptions pair;  // largest_read, capacity
  io::Cancel* cancel = nullptr;
  smtpc::OpeningObserver* observer = nullptr;
  const dkim::KeyRing* keys = nullptr;
  smtpc::TokenSource* tokens = nullptr;
  bool proven = true;
  std::function<Task<bool>()> before_final_dot;
  std::function<Task<std::optional<smtpc::Consignment>>()> following;

  // The server shows this certificate, the client trusts the test CA.
  void set_tls(mail::TlsMode mode, const std::string& cert, const std::string& key);

  Duration elapsed{0};
  std::string problem;
  std::vector<std::string> heard;
  std::vector<std::string> contents;

 private:
  Task<void> play(const std::string& script, const Scenario& scenario);
};

}  // namespace hikyaku::test
