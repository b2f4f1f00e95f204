// SPDX-License-Identifier: MIT
// From a domain to its mail servers: the order, the absence of servers, ourselves among them.
#include "daemon/dns/mx_resolver.h"

#include <doctest/doctest.h>

#include <set>

#include "daemon/base/text.h"
#include "tests/unit/dns/fixed_records.h"

using namespace hikyaku;
using namespace hikyaku::dns;
using mail::FailureKind;
using test::FixedRecords;

namespace {

struct MxRig {
  DestinationAnswer resolve(const std::string& domain, std::uint16_t port = 25) {
    return loop.run(resolver.resolve(domain, port, {}));
  }
  std::vector<std::string> hosts(const std::string& domain) {
    auto found = resolve(domain);
    std::vector<std::string> names;
    if (found)
      for (const MailHost& host : found->hosts) names.push_back(host.name);
    return names;
  }
  // mx1, mx2 … of a domain, each with an address.
  void servers(const std::string& domain, std::vector<MxRecord> exchanges) {
    for (std::size_t i = 0; i < exchanges.size(); ++i)
      records.addresses(exchanges[i].exchange, {cat("192.0.2.", std::to_string(i + 1)).c_str()});
    records.mx(domain, std::move(exchanges));
  }

  ManualClock clock;
  io::Loop loop{clock};
  FixedRecords records;
  std::optional<Endpoint> ours;
  double fraction = 0;
  MxResolver resolver{
      loop, records,
      Ourselves{.hostname = "relay.us.example", .has = [this](const Endpoint& at) { return at == ours; }},
      [this] { return fraction; }};
};

std::vector<IpAddress> addresses(const std::vector<const char*>& texts) {
  std::vector<IpAddress> list;
  for (const char* text : texts) list.push_back(*IpAddress::parse(text));
  return list;
}

void check_error(const DestinationAnswer& answer, FailureKind kind, bool is_permanent) {
  REQUIRE_FALSE(answer);
  CHECK(mail::to_text(answer.error().kind) == mail::to_text(kind));
  CHECK(answer.error().is_permanent == is_permanent);
}

}  // namespace

TEST_CASE("mx: servers come by preference, each with its addresses of both families") {
  MxRig rig;
  rig.servers("shop.example", {{20, "mx2.shop.example"}, {10, "mx1.shop.example"}});
  rig.records.addresses("mx1.shop.example", {"2001:db8::1"});
  auto found = rig.resolve("Shop.Example.");
  REQUIRE(found);
  CHECK(found->domain == "shop.example");
  REQUIRE(found->hosts.size() == 2);
  CHECK(found->hosts[0] == MailHost{"mx1.shop.example", 10, addresses({"2001:db8::1", "192.0.2.2"})});
  CHECK(found->hosts[1] == MailHost{"mx2.shop.example", 20, addresses({"192.0.2.1"})});
}

TEST_CASE("mx: servers of equal preference are shuffled, others never change places") {
  MxRig rig;
  rig.servers("shop.example", {{10, "a.example"}, {10, "b.example"}, {10, "c.example"}, {20, "d.example"}});
  std::set<std::string> first;
  for (double fraction : {0.0, 0.4, 0.7, 0.999}) {
    rig.fraction = fraction;
    auto hosts = rig.hosts("shop.example");
    REQUIRE(hosts.size() == 4);
    CHECK(hosts[3] == "d.example");
    first.insert(hosts[0]);
  }
  CHECK(first.size() > 1);
}

TEST_CASE("mx: a domain without MX is its own server") {
  MxRig rig;
  rig.records.addresses("small.example", {"192.0.2.7"});
  auto found = rig.resolve("small.example");
  REQUIRE(found);
  CHECK(found->hosts == std::vector{MailHost{"small.example", 0, addresses({"192.0.2.7"})}});
}

TEST_CASE("mx: a null MX is permanent at once") {
  MxRig rig;
  rig.records.mx("nomail.example", {{0, ""}});
  check_error(rig.resolve("nomail.example"), FailureKind::null_mx, true);
}

TEST_CASE("mx: a root beside other servers is left out") {
  MxRig rig;
  rig.servers("odd.example", {{10, "mx.odd.example"}});
  rig.records.mx("odd.example", {{0, ""}, {10, "mx.odd.example"}});
  CHECK(rig.hosts("odd.example") == std::vector<std::string>{"mx.odd.example"});
}

TEST_CASE("mx: a look-up that fails is temporary") {
  MxRig rig;
  rig.records.set("sick.example", RecordType::mx, failed("SERVFAIL"));
  auto sick = rig.resolve("sick.example");
  check_error(sick, FailureKind::lookup_failed, false);
  CHECK(sick.error().detail == "SERVFAIL");
  rig.records.mx("half.example", {{10, "mx.half.example"}});
  rig.records.set("mx.half.example", RecordType::a, failed("no answer"));
  auto half = rig.resolve("half.example");
  check_error(half, FailureKind::lookup_failed, false);
  CHECK(half.error().detail == "mx.half.example: no answer");
}

TEST_CASE("mx: a server whose address cannot be found does not keep mail from the others") {
  MxRig rig;
  rig.servers("shop.example", {{10, "mx1.shop.example"}, {20, "mx2.shop.example"}});
  rig.records.set("mx1.shop.example", RecordType::a, failed("no answer"));
  CHECK(rig.hosts("shop.example") == std::vector<std::string>{"mx2.shop.example"});
}

TEST_CASE("mx: that a domain does not exist is permanent only after half an hour and another name's answer") {
  MxRig rig;
  rig.records.set("gone.example", RecordType::mx, {.status = Status::no_such_name});
  rig.servers("shop.example", {{10, "mx.shop.example"}});
  check_error(rig.resolve("gone.example"), FailureKind::no_such_domain, false);
  rig.clock.advance(20min);
  CHECK(rig.resolve("shop.example"));
  check_error(rig.resolve("gone.example"), FailureKind::no_such_domain, false);
  rig.clock.advance(11min);
  check_error(rig.resolve("gone.example"), FailureKind::no_such_domain, true);
  rig.resolver.forget_evidence();
  check_error(rig.resolve("gone.example"), FailureKind::no_such_domain, false);
}

TEST_CASE("mx: what the cache repeats is no second answer") {
  MxRig rig;
  rig.records.set("gone.example", RecordType::mx, {.status = Status::no_such_name, .is_kept = true});
  rig.resolve("gone.example");
  rig.servers("shop.example", {{10, "mx.shop.example"}});
  CHECK(rig.resolve("shop.example"));
  rig.clock.advance(31min);
  check_error(rig.resolve("gone.example"), FailureKind::no_such_domain, false);
}

TEST_CASE("mx: servers without an address, and a domain with neither, are judged with the same patience") {
  MxRig rig;
  rig.records.mx("bare.example", {{10, "mx.bare.example"}});
  rig.servers("shop.example", {{10, "mx.shop.example"}});
  for (const char* domain : {"bare.example", "empty.example"})
    check_error(rig.resolve(domain), FailureKind::no_mail_server, false);
  rig.clock.advance(31min);
  CHECK(rig.resolve("shop.example"));
  for (const char* domain : {"bare.example", "empty.example"})
    check_error(rig.resolve(domain), FailureKind::no_mail_server, true);
}

TEST_CASE("mx: several domains in a row that cannot be looked up mean that the DNS is out of reach") {
  MxRig rig;
  rig.records.otherwise = failed("no DNS server answered in time");
  for (int i = 0; i < 5; ++i) rig.resolve("same.example");
  CHECK_FALSE(rig.resolver.finds_nothing());
  rig.resolve("b.example");
  rig.resolve("c.example");
  CHECK(rig.resolver.finds_nothing());
  rig.records.set("gone.example", RecordType::mx, {.status = Status::no_such_name});
  rig.resolve("gone.example");
  CHECK_FALSE(rig.resolver.finds_nothing());
}

TEST_CASE("mx: a cancelled look-up says nothing about the DNS") {
  MxRig rig;
  rig.records.otherwise = failed("cancelled");
  io::Cancel cancel;
  cancel.request();
  for (const char* domain : {"a.example", "b.example", "c.example", "d.example"})
    rig.loop.run(rig.resolver.resolve(domain, 25, {kNever, &cancel}));
  CHECK_FALSE(rig.resolver.finds_nothing());
}

TEST_CASE("mx: what is no domain name fails at once") {
  MxRig rig;
  check_error(rig.resolve("no spaces.example"), FailureKind::no_such_domain, true);
  check_error(rig.resolve(""), FailureKind::no_such_domain, true);
  CHECK(rig.records.asked == 0);
}

TEST_CASE("mx: brackets and addresses are never looked up as MX") {
  MxRig rig;
  rig.servers("mx.example", {{10, "elsewhere.example"}});
  rig.records.addresses("mx.example", {"192.0.2.5"});
  CHECK(rig.hosts("[mx.example]") == std::vector<std::string>{"mx.example"});
  rig.records.asked = 0;
  CHECK(rig.hosts("[192.0.2.9]") == std::vector<std::string>{"192.0.2.9"});
  CHECK(rig.hosts("[IPv6:2001:db8::9]") == std::vector<std::string>{"2001:db8::9"});
  CHECK(rig.hosts("192.0.2.9") == std::vector<std::string>{"192.0.2.9"});
  CHECK(rig.records.asked == 0);
}

TEST_CASE("mx: a domain beyond ASCII is asked for as A-labels") {
  MxRig rig;
  rig.servers("xn--bcher-kva.example", {{10, "mx.example"}});
  CHECK(rig.hosts("b\u00fccher.example") == std::vector<std::string>{"mx.example"});
}

TEST_CASE("mx: the list is cut off at ourselves, by name") {
  MxRig rig;
  rig.servers("hub.example",
              {{5, "best.example"}, {10, "Relay.us.example"}, {10, "same.example"}, {20, "d.example"}});
  CHECK(rig.hosts("hub.example") == std::vector<std::string>{"best.example"});
}

TEST_CASE("mx: the list is cut off at ourselves, by an address where we listen") {
  MxRig rig;
  rig.servers("hub.example", {{5, "best.example"}, {10, "other-name.example"}, {20, "d.example"}});
  rig.ours = Endpoint::parse("192.0.2.2:25");
  CHECK(rig.hosts("hub.example") == std::vector<std::string>{"best.example"});
  auto elsewhere = rig.resolve("hub.example", 2525);
  REQUIRE(elsewhere);
  CHECK(elsewhere->hosts.size() == 3);
}

TEST_CASE("mx: an address that means this machine is ourselves") {
  MxRig rig;
  rig.records.mx("zero.example", {{10, "mx.zero.example"}});
  rig.records.addresses("mx.zero.example", {"0.0.0.0"});
  check_error(rig.resolve("zero.example"), FailureKind::mail_loops, true);
}

TEST_CASE("mx: if nothing better than ourselves is left, mail would loop") {
  MxRig rig;
  rig.servers("us.example", {{10, "relay.us.example"}, {20, "backup.example"}});
  check_error(rig.resolve("us.example"), FailureKind::mail_loops, true);
  rig.records.addresses("relay.us.example", {"192.0.2.1"});
  check_error(rig.resolve("relay.us.example"), FailureKind::mail_loops, true);
}

TEST_CASE("mx: a new host name is heeded from then on") {
  MxRig rig;
  rig.servers("hub.example", {{5, "best.example"}, {10, "new.us.example"}});
  CHECK(rig.hosts("hub.example").size() == 2);
  rig.resolver.set_hostname("new.us.example");
  CHECK(rig.hosts("hub.example").size() == 1);
}

TEST_CASE("mx: whatever the DNS answers, servers, addresses and look-ups are bounded") {
  MxRig rig;
  std::vector<MxRecord> exchanges;
  for (std::uint16_t i = 0; i < 20; ++i) exchanges.push_back({i, cat("mx", std::to_string(i), ".example")});
  rig.records.mx("huge.example", exchanges);
  Answer many{.status = Status::found};
  for (int i = 1; i < 20; ++i)
    many.addresses.push_back(*IpAddress::parse(cat("192.0.2.", std::to_string(i))));
  for (const MxRecord& record : exchanges) rig.records.set(record.exchange, RecordType::a, many);
  auto found = rig.resolve("huge.example");
  REQUIRE(found);
  CHECK(found->hosts.size() == kMostHosts);
  CHECK(found->hosts[0].name == "mx0.example");
  for (const MailHost& host : found->hosts) CHECK(host.addresses.size() == kMostAddresses);
  CHECK(rig.records.asked == 1 + 2 * kMostHosts);
}

TEST_CASE("mx: a server that stands in the list twice is tried once, and nonsense not at all") {
  MxRig rig;
  rig.servers("twice.example", {{10, "mx.example"}});
  rig.records.mx("twice.example", {{20, "mx.example"}, {10, "mx.example"}, {5, "not a\\.name"}});
  auto found = rig.resolve("twice.example");
  REQUIRE(found);
  REQUIRE(found->hosts.size() == 1);
  CHECK(found->hosts[0].preference == 10);
}

TEST_CASE("mx: addresses of both families take turns, and none is lost where there is one family only") {
  const auto v6 = addresses({"2001:db8::1", "2001:db8::2", "2001:db8::3"});
  const auto v4 = addresses({"192.0.2.1", "192.0.2.2"});
  CHECK(in_turn(v6, v4) == addresses({"2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2"}));
  CHECK(in_turn({}, v4) == v4);
  CHECK(in_turn(v6, {}) == v6);
}
