// SPDX-License-Identifier: MIT
// Everything together, against a DNS server on loopback, as the daemon has it.
#include "daemon/dns/client.h"

#include <doctest/doctest.h>

#include "daemon/base/text.h"
#include "tests/support/dns/fake_dns.h"

using namespace hikyaku;
using namespace hikyaku::dns;
using mail::FailureKind;
using test::DnsMessage;
using test::DnsQuestion;
using test::FakeDns;

namespace {

// Each domain has two servers, mx1 better than mx2, with an address of each family.
std::vector<std::string> two_servers(const DnsQuestion& question) {
  DnsMessage answer(question);
  if (question.type == DnsMessage::kMx)
    answer.mx(question.name, 20, cat("mx2.", question.name))
        .mx(question.name, 10, cat("mx1.", question.name));
  if (question.type == DnsMessage::kA) answer.a(question.name, "192.0.2.1");
  if (question.type == DnsMessage::kAaaa) answer.a(question.name, "2001:db8::1");
  return {answer.bytes()};
}

struct ClientRig {
  DestinationAnswer resolve(const char* domain) {
    return loop.run(client.destinations().resolve(domain, 25, {}));
  }

  SystemClock clock;
  io::Loop loop{clock};
  Client client{loop, {.hostname = "relay.us.example"}};
};

}  // namespace

TEST_CASE("dns: a domain is resolved with one question each for MX, A and AAAA, and then from the cache") {
  FakeDns server(two_servers);
  ClientRig rig;
  rig.client.configure(server.endpoint(), "relay.us.example");
  for (int i = 0; i < 3; ++i) {
    auto found = rig.resolve("shop.example");
    REQUIRE(found);
    REQUIRE(found->hosts.size() == 2);
    CHECK(found->hosts[0].name == "mx1.shop.example");
    CHECK(found->hosts[0].addresses.size() == 2);
  }
  CHECK(server.questions().size() == 5);
}

TEST_CASE("dns: another server is asked anew, and the same one not") {
  FakeDns first(two_servers);
  FakeDns second([](const DnsQuestion& question) -> std::vector<std::string> {
    return {DnsMessage(question, 3).soa("example", 60).bytes()};
  });
  ClientRig rig;
  rig.client.configure(first.endpoint(), "relay.us.example");
  CHECK(rig.resolve("shop.example"));
  rig.client.configure(first.endpoint(), "relay.us.example");
  CHECK(rig.resolve("shop.example"));
  CHECK(first.questions().size() == 5);
  rig.client.configure(second.endpoint(), "relay.us.example");
  auto gone = rig.resolve("shop.example");
  REQUIRE_FALSE(gone);
  CHECK(gone.error().kind == FailureKind::no_such_domain);
}

TEST_CASE("dns: a host name that a reload brings is ours from then on") {
  FakeDns server(two_servers);
  ClientRig rig;
  rig.client.configure(server.endpoint(), "mx2.shop.example");
  auto found = rig.resolve("shop.example");
  REQUIRE(found);
  CHECK(found->hosts.size() == 1);
  rig.client.configure(server.endpoint(), "mx1.shop.example");
  auto loops = rig.resolve("shop.example");
  REQUIRE_FALSE(loops);
  CHECK(loops.error().kind == FailureKind::mail_loops);
}
