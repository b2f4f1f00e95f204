// SPDX-License-Identifier: MIT
// The authorization server is down for an hour: real tokens, real lanes, simulated time.
#include "daemon/base/base64.h"
#include "smtpc/login.h"
#include "tests/unit/oauth/oauth_rig.h"
#include "tests/unit/relay/relay_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;

namespace {

// A smarthost that takes no log-in but that of the newest token.
struct AuthorizationRig : RelayRig {
  AuthorizationRig() {
    mail::Smarthost smarthost = some_smarthost();
    smarthost.user = "me@example.com";
    smarthost.oauth = oauth_smarthost().oauth;
    settings.smarthosts = {smarthost};
    main().keywords = "250-PIPELINING\r\n250-AUTH XOAUTH2\r\n250 ENHANCEDSTATUSCODES\r\n";
    main().answer = [this](const std::string& command) -> std::string {
      if (std::exchange(is_token_next, command == "AUTH XOAUTH2"))
        return command == newest() ? "235 2.7.0 ok" : "535 5.7.8 no";
      return is_token_next ? "334 " : "";
    };
    oauth.configure("/nowhere", settings.smarthosts);
    tokens = &oauth;
    start_relay();
  }
  ~AuthorizationRig() {
    stop_relay();
    loop.run(oauth.stop());
  }

  std::string newest() const {
    const Secret token(cat("access-", std::to_string(endpoint.issued)));
    return to_base64(smtpc::bearer_response("XOAUTH2", settings.smarthosts[0], token).reveal());
  }
  Result<std::unique_ptr<oauth::TokenStore>, std::string> with_consent() {
    auto store = std::make_unique<oauth::TokenStore>(std::make_unique<SimDisk>());
    REQUIRE(store->save("main", consented()));
    return store;
  }
  // A mail every five minutes.
  void work(Duration time) {
    for (Duration done{0}; done < time; done += 5min) {
      send();
      pass(5min);
    }
  }

  bool is_token_next = false;
  FakeEndpoint endpoint;
  oauth::Tokens oauth{{.loop = loop,
                       .log = log,
                       .endpoint = endpoint,
                       .on_token = [this] { relay->probe_paused(); },
                       .open_store = [this](const std::string&) { return with_consent(); },
                       .jitter = [] { return 0.5; }}};
};

}  // namespace

TEST_CASE(
    "relay: an hour without the authorization server bounces no mail, and all of it leaves by itself after "
    "that") {
  AuthorizationRig rig;
  rig.work(30min);
  REQUIRE(rig.main().mails.size() == 6);
  rig.endpoint.is_reachable = false;
  rig.work(1h);
  // While the token held, nobody noticed.
  CHECK(rig.main().mails.size() == 12);
  const auto report = rig.relay->report().smarthosts[0];
  CHECK(report.is_paused());
  CHECK(report.trouble.find("token") != report.trouble.npos);
  CHECK(rig.lines_with("no new token: tried again by itself") == 1);
  rig.endpoint.is_reachable = true;
  rig.pass(11min);
  CHECK(rig.main().mails.size() == 18);
  CHECK(rig.endpoint.issued == 2);
  CHECK(std::ranges::all_of(rig.main().mails,
                            [](const ReceivedMail& mail) { return mail.sender == "app@example.com"; }));
  CHECK(rig.lines_with("failed to=") == 0);
}
