// SPDX-License-Identifier: MIT
// The relay over connections that stay: what travels with a final dot, and smarthosts that fail with it.
#include <set>

#include "tests/unit/relay/relay_rig.h"

using namespace hikyaku;
using namespace hikyaku::relay;
using namespace hikyaku::test;

namespace {

constexpr std::size_t kMails = 30;

void queue(RelayRig& rig) {
  for (std::size_t i = 0; i < kMails; ++i) rig.send({"user" + std::to_string(i) + "@example.net"});
}

std::size_t different(const std::vector<ReceivedMail>& mails) {
  std::set<std::string> recipients;
  for (const ReceivedMail& mail : mails) recipients.insert(mail.recipients.at(0));
  return recipients.size();
}

}  // namespace

TEST_CASE("relay: a backlog goes out with one round trip a mail") {
  RelayRig rig;
  rig.settings.smarthosts[0].connections = 1;
  queue(rig);
  rig.start_relay();
  rig.pass();
  CHECK(rig.main().mails.size() == kMails);
  CHECK(rig.main().dials == 1);
  CHECK(rig.main().companions == kMails - 1);
  CHECK(rig.queued().empty());
}

TEST_CASE("relay: no mail waits behind another's final dot while a connection is idle") {
  RelayRig rig;
  rig.settings.smarthosts[0].connections = 2;
  rig.start_relay();
  for (std::size_t i = 0; i < kMails; ++i) {
    rig.send();
    rig.pass(10ms);
  }
  CHECK(rig.main().mails.size() == kMails);
  CHECK(rig.main().companions == 0);
}

TEST_CASE("relay: a smarthost that hangs up on what travels along gets one command at a time, and all mail") {
  RelayRig rig;
  queue(rig);
  rig.main().minds_company = true;
  rig.start_relay();
  rig.pass(1min);
  CHECK(rig.main().mails.size() == kMails);
  CHECK(different(rig.main().mails) == kMails);
  CHECK(rig.lines_with("fails with it") == 1);
  CHECK(rig.lines_with("status=deferred") == 0);
  CHECK(rig.queued().empty());
  CHECK(rig.main().companions < 10);
}

TEST_CASE("relay: a connection takes no more than messages_per_connection, ahead or not") {
  RelayRig rig;
  rig.settings.smarthosts[0].connections = 1;
  rig.settings.smarthosts[0].messages_per_connection = 7;
  queue(rig);
  rig.start_relay();
  rig.pass();
  CHECK(rig.main().mails.size() == kMails);
  CHECK(rig.main().dials == 5);
}

TEST_CASE("relay: an idle connection is kept for five seconds and closed with QUIT") {
  RelayRig rig;
  std::size_t quits = 0;
  rig.main().answer = [&](const std::string& command) {
    quits += command == "QUIT";
    return "";
  };
  rig.start_relay();
  rig.send();
  rig.pass(4s);
  CHECK(rig.main().open == 1);
  CHECK(quits == 0);
  rig.pass(2s);
  CHECK(rig.main().open == 0);
  CHECK(quits == 1);
}

TEST_CASE("relay: while outcomes cannot be written at most one mail a connection is beyond its dot") {
  RelayRig rig;
  rig.settings.smarthosts[0].connections = 1;
  rig.start_relay();
  rig.send();
  rig.pass();
  rig.stop_relay();
  queue(rig);
  rig.start_relay();
  rig.disk->fail_at(DiskStep::write, 1, std::errc::io_error, 1000);
  rig.pass(20s);
  CHECK(rig.main().mails.size() == 2);
  rig.disk->heal();
  rig.pass(1h);
  CHECK(different(rig.main().mails) == kMails + 1);
  CHECK(rig.main().mails.size() == kMails + 1);
  CHECK(rig.queued().empty());
}
