// SPDX-License-Identifier: MIT
// Hosts whose ports play scripts (tests/support/peers/scripted_peer.h), a DNS in memory and simulated time: a probe of
// them takes no time and no network.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/checkup/probe.h"
#include "daemon/io/memory_stream.h"
#include "daemon/io/nursery.h"
#include "tests/support/peers/scripted_peer.h"
#include "tests/support/peers/test_certificates.h"
#include "tests/unit/dns/fixed_records.h"

namespace hikyaku::test {

// "smtp.example:587" plays its scripts, a connection each, the last one again and again; one that is not there
// refuses connections.
class ScriptedPorts final : public smtpc::Connector {
 public:
  explicit ScriptedPorts(io::Loop& loop) : nursery(loop), loop_(loop) { use(test_certificates().good); }

  void use(const CertificateFiles& files) {
    auto made = io::TlsServer::create(files.cert, files.key);
    REQUIRE(made);
    tls_ = *made;
  }
  void play(const std::string& at, std::deque<std::string> scripts) { scripts_[at] = std::move(scripts); }
  void fail(const std::string& at, IoErrorKind kind) { failures_[at] = kind; }

  Task<Result<io::StreamPtr, mail::Failure>> dial(const mail::Smarthost& to, io::Until) override {
    const std::string at = to.host + ":" + std::to_string(to.port);
    dials.push_back(at);
    if (auto failing = failures_.find(at); failing != failures_.end())
      co_return std::unexpected(failure(to, failing->second));
    auto found = scripts_.find(at);
    if (found == scripts_.end()) co_return std::unexpected(failure(to, IoErrorKind::refused));
    io::MemoryPairOptions options;
    options.second_address = Endpoint{*IpAddress::parse("192.0.2.1"), to.port};
    auto ends = io::make_memory_pair(loop_, options);
    const std::string& script = found->second.front();
    peers.push_back(std::make_unique<ScriptedPeer>(loop_, script, tls_));
    if (script.find("SLEEP") == script.npos) strict.push_back(peers.back().get());
    if (found->second.size() > 1) found->second.pop_front();
    nursery.spawn(peers.back()->play(std::move(ends.second)));
    co_return std::move(ends.first);
  }

  std::vector<std::string> dials;
  std::vector<std::unique_ptr<ScriptedPeer>> peers;
  std::vector<const ScriptedPeer*>
      strict;  // those of a script without a SLEEP: a silent port hears all sorts of things
  io::Nursery nursery;

 private:
  static mail::Failure failure(const mail::Smarthost& to, IoErrorKind kind) {
    const bool is_name = kind == IoErrorKind::no_such_name || kind == IoErrorKind::lookup_failed;
    return mail::make_failure(to, is_name ? mail::Stage::lookup : mail::Stage::connect,
                              IoError(kind, "as the test has it"));
  }

  io::Loop& loop_;
  std::shared_ptr<io::TlsServer> tls_;
  std::map<std::string, std::deque<std::string>> scripts_;
  std::map<std::string, IoErrorKind> failures_;
};

// "250-A" lines and the last one, as EHLO is answered.
inline std::string ehlo_reply(const std::vector<std::string>& lines) {
  std::string script = "C: EHLO me.example\n";
  for (std::size_t i = 0; i < lines.size(); ++i)
    script += (i + 1 == lines.size() ? "S: 250 " : "S: 250-") + lines[i] + "\n";
  return script;
}
inline const std::string kFarewellScript = "C: QUIT\nS: 221 bye\nCLOSE\n";

// TLS from the first byte, then these.
inline std::string implicit_script(const std::string& greeting, const std::vector<std::string>& offers,
                                   const std::string& rest = kFarewellScript) {
  return "TLS\nS: " + greeting + "\n" + ehlo_reply(offers) + rest;
}
inline std::string starttls_script(const std::string& greeting, const std::vector<std::string>& before,
                                   const std::vector<std::string>& after,
                                   const std::string& rest = kFarewellScript) {
  return "S: " + greeting + "\n" + ehlo_reply(before) + "C: STARTTLS\nS: 220 go ahead\nTLS\n" +
         ehlo_reply(after) + rest;
}
inline std::string clear_script(const std::string& greeting, const std::vector<std::string>& offers) {
  return "S: " + greeting + "\n" + ehlo_reply(offers) + kFarewellScript;
}

struct ProbeRig {
  checkup::ProbeContext context() {
    return {.dialling = {.loop = loop,
                         .connector = ports,
                         .ehlo_name = "me.example",
                         .ca_file = test_certificates().ca_file,
                         .times = times},
            .records = records,
            .installed = {"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"}};
  }

  checkup::ProbeResult probe(const std::string& text, std::optional<mail::Credentials> credentials = {}) {
    auto target = checkup::parse_probe_target(text);
    REQUIRE(target);
    auto result = loop.run(finish(checkup::probe(context(), *target, std::move(credentials))));
    for (const ScriptedPeer* peer : ports.strict) CHECK(peer->problem() == "");
    return result;
  }
  // One port of smtp.example.
  checkup::PortFinding probe_port(std::uint16_t port) {
    return loop.run(finish(checkup::probe_port(context().dialling, "smtp.example", port)));
  }

  ManualClock clock;
  io::Loop loop{clock};
  ScriptedPorts ports{loop};
  FixedRecords records;
  checkup::ProbeTimes times;
  Duration elapsed{0};  // until the result was there

 private:
  template <class T>
  Task<T> finish(Task<T> task) {
    const Instant begin = clock.now();
    auto result = co_await std::move(task);
    elapsed = clock.now() - begin;
    [[maybe_unused]] auto drained = co_await ports.nursery.drained({});
    co_return result;
  }
};

}  // namespace hikyaku::test
