// SPDX-License-Identifier: MIT
#include "daemon/app/local_submitters.h"

#include <doctest/doctest.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <atomic>
#include <mutex>

using namespace hikyaku;
using namespace hikyaku::app;
using config::SubmitOthers;

namespace {

// The answers of a user database, which counts questions and can be held up.
struct SubmittersRig {
  ManualClock clock;
  io::Loop loop{clock};
  io::Nursery nursery{loop};
  std::map<std::uint32_t, system::LocalUser> users;
  std::atomic<int> asked{0};
  std::atomic<bool> asked_for_groups{false};
  std::mutex held;
  LocalSubmitters submitters{loop, nursery, [this](std::uint32_t uid, system::WithGroups groups) {
                               ++asked;
                               asked_for_groups = groups == system::WithGroups::yes;
                               std::lock_guard wait(held);
                               auto found = users.find(uid);
                               return found == users.end() ? system::LocalUser() : found->second;
                             }};

  std::optional<smtpd::Submitter> find(std::uint32_t uid) {
    return loop.run(submitters.find(uid, loop.within(10s)));
  }
};

Task<void> find_and_count(SubmittersRig& rig, std::uint32_t uid, int& found) {
  auto submitter = co_await rig.submitters.find(uid, rig.loop.within(10s));
  found += submitter && submitter->name == rig.users[uid].name ? 1 : 0;
}

Task<void> find_many(SubmittersRig& rig, int& found) {
  for (std::uint32_t uid = 1000; uid < 1010; ++uid)
    for (int i = 0; i < 5; ++i) rig.nursery.spawn(find_and_count(rig, uid, found));
  co_await rig.nursery.drained({});
}

}  // namespace

TEST_CASE("submitters: a name is looked up once, and again after a minute") {
  SubmittersRig rig;
  rig.users[1000] = {.name = "ann", .groups = {}};
  CHECK(rig.find(1000)->name == "ann");
  CHECK(rig.find(1000)->name == "ann");
  CHECK(rig.asked == 1);
  rig.users[1000].name = "anna";
  rig.clock.advance(1min);
  CHECK(rig.find(1000)->name == "anna");
  CHECK(rig.asked == 2);
}

TEST_CASE("submitters: many who ask at once get the answer about their own uid") {
  SubmittersRig rig;
  for (std::uint32_t uid = 1000; uid < 1010; ++uid) rig.users[uid].name = "user" + std::to_string(uid);
  int found = 0;
  rig.loop.run(find_many(rig, found));
  CHECK(found == 50);
  CHECK(rig.asked == 10);
}

TEST_CASE("submitters: by default everyone may choose a sender, and no group is asked for") {
  SubmittersRig rig;
  CHECK(rig.find(1000)->may_choose_sender);
  CHECK(rig.find(1000)->name.empty());
  CHECK_FALSE(rig.asked_for_groups);
}

TEST_CASE("submitters: with `rewrite` only the trusted may: users, members of groups, root and the daemon") {
  SubmittersRig rig;
  rig.users[1000] = {.name = "ann", .groups = {"users"}};
  rig.users[1001] = {.name = "bob", .groups = {"users", "mail"}};
  rig.users[1002] = {.name = "eve", .groups = {"eve"}};
  rig.submitters.configure({.trusted = {"ann", "mail"}, .others = SubmitOthers::rewrite});
  CHECK(rig.find(1000)->may_choose_sender);
  CHECK(rig.find(1001)->may_choose_sender);
  CHECK_FALSE(rig.find(1002)->may_choose_sender);
  CHECK_FALSE(rig.find(4711)->may_choose_sender);
  CHECK(rig.find(0)->may_choose_sender);
  CHECK(rig.find(::geteuid())->may_choose_sender);
  CHECK(rig.asked_for_groups);
}

TEST_CASE("submitters: a database that does not answer in time matters only with `rewrite`") {
  for (SubmitOthers others : {SubmitOthers::allow, SubmitOthers::rewrite}) {
    SubmittersRig rig;
    rig.submitters.configure({.trusted = {}, .others = others});
    std::unique_lock hold(rig.held);
    // The simulated time does not pass while the pool works, so the wait is over before it begins.
    auto submitter = rig.loop.run(rig.submitters.find(1000, {rig.loop.now(), nullptr}));
    CHECK(submitter.has_value() == (others == SubmitOthers::allow));
    hold.unlock();
    rig.loop.run(rig.nursery.drained({}));
  }
}

TEST_CASE("submitters: an answer that is a minute old is better than none") {
  SubmittersRig rig;
  rig.users[1000] = {.name = "ann", .groups = {}};
  rig.submitters.configure({.trusted = {"ann"}, .others = SubmitOthers::rewrite});
  CHECK(rig.find(1000)->may_choose_sender);
  rig.clock.advance(2min);
  std::unique_lock hold(rig.held);
  auto submitter = rig.loop.run(rig.submitters.find(1000, {rig.loop.now(), nullptr}));
  REQUIRE(submitter);
  CHECK(submitter->name == "ann");
  hold.unlock();
  rig.loop.run(rig.nursery.drained({}));
}

TEST_CASE("submitters: a reload forgets, also what is being asked for") {
  SubmittersRig rig;
  rig.users[1000] = {.name = "ann", .groups = {"mail"}};
  std::unique_lock hold(rig.held);
  auto submitter = rig.loop.run(rig.submitters.find(1000, {rig.loop.now(), nullptr}));
  CHECK(submitter->name.empty());
  rig.submitters.configure({.trusted = {"mail"}, .others = SubmitOthers::rewrite});
  hold.unlock();
  rig.loop.run(rig.nursery.drained({}));
  CHECK(rig.find(1000)->may_choose_sender);
  CHECK(rig.asked == 2);
}

TEST_CASE("submitters: the machine's database is asked") {
  system::LocalUser root = system::find_local_user(0, system::WithGroups::yes);
  CHECK(root.name == "root");
  REQUIRE_FALSE(root.groups.empty());
  CHECK(root.groups.front() == "root");
  CHECK(system::find_local_user(0, system::WithGroups::no).groups.empty());
  CHECK(system::find_local_user(0xfffffff0U, system::WithGroups::yes).name.empty());
  CHECK(unknown_trusted({.trusted = {"root", "no-such-name-here"}, .others = {}}) ==
        std::vector<std::string>{"no-such-name-here"});
}
