// SPDX-License-Identifier: MIT
#include "tests/unit/smtpc/client_rig.h"

#include <doctest/doctest.h>

#include <numeric>
#include <utility>

#include "daemon/base/text.h"
#include "tests/support/peers/test_certificates.h"

namespace hikyaku::test {

using namespace smtpc;

ScriptedConnector::ScriptedConnector(io::Loop& loop) : nursery(loop), loop_(loop) {}

Task<Result<io::StreamPtr, mail::Failure>> ScriptedConnector::dial(const mail::Smarthost& smarthost,
                                                                   io::Until) {
  if (dials++ >= scripts.size())
    co_return std::unexpected(make_failure(smarthost, mail::Stage::connect, mail::FailureKind::refused));
  auto pair = io::make_memory_pair(loop_);
  peers_.push_back(std::make_unique<ScriptedPeer>(loop_, scripts[dials - 1], tls));
  nursery.spawn(peers_.back()->play(std::move(pair.second)));
  co_return std::move(pair.first);
}

Task<Result<std::string_view, mail::SourceError>> MemoryContent::next() {
  if (at_ < pieces_.size()) co_return std::string_view(pieces_[at_++]);
  if (damage) co_return fail(*damage, "a checksum does not hold");
  co_return std::string_view();
}

Task<Result<void, mail::SourceError>> MemoryContent::rewind() {
  at_ = 0;
  ++rewinds;
  co_return Result<void, mail::SourceError>{};
}

std::string hello(const std::vector<std::string>& keywords) {
  std::string script = "S: 220 mx.example ready\nC: EHLO client.example\nS: 250-mx.example\n";
  for (const std::string& keyword : keywords) script += cat("S: 250-", keyword, "\n");
  return script + "S: 250 HELP\n";
}

mail::QueuedMail mail_to(const std::vector<std::string>& recipients) {
  mail::QueuedMail mail;
  mail.id = {1};
  mail.envelope.sender = "a@client.example";
  for (const std::string& address : recipients)
    mail.envelope.recipients.push_back({.address = address, .notify = {}, .orcpt = {}});
  mail.size = std::string_view(kContent).size();
  return mail;
}

ClientRig::ClientRig() {
  smarthost.name = "main";
  smarthost.host = "smtp.example";
  smarthost.port = 587;
  smarthost.tls.mode = mail::TlsMode::none;
  pair.second_address = Endpoint::parse("192.0.2.1:587");
}

void ClientRig::set_tls(mail::TlsMode mode, const std::string& cert, const std::string& key) {
  smarthost.tls.mode = mode;
  auto server = io::TlsServer::create(cert, key);
  io::TlsClientOptions options;
  options.name = smarthost.host;
  options.ca_file = test_certificates().ca_file;
  auto client = io::TlsClient::create(options);
  REQUIRE(server);
  REQUIRE(client);
  server_tls = *server;
  tls = *client;
}

void ClientRig::run(const std::string& script, const Scenario& scenario) { loop.run(play(script, scenario)); }

Task<void> ClientRig::play(const std::string& script, const Scenario& scenario) {
  ScriptedPeer peer(loop, script, server_tls);
  io::Nursery nursery(loop);
  auto ends = io::make_memory_pair(loop, pair);
  nursery.spawn(peer.play(std::move(ends.second)));
  {
    ClientContext context{loop,           smarthost, connector, knowledge, tls,   "client.example",
                          instance_token, cancel,    observer,  keys,      tokens};
    Client client(context, std::move(ends.first));
    co_await scenario(client);
  }
  [[maybe_unused]] auto drained = co_await nursery.drained({});
  drained = co_await connector.nursery.drained({});
  problem = peer.problem();
  heard = peer.heard();
  contents = peer.contents();
}

Result<void, Refusal> ClientRig::open(const std::string& script) {
  Result<void, Refusal> opened;
  run(script, [&](Client& client) -> Task<void> {
    Instant begin = clock.now();
    opened = co_await client.open();
    elapsed = clock.now() - begin;
  });
  return opened;
}

TransactionResult ClientRig::send(const std::string& script, const mail::QueuedMail& mail,
                                  std::vector<std::string> content) {
  TransactionResult result;
  MemoryContent reader(std::move(content));
  std::vector<std::size_t> recipients(mail.envelope.recipients.size());
  std::iota(recipients.begin(), recipients.end(), 0U);
  run(script, [&](Client& client) -> Task<void> {
    auto opened = co_await client.open();
    REQUIRE(opened);
    result = co_await client.send({mail, recipients, reader, proven}, {before_final_dot, following});
    if (client.is_usable()) co_await client.quit();
  });
  return result;
}

}  // namespace hikyaku::test
