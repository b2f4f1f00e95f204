// SPDX-License-Identifier: MIT
// Messages as a DNS server could send them, read without a network.
#include "daemon/dns/answer.h"

#include <doctest/doctest.h>

#include "daemon/base/text.h"
#include "tests/support/dns/dns_message.h"

using namespace hikyaku;
using namespace hikyaku::dns;
using test::DnsMessage;
using test::DnsQuestion;

namespace {

DnsQuestion question_for(const char* name, RecordType type) {
  return {.id = 7, .name = name, .type = static_cast<std::uint16_t>(type)};
}
const DnsQuestion kMxOfShop = question_for("shop.example", RecordType::mx);
const DnsQuestion kSrvOfShop = question_for("_submissions._tcp.shop.example", RecordType::srv);
const DnsQuestion kAOfMx = question_for("mx.shop.example", RecordType::a);

Answer read(const std::string& bytes, const DnsQuestion& question) {
  return parse_answer({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()}, question.name,
                      static_cast<RecordType>(question.type));
}
Answer read(const DnsMessage& message, const DnsQuestion& question) {
  return read(message.bytes(), question);
}

}  // namespace

TEST_CASE("dns: MX records come with preference, name in lower case, and the least of their TTLs") {
  auto answer = read(DnsMessage(kMxOfShop)
                         .mx("shop.example", 20, "mx2.shop.example", 600)
                         .mx("SHOP.example", 10, "MX1.Shop.Example", 60),
                     kMxOfShop);
  CHECK(answer.status == Status::found);
  CHECK(answer.exchanges == std::vector<MxRecord>{{10, "mx1.shop.example"}, {20, "mx2.shop.example"}});
  CHECK(answer.ttl == 60s);
}

TEST_CASE("dns: addresses of both families are read") {
  auto v4 =
      read(DnsMessage(kAOfMx).a("mx.shop.example", "192.0.2.1").a("mx.shop.example", "192.0.2.2"), kAOfMx);
  CHECK(v4.addresses == std::vector{*IpAddress::parse("192.0.2.1"), *IpAddress::parse("192.0.2.2")});
  auto question = question_for("mx.shop.example", RecordType::aaaa);
  auto v6 = read(DnsMessage(question).a("mx.shop.example", "2001:db8::1"), question);
  CHECK(v6.addresses == std::vector{*IpAddress::parse("2001:db8::1")});
}

TEST_CASE("dns: the root as exchange is read as an empty name") {
  auto answer = read(DnsMessage(kMxOfShop).mx("shop.example", 0, ""), kMxOfShop);
  CHECK(answer.exchanges == std::vector<MxRecord>{{0, ""}});
}

TEST_CASE("dns: SRV records come by priority, with the least of their TTLs, and the root as an empty name") {
  const std::string& name = kSrvOfShop.name;
  auto answer = read(DnsMessage(kSrvOfShop)
                         .srv(name, 20, 0, 4650, "old.shop.example", 900)
                         .srv(name, 10, 3, 465, "SMTP.Shop.Example", 60)
                         .srv(name, 10, 3, 465, "smtp.shop.example")
                         .srv(name, 10, 5, 465, "main.shop.example"),
                     kSrvOfShop);
  CHECK(answer.status == Status::found);
  CHECK(answer.services == std::vector<SrvRecord>{{10, 5, 465, "main.shop.example"},
                                                  {10, 3, 465, "smtp.shop.example"},
                                                  {20, 0, 4650, "old.shop.example"}});
  CHECK(answer.ttl == 60s);
  auto none = read(DnsMessage(kSrvOfShop).srv(name, 0, 0, 0, ""), kSrvOfShop);
  CHECK(none.services == std::vector<SrvRecord>{{0, 0, 0, ""}});
  DnsMessage huge(kSrvOfShop);
  for (std::uint16_t i = 0; i < 400; ++i)
    huge.srv(name, static_cast<std::uint16_t>(400 - i), 0, 465, cat("s", std::to_string(i), ".example"));
  CHECK(read(huge, kSrvOfShop).services.size() == kMostRecords);
  CHECK(read(huge, kSrvOfShop).services.front().target == "s399.example");
}

TEST_CASE(
    "dns: the strings of a TXT record are joined, whatever bytes they have, and found behind an alias") {
  const auto question = question_for("hk1._domainkey.shop.example", RecordType::txt);
  const std::string& name = question.name;
  const std::string long_string(255, 'x');
  auto answer = read(DnsMessage(question)
                         .cname(name, "hk1.keys.example", 60)
                         .txt("hk1.keys.example", {long_string, "y\xff", ""})
                         .txt("hk1.keys.example", {""}),
                     question);
  CHECK(answer.status == Status::found);
  CHECK(answer.texts == std::vector<std::string>{cat(long_string, "y\xff"), ""});
  CHECK(answer.ttl == 60s);
  auto alone = read(DnsMessage(question).cname(name, "hk1.keys.example"), question);
  CHECK(alone.status == Status::alias);
  CHECK(alone.alias == "hk1.keys.example");
  for (std::string_view cut : {std::string_view("\3ab"), std::string_view("")})
    CHECK(read(DnsMessage(question).record(name, DnsMessage::kTxt, 60, cut), question).status ==
          Status::failed);
}

TEST_CASE("dns: a SRV record that is too short is no record") {
  const DnsMessage cut =
      DnsMessage(kSrvOfShop).record(kSrvOfShop.name, DnsMessage::kSrv, 60, {"\0\x0a\0\0\1\xd1", 6});
  CHECK(read(cut, kSrvOfShop).status == Status::failed);
}

TEST_CASE("dns: a name that does not exist, and one without such records, are told apart") {
  auto none = read(DnsMessage(kMxOfShop, 3).soa("example", 40), kMxOfShop);
  CHECK(none.status == Status::no_such_name);
  CHECK(none.ttl == 40s);
  auto empty = read(DnsMessage(kMxOfShop).soa("shop.example", 50), kMxOfShop);
  CHECK(empty.status == Status::no_data);
  CHECK(empty.ttl == 50s);
  CHECK(read(DnsMessage(kMxOfShop, 3), kMxOfShop).ttl == 0s);
}

TEST_CASE("dns: an error of the server is a failure in plain words") {
  CHECK(read(DnsMessage(kMxOfShop, 2), kMxOfShop).trouble == "the DNS server cannot find out (SERVFAIL)");
  CHECK(read(DnsMessage(kMxOfShop, 5), kMxOfShop).trouble == "the DNS server refuses to answer (REFUSED)");
  auto other = read(DnsMessage(kMxOfShop, 9), kMxOfShop);
  CHECK(other.status == Status::failed);
  CHECK(other.trouble == "the DNS server answers with error 9");
}

TEST_CASE("dns: aliases are followed within an answer, in any order") {
  auto answer = read(DnsMessage(kAOfMx)
                         .a("real.example", "192.0.2.9", 500)
                         .cname("alias.example", "real.example", 30)
                         .cname("mx.shop.example", "alias.example", 400),
                     kAOfMx);
  CHECK(answer.status == Status::found);
  CHECK(answer.addresses == std::vector{*IpAddress::parse("192.0.2.9")});
  CHECK(answer.ttl == 30s);
}

TEST_CASE("dns: an alias without more is told as one") {
  auto answer = read(DnsMessage(kAOfMx).cname("mx.shop.example", "real.example", 30), kAOfMx);
  CHECK(answer.status == Status::alias);
  CHECK(answer.alias == "real.example");
  CHECK(answer.ttl == 30s);
}

TEST_CASE("dns: aliases in a circle, or of great length, are a failure") {
  DnsMessage circle(kAOfMx);
  circle.cname("mx.shop.example", "b.example").cname("b.example", "mx.shop.example");
  CHECK(read(circle, kAOfMx).trouble == "the DNS answers with aliases (CNAME) that never end");
  DnsMessage longer(kAOfMx);
  longer.cname("mx.shop.example", "a0.example");
  for (std::size_t i = 0; i <= kMostAliases; ++i)
    longer.cname(cat("a", std::to_string(i), ".example"), cat("a", std::to_string(i + 1), ".example"));
  CHECK(read(longer, kAOfMx).status == Status::failed);
}

TEST_CASE("dns: records of other names are no answer") {
  auto lie = read(DnsMessage(kMxOfShop).mx("evil.example", 10, "mx.evil.example"), kMxOfShop);
  CHECK(lie.status == Status::failed);
  CHECK(lie.trouble == "the DNS server's answer is about other names");
  auto mixed = read(DnsMessage(kMxOfShop)
                        .mx("evil.example", 1, "mx.evil.example")
                        .mx("shop.example", 10, "mx.shop.example"),
                    kMxOfShop);
  CHECK(mixed.exchanges == std::vector<MxRecord>{{10, "mx.shop.example"}});
}

TEST_CASE("dns: names that point at themselves or beyond the message make no sense") {
  for (std::string_view pointer : {"\xc0\x1e", "\xff\xff", "\xc0",
                                   "\x40"
                                   "abc"}) {
    CAPTURE(pointer);
    auto answer = read(DnsMessage(kAOfMx).raw_record(pointer, 1, 60, "\x01\x02\x03\x04"), kAOfMx);
    CHECK(answer.status == Status::failed);
  }
  const DnsMessage itself =
      DnsMessage(kMxOfShop).record("shop.example", DnsMessage::kMx, 60, {"\0\x0a\xc0\x38", 4});
  CHECK(read(itself, kMxOfShop).status == Status::failed);
}

TEST_CASE("dns: a message cut off at any place never crashes, and never becomes another answer") {
  auto check_each = [](const std::string& whole, const DnsQuestion& question) {
    CHECK(read(whole, question).status == Status::found);
    for (std::size_t length = 0; length < whole.size(); ++length) {
      CAPTURE(length);
      CHECK(read(whole.substr(0, length), question).status == Status::failed);
    }
  };
  check_each(DnsMessage(kMxOfShop).mx("shop.example", 10, "mx.shop.example").bytes(), kMxOfShop);
  check_each(DnsMessage(kSrvOfShop).srv(kSrvOfShop.name, 1, 2, 465, "smtp.shop.example").bytes(), kSrvOfShop);
}

TEST_CASE("dns: a question is no answer") {
  std::string bytes = DnsMessage(kMxOfShop).mx("shop.example", 10, "mx.shop.example").bytes();
  bytes[2] = static_cast<char>(bytes[2] & 0x7f);
  CHECK(read(bytes, kMxOfShop).status == Status::failed);
}

TEST_CASE("dns: of a huge answer the best records are kept") {
  DnsMessage huge(kMxOfShop);
  for (std::uint16_t i = 0; i < 400; ++i)
    huge.mx("shop.example", static_cast<std::uint16_t>(1000 - i), cat("mx", std::to_string(i), ".example"));
  auto answer = read(huge, kMxOfShop);
  CHECK(answer.exchanges.size() == kMostRecords);
  CHECK(answer.exchanges.front() == MxRecord{601, "mx399.example"});
  DnsMessage many(kAOfMx);
  for (int i = 0; i < 600; ++i) many.a("mx.shop.example", "192.0.2.1");
  CHECK(read(many, kAOfMx).addresses.size() == kMostRecords);
}

TEST_CASE("dns: a TTL beyond 31 bits counts as none") {
  auto answer = read(DnsMessage(kAOfMx).a("mx.shop.example", "192.0.2.1", 0x80000000U), kAOfMx);
  CHECK(answer.status == Status::found);
  CHECK(answer.ttl == 0s);
}
