// SPDX-License-Identifier: MIT
// The queue over a spool that gives deferred mail back, as a shared one does.
#include <doctest/doctest.h>

#include "tests/unit/relay/relay_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;

namespace {

// Gives back what may go and has to wait, and says for each record what it has done.
class GivingSource final : public mail::MailSource {
 public:
  explicit GivingSource(mail::MailSource& source) : source_(source) {}
  std::vector<mail::Recorded> recorded;
  bool has_lost_it = false;  // another node has all mail

  std::vector<mail::QueueEntry> entries() const override { return source_.entries(); }
  Task<Result<mail::QueuedMail, mail::SourceError>> load(mail::MailId id) override {
    return source_.load(id);
  }
  Result<std::unique_ptr<mail::ContentReader>, mail::SourceError> open(mail::MailId id) override {
    return source_.open(id);
  }
  Task<Result<mail::Recorded, mail::SourceError>> record(mail::MailId id, mail::Progress progress,
                                                         mail::MayGo may_go) override {
    if (has_lost_it) co_return fail(mail::SourceErrorKind::unknown_mail, "it is another's");
    const bool goes = may_go == mail::MayGo::yes && progress.next_wait > Duration{0} && !progress.held;
    auto done = co_await source_.record(id, std::move(progress), may_go);
    if (!done) co_return done;
    recorded.push_back(goes ? mail::Recorded::given_back : mail::Recorded::kept);
    co_return recorded.back();
  }
  Task<Result<void, mail::SourceError>> finish(mail::MailId id) override {
    if (has_lost_it) co_return fail(mail::SourceErrorKind::unknown_mail, "it is another's");
    auto done = co_await source_.finish(id);
    co_return done;
  }

 private:
  mail::MailSource& source_;
};

struct GivingRig : RelayRig {
  GivingSource giving{*spool};
  bool is_busy = true;

  GivingRig() {
    source = &giving;
    settings.smarthosts = {some_smarthost("main"), some_smarthost("other")};
    settings.routes = {{.to = {*mail::AddressPattern::parse("*@other.example")}, .via = {{"other"}}},
                       {.via = {{"main"}}}};
    for (const char* name : {"main", "other"})
      hosts[name].answer = [this](const std::string& said) {
        if (said.starts_with("RCPT TO:<no")) return "550 5.1.1 no such user";
        return is_busy && said.starts_with("RCPT TO:<later") ? "451 4.2.1 later" : "";
      };
    start_relay();
    send({"a@net.example", "b@other.example"});  // so that both are proven
    pass();
    giving.recorded.clear();
  }
  std::size_t mails() { return main().mails.size() + hosts["other"].mails.size(); }
};

constexpr auto kGivenBack = mail::Recorded::given_back;
constexpr auto kKept = mail::Recorded::kept;

}  // namespace

TEST_CASE("given back: the queue forgets the mail, and tries it again when it is claimed") {
  GivingRig rig;
  const mail::MailId id = rig.send({"later@net.example"});
  rig.pass();
  CHECK(rig.giving.recorded == std::vector{kGivenBack});
  CHECK(rig.relay->queued() == 0);
  rig.is_busy = false;
  rig.relay->retry_all();
  rig.pass(24h);
  CHECK(rig.mails() == 2);
  rig.relay->claimed({{.id = id, .size = 10}});
  rig.pass();
  CHECK(rig.mails() == 3);
  CHECK(rig.queued().empty());
}

TEST_CASE("given back: a mail whose other part is not done stays until that is") {
  GivingRig rig;
  rig.hosts["other"].is_down = true;
  rig.reload();
  rig.send({"later@net.example", "b@other.example"});
  rig.pass();
  CHECK(rig.giving.recorded == std::vector{kKept});
  CHECK(rig.relay->queued() == 1);
  rig.hosts["other"].is_down = false;
  rig.relay->probe_paused();
  rig.pass(1h);
  REQUIRE(rig.giving.recorded.size() > 1);
  CHECK(rig.giving.recorded.back() == kGivenBack);
  CHECK(rig.relay->queued() == 0);
}

TEST_CASE(
    "given back: a mail that has become another's is forgotten, and its notice is said not to be sent") {
  GivingRig rig;
  rig.giving.has_lost_it = true;
  rig.send({"later@net.example"});
  rig.send({"no@net.example"});
  rig.pass();
  CHECK(rig.lines_with("has become another node's") == 1);
  CHECK(rig.relay->queued() <= 1);  // the notice: this spool stores it at once
}

TEST_CASE(
    "given back: a daemon asks for mail while a route is up, and for one to try it with while none is") {
  GivingRig rig;
  const std::size_t all = rig.relay->room();
  CHECK(all > 100);
  rig.main().is_down = true;
  rig.reload();
  rig.send({"a@net.example"});
  rig.send({"a@net.example"});
  rig.pass(10s);
  CHECK(rig.relay->queued() == 2);
  CHECK(rig.relay->room() == all);  // mail to other.example can go
  rig.hosts["other"].is_down = true;
  rig.reload();
  rig.send({"b@other.example"});
  rig.pass(10s);
  CHECK(rig.relay->room() == 0);
}
