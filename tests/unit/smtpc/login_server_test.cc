// SPDX-License-Identifier: MIT
// Logging in over SMTP at a server that is Cyrus behind a few lines: what the script in login_test.cc cannot
// know, the nonces, is real here.
#include "daemon/base/base64.h"
#include "daemon/base/text.h"
#include "daemon/io/memory_stream.h"
#include "daemon/io/nursery.h"
#include "doctest/doctest.h"
#include "smtpc/client.h"
#include "tests/unit/smtpc/client_rig.h"
#include "tests/unit/smtpc/sasl_server.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;
using hikyaku::test::SaslServer;

namespace {

class LoginServer {
 public:
  LoginServer(io::StreamPtr stream, std::string mechanism)
      : stream_(std::move(stream)), reader_(*stream_), mechanism_(std::move(mechanism)) {}

  Task<void> serve() {
    auto greeting = co_await hear_after("220 mx.example");
    CHECK(greeting.starts_with("EHLO "));
    auto command = co_await hear_after(cat("250-mx.example\r\n250 AUTH ", mechanism_));
    auto parts = words(command);
    REQUIRE(parts.size() >= 2);
    CHECK(parts[1] == mechanism_);
    std::optional<std::string> initial;
    if (parts.size() == 3) initial = from_base64(parts[2]);
    auto challenge = sasl_.start(mechanism_, initial);
    while (challenge) {
      auto response = co_await hear_after(cat("334 ", to_base64(*challenge)));
      responses.push_back(response);
      if (sasl_.is_complete() || response == "*") break;
      challenge = sasl_.step(from_base64(response).value_or(""));
    }
    auto bye = co_await hear_after(sasl_.user() == "me" ? "235 welcome" : "535 no");
    CHECK(bye == "");
  }

  std::vector<std::string> responses;

 private:
  // Empty: the client has hung up.
  Task<std::string> hear_after(std::string reply) {
    reply += "\r\n";
    auto written = co_await stream_->write(reply, {});
    if (!written) co_return std::string();
    auto line = co_await reader_.line(4096, {});
    co_return line ? line->text : std::string();
  }

  io::StreamPtr stream_;
  io::LineReader reader_;
  std::string mechanism_;
  SaslServer sasl_;
};

struct ServerRig : test::ClientRig {
  Task<bool> log_in(std::string mechanism, std::string password) {
    smarthost.allow_plaintext_auth = true;
    smarthost.credentials.emplace();
    smarthost.credentials->user = "me";
    smarthost.credentials->password = Secret(std::move(password));
    io::Nursery nursery(loop);
    auto ends = io::make_memory_pair(loop);
    LoginServer server(std::move(ends.second), mechanism);
    nursery.spawn(server.serve());
    bool opened = false;
    {
      Client client({loop, smarthost, connector, knowledge, nullptr, "client.example", "", nullptr},
                    std::move(ends.first));
      auto result = co_await client.open();
      opened = result.has_value();
    }
    [[maybe_unused]] auto drained = co_await nursery.drained({});
    responses = server.responses;
    co_return opened;
  }

  std::vector<std::string> responses;
};

}  // namespace

TEST_CASE("smtpc: every mechanism logs in over SMTP, and a wrong password does not") {
  for (const char* mechanism : {"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"}) {
    INFO(std::string(mechanism));
    ServerRig rig;
    CHECK(rig.loop.run(rig.log_in(mechanism, "pass word")));
    CHECK(rig.knowledge.login.worked == mechanism);
    ServerRig wrong;
    CHECK_FALSE(wrong.loop.run(wrong.log_in(mechanism, "wrong")));
    CHECK(wrong.knowledge.login.worked == "");
  }
}

TEST_CASE("smtpc: DIGEST-MD5 answers the server's proof with an empty line") {
  ServerRig rig;
  CHECK(rig.loop.run(rig.log_in("DIGEST-MD5", "pass word")));
  CHECK(rig.loop.run(rig.log_in("DIGEST-MD5", "pass word")));  // a later connection begins anew
  REQUIRE(rig.responses.size() == 2);
  CHECK(rig.responses[1] == "");
}
