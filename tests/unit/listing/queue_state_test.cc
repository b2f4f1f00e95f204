// SPDX-License-Identifier: MIT
#include "daemon/mail/queue_state.h"

#include <doctest/doctest.h>

#include "daemon/relay/status.h"

using namespace hikyaku;

namespace {

const WallTime kNow{std::chrono::seconds(1'790'000'000)};

mail::SmarthostReport up(std::string name) { return {std::move(name), "h", 25, true, 1, "", std::nullopt}; }
mail::SmarthostReport paused(std::string name, Duration since, Duration next) {
  mail::SmarthostReport report{name, "h", 25, true, 0, name + " is down", kNow + next};
  report.since = kNow - since;
  report.public_trouble = "cannot be reached";
  return report;
}

mail::RouteState route_of(std::vector<mail::SmarthostReport> smarthosts) {
  relay::StatusReport status;
  status.smarthosts = std::move(smarthosts);
  return relay::route_state_of(status, kNow);
}

}  // namespace

TEST_CASE("waiting: mail waits for the smarthost only if every one that could take it is paused") {
  CHECK(route_of({}).waits_for == mail::WaitsFor::nobody);
  CHECK(route_of({up("a")}).waits_for == mail::WaitsFor::nobody);
  CHECK(route_of({paused("a", 1min, 1min), up("b")}).waits_for == mail::WaitsFor::nobody);
  mail::RouteState one = route_of({paused("a", 1min, 4min)});
  CHECK(one.waits_for == mail::WaitsFor::smarthost);
  CHECK(one.reason == "a is down");
  mail::RouteState both = route_of({paused("a", 2min, 4min), paused("b", 1min, 3min)});
  CHECK(both.reason == "a: a is down; b: b is down");
  CHECK(both.public_reason == "a: cannot be reached; b: cannot be reached");
  CHECK(both.since == kNow - 1min);  // until then there was one
  CHECK(both.next == kNow + 3min);
}

TEST_CASE("waiting: where the rate of the smarthost whose turn it is is used up, mail waits for that") {
  mail::SmarthostReport slow = up("a");
  slow.trouble = "1000 of 1000 messages of this day are used up";
  CHECK(route_of({slow, up("b")}).waits_for == mail::WaitsFor::rate);
  CHECK(route_of({paused("b", 1min, 1min), slow}).reason == slow.trouble);
  CHECK(route_of({up("b"), slow}).waits_for == mail::WaitsFor::nobody);
}

TEST_CASE("waiting: a mail is active, or waits for its time, the smarthost or the operator, by one rule") {
  mail::RouteState well = route_of({up("a")});
  mail::RouteState down = route_of({paused("a", 1min, 4min)});
  mail::Standing fresh{};
  CHECK(state_of(fresh, well, true).state == mail::QueueState::active);
  CHECK(state_of(fresh, down, true) == mail::MailState{mail::QueueState::deferred, mail::WaitsFor::smarthost,
                                                       "a is down", kNow - 1min, kNow + 4min});
  CHECK(state_of(fresh, down, false).reason == "cannot be reached");
  mail::Standing tried{false, 1, kNow + 1h, kNow - 1h, "451 for me@example.com"};
  for (const mail::RouteState& route : {well, down})
    CHECK(state_of(tried, route, true) ==
          mail::MailState{
              mail::QueueState::deferred, mail::WaitsFor::time, "451 for me@example.com", {}, kNow + 1h});
  CHECK(state_of(tried, well, false).reason.empty());
  mail::Standing due{false, 1, kNow - 1s, kNow - 1h, "451"};
  CHECK(state_of(due, well, true).state == mail::QueueState::active);
  CHECK(state_of(due, down, true).waits_for == mail::WaitsFor::smarthost);
  well.released = kNow - 1min;  // by `hikyaku queue retry --all`, or a reload
  CHECK(state_of(tried, well, true).state == mail::QueueState::active);
  well.released = kNow - 2h;
  CHECK(state_of(tried, well, true).state == mail::QueueState::deferred);
  mail::Standing held{true, 1, {}, {}, "nobody to tell"};
  CHECK(state_of(held, down, true) ==
        mail::MailState{mail::QueueState::held, mail::WaitsFor::nobody, "nobody to tell", {}, {}});
  // Where no daemon was asked, a mail that was tried waits for its time, whenever that is.
  CHECK(state_of(due, mail::RouteState{}, true).waits_for == mail::WaitsFor::time);
}

TEST_CASE("waiting: what the daemon tells of its smarthosts means the same to the command as to the daemon") {
  auto read = [](const char* json) { return mail::route_state_of(*parse_json(json), kNow); };
  mail::RouteState down = read(
      R"({"released":"2026-09-21T14:13:19Z","smarthosts":[{"name":"a","why":"down","since":"2026-09-21T14:12:20Z",)"
      R"("next_probe":"2026-09-21T14:17:20Z"}]})");
  CHECK(down.waits_for == mail::WaitsFor::smarthost);
  CHECK(down.reason == "down");
  CHECK(down.since == kNow - 1min);
  CHECK(down.next == kNow + 4min);
  CHECK(down.released == kNow - 1s);
  CHECK(read(R"({"smarthosts":[{"name":"a","why":null,"since":null,"next_probe":null}]})").waits_for ==
        mail::WaitsFor::nobody);
  for (const char* odd : {"{}", "[]", R"({"smarthosts":7})", R"({"smarthosts":[7]})"})
    CHECK(read(odd).reason == "");
}

TEST_CASE("waiting: mail of a shared spool waits for a node while none that lives has it") {
  const mail::RouteState down = route_of({paused("a", 1min, 4min)});
  mail::Holder holder{.node = "app2"};
  mail::Standing standing{.attempts = 1, .next_attempt = kNow - 1min, .reason = "451", .holder = &holder};
  CHECK(state_of(standing, down, true).waits_for == mail::WaitsFor::smarthost);
  holder.away_since = kNow - 1min;
  holder.free_at = kNow + 2min;
  CHECK(state_of(standing, down, true) == mail::MailState{mail::QueueState::deferred, mail::WaitsFor::node,
                                                          "app2, which has it, has not been heard of",
                                                          kNow - 1min, kNow + 2min});
  holder = {};
  CHECK(state_of(standing, down, true).waits_for == mail::WaitsFor::node);
  standing.attempts = 0;
  standing.next_attempt = kNow + 1min;
  CHECK(state_of(standing, down, true) ==
        mail::MailState{mail::QueueState::deferred, mail::WaitsFor::time, "451", {}, kNow + 1min});
  standing.is_held = true;
  CHECK(state_of(standing, down, true).state == mail::QueueState::held);
}
