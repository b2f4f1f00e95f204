// SPDX-License-Identifier: MIT
#include "tests/unit/checkup/check_rig.h"

#include <doctest/doctest.h>

#include <utility>

#include "daemon/base/text.h"
#include "daemon/io/memory_stream.h"
#include "daemon/io/nursery.h"
#include "tests/support/peers/scripted_peer.h"
#include "tests/support/peers/test_certificates.h"

namespace hikyaku::test {
namespace {

class Servers final : public smtpc::Connector {
 public:
  Servers(io::Loop& loop, std::vector<std::string> scripts, std::shared_ptr<io::TlsServer> tls)
      : loop_(loop), nursery_(loop), scripts_(std::move(scripts)), tls_(std::move(tls)) {}

  Task<Result<io::StreamPtr, mail::Failure>> dial(const mail::Smarthost& smarthost, io::Until) override {
    if (peers_.size() == scripts_.size())
      co_return std::unexpected(make_failure(smarthost, mail::Stage::connect, mail::FailureKind::refused));
    io::MemoryPairOptions options;
    options.second_address = Endpoint::parse("192.0.2.1:587");
    auto pair = io::make_memory_pair(loop_, options);
    peers_.push_back(std::make_unique<ScriptedPeer>(loop_, scripts_[peers_.size()], tls_));
    nursery_.spawn(peers_.back()->play(std::move(pair.second)));
    co_return std::move(pair.first);
  }

  Task<void> drained() { [[maybe_unused]] auto woken = co_await nursery_.drained({}); }
  const std::vector<std::unique_ptr<ScriptedPeer>>& peers() const { return peers_; }

 private:
  io::Loop& loop_;
  io::Nursery nursery_;
  std::vector<std::string> scripts_;
  std::shared_ptr<io::TlsServer> tls_;
  std::vector<std::unique_ptr<ScriptedPeer>> peers_;
};

Task<checkup::Report> check(CheckRig& rig, Servers& servers) {
  checkup::Journal journal(rig.clock,
                           [&rig](const checkup::Step& step) { rig.told.push_back(to_text(step)); });
  checkup::Report report;
  {
    checkup::SmarthostCheck check(rig.loop, servers, rig.question, journal);
    report = co_await check.run();
  }
  co_await servers.drained();
  co_return report;
}

}  // namespace

CheckRig::CheckRig() {
  question.smarthost.name = "main";
  question.smarthost.host = "smtp.example";
  question.smarthost.port = 587;
  question.smarthost.tls.mode = mail::TlsMode::none;
  question.smarthost.tls.ca_file = test_certificates().ca_file;
  question.smarthost.allow_plaintext_auth = true;
  question.smarthost.credentials = mail::Credentials{.authzid = {},
                                                     .user = "me@shop.example",
                                                     .password = Secret("secret"),
                                                     .realm = {},
                                                     .mechanisms = {},
                                                     .origin = "/etc/hikyaku/authinfo:1"};
  question.hostname = "app.example";
  question.domain = "app.example";
  question.sender = "root@app.example";
  question.recipient = "a@b.example";
}

void CheckRig::use_tls(mail::TlsMode mode, const std::string& cert, const std::string& key) {
  question.smarthost.tls.mode = mode;
  auto server = io::TlsServer::create(cert, key);
  REQUIRE(server);
  server_tls = *server;
}

checkup::Report CheckRig::run(const std::vector<std::string>& scripts) {
  told.clear();
  Servers servers(loop, scripts, server_tls);
  auto report = loop.run(check(*this, servers));
  for (const auto& peer : servers.peers()) {
    for (const std::string& content : peer->contents()) contents.push_back(content);
    if (!peer->problem().empty()) problems.push_back(peer->problem());
  }
  return report;
}

std::string hello(const std::string& keywords) {
  std::string script = "S: 220 mx.example ready\nC: EHLO app.example\nS: 250-mx.example\n";
  for (std::string_view keyword : split(keywords, ','))
    if (!keyword.empty()) script += cat("S: 250-", keyword, "\n");
  return script + "S: 250 HELP\n";
}

std::vector<std::string> lines(const checkup::Report& report) {
  std::vector<std::string> lines;
  for (const checkup::Step& step : report.steps)
    lines.push_back(cat(step.failed ? "FAILED " : "", step.name, ": ", step.text));
  return lines;
}

checkup::Step step(const checkup::Report& report, std::string_view name) {
  for (const checkup::Step& each : report.steps)
    if (each.name == name) return each;
  return {.name = {}, .text = {}};
}

}  // namespace hikyaku::test
