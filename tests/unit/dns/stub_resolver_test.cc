// SPDX-License-Identifier: MIT
// c-ares as we drive it, against a DNS server that does what it likes.
#include "daemon/dns/stub_resolver.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "daemon/base/text.h"
#include "daemon/io/nursery.h"
#include "tests/support/dns/fake_dns.h"

using namespace hikyaku;
using namespace hikyaku::dns;
using test::DnsMessage;
using test::DnsQuestion;
using test::FakeDns;

namespace {

using Messages = std::vector<std::string>;

struct StubRig {
  explicit StubRig(FakeDns::Script script, Duration timeout = 3s)
      : server(std::move(script)), resolver(loop, {.server = server.endpoint(), .timeout = timeout}) {}

  Answer ask(const char* name, RecordType type = RecordType::mx, Duration limit = 60s) {
    return loop.run(resolver.look_up(name, type, loop.within(limit)));
  }

  SystemClock clock;
  io::Loop loop{clock};
  FakeDns server;
  StubResolver resolver;
};

Messages one_mx(const DnsQuestion& question) {
  return {DnsMessage(question).mx(question.name, 10, cat("mx.", question.name)).bytes()};
}

Task<void> keep_answer(StubResolver& resolver, std::string name, io::Until until,
                       std::vector<Answer>& answers) {
  auto answer = co_await resolver.look_up(std::move(name), RecordType::mx, until);
  answers.push_back(std::move(answer));
}

// Of the host's own; gone with the rig.
struct TemporaryFile {
  TemporaryFile() {
    const int fd = ::mkstemp(path.data());
    REQUIRE(fd >= 0);
    ::close(fd);
  }
  ~TemporaryFile() { std::filesystem::remove(path); }
  void write(const std::string& text) const { std::ofstream(path, std::ios::trunc) << text; }
  std::string path = "/tmp/hikyaku-resolv-XXXXXX";
};

}  // namespace

TEST_CASE("dns: a question is answered") {
  StubRig rig(one_mx);
  auto answer = rig.ask("shop.example");
  CHECK(answer.status == Status::found);
  CHECK(answer.exchanges == std::vector<MxRecord>{{10, "mx.shop.example"}});
  CHECK(rig.server.questions().size() == 1);
  CHECK_FALSE(rig.server.questions()[0].over_tcp);
}

TEST_CASE("dns: what does not fit into a datagram comes over TCP") {
  StubRig rig([](const DnsQuestion& question) -> Messages {
    if (!question.over_tcp) return {DnsMessage(question).truncated().bytes()};
    DnsMessage message(question);
    for (std::uint16_t i = 0; i < 1500; ++i)
      message.mx(question.name, i, cat("mx", std::to_string(i), ".example"));
    return {message.bytes()};
  });
  auto answer = rig.ask("shop.example");
  CHECK(answer.status == Status::found);
  CHECK(answer.exchanges.size() == kMostRecords);
  CHECK(answer.exchanges.front().exchange == "mx0.example");
  CHECK(rig.server.questions().back().over_tcp);
}

TEST_CASE("dns: SERVFAIL, REFUSED and nonsense are failures, not the absence of a name") {
  for (const auto& [code, words] :
       {std::pair(2, "SERVFAIL"), std::pair(5, "REFUSED"), std::pair(9, "error 9")}) {
    CAPTURE(words);
    StubRig rig(
        [code](const DnsQuestion& question) -> Messages { return {DnsMessage(question, code).bytes()}; });
    auto answer = rig.ask("shop.example");
    CHECK(answer.status == Status::failed);
    CHECK(answer.trouble.find(words) != std::string::npos);
  }
  StubRig rig([](const DnsQuestion& question) -> Messages {
    const std::string whole = one_mx(question)[0];
    return {whole.substr(0, whole.size() - 5)};
  });
  CHECK(rig.ask("shop.example").trouble == "the DNS server's answer makes no sense");
}

TEST_CASE("dns: NXDOMAIN is told as such") {
  StubRig rig([](const DnsQuestion& question) -> Messages {
    return {DnsMessage(question, 3).soa("example", 900).bytes()};
  });
  auto answer = rig.ask("nowhere.example");
  CHECK(answer.status == Status::no_such_name);
  CHECK(answer.ttl == 900s);
}

TEST_CASE("dns: a silent server is asked again, and given up in time") {
  StubRig rig([](const DnsQuestion&) { return Messages{}; }, 50ms);
  auto answer = rig.ask("shop.example");
  CHECK(answer.status == Status::failed);
  CHECK(answer.trouble == "no DNS server answered in time");
  CHECK(rig.server.count("shop.example", DnsMessage::kMx) == 2);
}

TEST_CASE("dns: a lost answer costs one try") {
  auto first = std::make_shared<bool>(true);
  StubRig rig(
      [first](const DnsQuestion& question) {
        return std::exchange(*first, false) ? Messages{} : one_mx(question);
      },
      50ms);
  CHECK(rig.ask("shop.example").status == Status::found);
}

TEST_CASE("dns: nobody at the server's address is a failure") {
  SystemClock clock;
  io::Loop loop(clock);
  Endpoint gone;
  {
    FakeDns server(one_mx);
    gone = server.endpoint();
  }
  StubResolver resolver(loop, {.server = gone, .timeout = 50ms});
  auto answer = loop.run(resolver.look_up("shop.example", RecordType::mx, loop.within(60s)));
  CHECK(answer.status == Status::failed);
}

TEST_CASE("dns: answers with another id, or to another question, are not taken") {
  StubRig rig([](const DnsQuestion& question) -> Messages {
    const auto wrong_id = static_cast<std::uint16_t>(question.id + 1);
    DnsQuestion other = question;
    other.name = "other.example";
    return {DnsMessage(question).with_id(wrong_id).mx(question.name, 1, "mx.evil.example").bytes(),
            DnsMessage(other).mx(question.name, 1, "mx.evil.example").bytes(), one_mx(question)[0]};
  });
  auto answer = rig.ask("shop.example");
  CHECK(answer.exchanges == std::vector<MxRecord>{{10, "mx.shop.example"}});
}

TEST_CASE("dns: a look-up ends with its deadline or its cancellation, and the next one is answered") {
  StubRig rig([](const DnsQuestion& question) {
    return question.name == "silent.example" ? Messages{} : one_mx(question);
  });
  CHECK(rig.ask("silent.example", RecordType::mx, 20ms).trouble == "timed out");
  io::Cancel cancel;
  std::vector<Answer> answers;
  io::Nursery nursery(rig.loop);
  nursery.spawn(keep_answer(rig.resolver, "silent.example", {kNever, &cancel}, answers));
  CHECK(answers.empty());
  cancel.request();
  rig.loop.run(nursery.drained({}));
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].trouble == "cancelled");
  CHECK(rig.ask("shop.example").status == Status::found);
}

TEST_CASE("dns: many questions at a time are all answered") {
  StubRig rig(one_mx);
  std::vector<Answer> answers;
  io::Nursery nursery(rig.loop);
  for (int i = 0; i < 700; ++i)
    nursery.spawn(
        keep_answer(rig.resolver, cat("d", std::to_string(i), ".example"), rig.loop.within(60s), answers));
  rig.loop.run(nursery.drained({}));
  CHECK(answers.size() == 700);
  for (const Answer& answer : answers) CHECK(answer.status == Status::found);
}

TEST_CASE("dns: another server is used for what is asked from then on") {
  StubRig rig(one_mx);
  FakeDns other([](const DnsQuestion& question) -> Messages {
    return {DnsMessage(question).mx(question.name, 5, "mx.other.example").bytes()};
  });
  CHECK(rig.ask("shop.example").exchanges[0].exchange == "mx.shop.example");
  CHECK(rig.resolver.use_server(other.endpoint()));
  CHECK_FALSE(rig.resolver.use_server(other.endpoint()));
  CHECK(rig.ask("shop.example").exchanges[0].exchange == "mx.other.example");
}

TEST_CASE("dns: resolv.conf is read again when it has changed") {
  ManualClock clock(false);
  io::Loop loop(clock);
  FakeDns first(one_mx);
  const std::string second_at = cat("127.0.0.2:", std::to_string(first.endpoint().port));
  FakeDns second(one_mx, second_at.c_str());
  const TemporaryFile file;
  file.write("nameserver 127.0.0.1\n");
  StubResolver resolver(loop, {.resolv_conf = file.path, .port = first.endpoint().port});
  auto ask = [&] { return loop.run(resolver.look_up("shop.example", RecordType::mx, {})).status; };
  CHECK(ask() == Status::found);
  CHECK(first.questions().size() == 1);
  file.write("# moved\nnameserver 127.0.0.2\n");
  clock.advance(10s);
  CHECK(ask() == Status::found);
  CHECK(first.questions().size() == 1);
  CHECK(second.questions().size() == 1);
}
