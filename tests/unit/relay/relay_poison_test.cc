// SPDX-License-Identifier: MIT
// Mails that a smarthost refuses in words that seem to be about us: they wait by themselves, and end in a
// bounce when it is clear that they are meant; other mail does not wait for them.
#include <doctest/doctest.h>

#include <map>

#include "daemon/base/text.h"
#include "daemon/relay/relay.h"
#include "tests/unit/relay/relay_rig.h"

using namespace hikyaku;
using namespace hikyaku::relay;
using namespace hikyaku::test;

namespace {

// Poisoned mails go to poison…@example.net, and come from p…@example.com; ordinary ones come from s….
bool is_poison(std::string_view text) { return text.find("poison") != text.npos; }
bool is_ordinary(std::string_view sender) { return sender.starts_with('s'); }

// What a poisoned mail is answered, and when.
struct Poison {
  const char* what;
  mail::Stage stage;
  const char* reply;
};

constexpr Poison kPoisons[] = {
    {"a quoted recipient", mail::Stage::rcpt, "550 5.7.0 <\"your ip \"@x.test> is no good"},
    {"words about our address", mail::Stage::rcpt, "554 5.7.1 Your IP is blocked by poison.example"},
    {"a limit", mail::Stage::rcpt, "550 5.2.0 Sending quota exceeded"},
    {"a remote server", mail::Stage::rcpt, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked"},
    {"a filter", mail::Stage::message, "550 5.7.0 rejected as spam"},
    {"a wrong password, says the remote server", mail::Stage::message, "550 5.7.8 authentication failed"},
};

void answer_poison(FakeSmarthost& host, const Poison& poison) {
  const std::string reply = poison.reply;
  if (poison.stage == mail::Stage::message)
    host.judge = [=](const ReceivedMail& mail) { return is_poison(mail.recipients.front()) ? reply : ""; };
  else
    host.answer = [=](const std::string& command) {
      return command.starts_with("RCPT") && is_poison(command) ? reply : "";
    };
}

struct PoisonRig : RelayRig {
  std::map<std::string, Instant> sent;
  std::size_t count = 0;

  explicit PoisonRig(const Poison* poison) {
    settings.smarthosts[0].credentials = some_credentials();
    start_relay();
    send();
    pass();  // proven
    if (poison != nullptr) answer_poison(main(), *poison);
  }
  // From and to people of its own.
  mail::MailId send_one(const char* kind) {
    const std::string number = std::to_string(++count);
    const std::string from = cat(std::string_view(kind, 1), number, "@example.com");
    sent[from] = loop.now();
    return send({cat(kind, number, "@example.net")}, from);
  }
  void send_many(const char* kind, int number) {
    for (int i = 0; i < number; ++i) send_one(kind);
  }
  // How long each of the ordinary mails took; it must have arrived.
  Duration longest() {
    Duration longest{0};
    std::size_t arrived = 0;
    for (const ReceivedMail& mail : main().mails) {
      auto found = sent.find(mail.sender);
      if (found == sent.end() || !is_ordinary(mail.sender)) continue;
      ++arrived;
      longest = std::max(longest, mail.at - found->second);
    }
    CHECK(arrived == static_cast<std::size_t>(std::ranges::count_if(
                         sent, [](const auto& mail) { return is_ordinary(mail.first); })));
    return longest;
  }
  bool has_bounced(const std::string& reply) {
    return std::ranges::any_of(main().mails, [&](const ReceivedMail& mail) {
      return mail.sender.empty() && mail.content.find(reply) != mail.content.npos;
    });
  }
};

// In which order twenty poisoned mails come among ordinary ones.
enum class Order { among, before, long_before, behind };

void send_all(PoisonRig& rig, Order order, int ordinary) {
  if (order == Order::among) {
    for (int i = 0; i < ordinary; ++i) {
      if (i % (ordinary / 20) == 3) rig.send_one("poison");
      rig.send_one("s");
      if (i % 10 == 0) rig.pass(20ms);
    }
    return;
  }
  if (order != Order::behind) rig.send_many("poison", 20);
  if (order == Order::long_before) rig.pass(5s);
  rig.send_many("s", ordinary);
  if (order == Order::behind) rig.send_many("poison", 20);
}

}  // namespace

TEST_CASE("relay: twenty poisoned mails among a thousand ordinary ones delay none of those by two seconds") {
  for (const Poison& poison : kPoisons) {
    CAPTURE(poison.what);
    PoisonRig rig(&poison);
    send_all(rig, Order::among, 1000);
    rig.pass(3s);
    CHECK(rig.longest() < 2s);
    CHECK(rig.queued().size() == 20);
    CHECK(rig.lines_with("status=failed") == 0);
  }
}

TEST_CASE("relay: nor do they where they all come at once, before the others or behind them") {
  for (const Poison& poison : {kPoisons[1], kPoisons[4]})
    for (Order order : {Order::before, Order::long_before, Order::behind}) {
      CAPTURE(poison.what);
      CAPTURE(static_cast<int>(order));
      PoisonRig rig(&poison);
      send_all(rig, order, 100);
      rig.pass(5s);
      CHECK(rig.longest() < 2s);
    }
}

TEST_CASE(
    "relay: a poisoned mail bounces with its reply when others have been accepted for a quarter of an hour") {
  for (const Poison& poison : kPoisons) {
    CAPTURE(poison.what);
    PoisonRig rig(&poison);
    rig.send_many("poison", 3);
    for (int minute = 0; minute < 14; ++minute) {
      rig.send_one("s");
      rig.pass(1min);
    }
    CHECK_FALSE(rig.has_bounced(poison.reply));
    CHECK(rig.queued().size() == 3);
    for (int minute = 0; minute < 60; ++minute) {
      rig.send_one("s");
      rig.pass(1min);
    }
    CHECK(rig.has_bounced(poison.reply));
    CHECK(rig.lines_with("status=failed") == 3);
    CHECK(rig.queued().empty());
    CHECK(rig.longest() < 2s);
  }
}

TEST_CASE(
    "relay: where nothing else is accepted a mail that may not be meant waits, and bounces when something "
    "is") {
  PoisonRig rig(&kPoisons[4]);
  rig.send_many("poison", 3);
  rig.pass(10 * 24h);
  CHECK(rig.lines_with("status=failed") == 0);
  CHECK_FALSE(rig.has_bounced(kPoisons[4].reply));
  for (int hour = 0; hour < 6; ++hour) {
    rig.send_one("s");
    rig.pass(1h);
  }
  CHECK(rig.has_bounced(kPoisons[4].reply));
}

TEST_CASE(
    "relay: an account that is blocked in words only pauses the smarthost, bounces nothing, and recovers") {
  PoisonRig rig(nullptr);
  rig.main().judge = [](const ReceivedMail&) { return "550 Your account has been suspended"; };
  rig.send_many("s", 300);
  rig.pass(24h);
  CHECK(rig.lines_with("smarthost paused") >= 1);
  CHECK(rig.lines_with("smarthost paused") <= 4);
  CHECK(rig.lines_with("status=failed") == 0);
  CHECK(rig.relay->report().smarthosts[0].trouble.find("has been suspended") != std::string::npos);
  // Most of the mail was left alone.
  CHECK(rig.lines_with("status=deferred") < 900);
  rig.main().judge = [](const ReceivedMail&) { return ""; };
  rig.pass(2h);
  CHECK(rig.queued().empty());
  CHECK(rig.main().mails.size() >= 301);
  CHECK(rig.lines_with("status=failed") == 0);
}

TEST_CASE("relay: what one application alone sends pauses nothing in words only, and waits") {
  PoisonRig rig(nullptr);
  rig.main().judge = [](const ReceivedMail& mail) {
    return mail.sender == "app@example.com" ? "550 Your account has been suspended" : "";
  };
  for (int i = 0; i < 5; ++i) rig.send({cat("r", std::to_string(i), "@example.net")});
  rig.pass();
  CHECK(rig.lines_with("smarthost paused") == 0);
  CHECK(rig.queued().size() == 5);
  CHECK(rig.lines_with("refused this mail in a way that may concern all mail from here") == 5);
}

TEST_CASE("relay: a new smarthost is paused by the first such word, as before") {
  RelayRig rig;
  rig.settings.smarthosts[0].credentials = some_credentials();
  rig.main().judge = [](const ReceivedMail&) { return "550 5.7.0 Your account is not yet activated"; };
  rig.start_relay();
  rig.send();
  rig.pass();
  CHECK(rig.lines_with("smarthost paused") == 1);
  rig.pass(24h);
  CHECK(rig.lines_with("status=failed") == 0);
}

TEST_CASE("relay: a probe passes over every mail on which the smarthost has hung up since the pause began") {
  PoisonRig rig(nullptr);
  rig.main().answer = [](const std::string& command) { return is_poison(command) ? "HANG UP" : ""; };
  rig.send_many("poison", 20);
  rig.send_many("s", 100);
  rig.pass(1min);
  CHECK(rig.longest() < 15s);
  CHECK(rig.queued().size() == 20);
}
