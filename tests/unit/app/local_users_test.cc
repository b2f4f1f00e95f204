// SPDX-License-Identifier: MIT
#include "daemon/app/local_users.h"

#include <doctest/doctest.h>

#include <atomic>
#include <mutex>
#include <set>

using namespace hikyaku;
using namespace hikyaku::app;

namespace {

// A user database that counts questions, can be held up, and can fail.
struct UsersRig {
  ManualClock clock;
  io::Loop loop{clock};
  io::Nursery nursery{loop};
  std::set<std::string> existing{"anna", "root"};
  std::atomic<int> asked{0};
  std::atomic<bool> is_broken{false};
  std::mutex held;
  LocalUsers users{loop, nursery, [this](const std::string& name) {
                     ++asked;
                     std::lock_guard wait(held);
                     return is_broken ? std::nullopt : std::optional(existing.contains(name));
                   }};

  bool learn(std::vector<std::string> names) {
    return loop.run(users.learn(std::move(names), loop.within(10s)));
  }
};

Task<void> learn_and_count(UsersRig& rig, std::vector<std::string> names, int& learned) {
  learned += co_await rig.users.learn(std::move(names), rig.loop.within(10s)) ? 1 : 0;
}

Task<void> learn_at_once(UsersRig& rig, int& learned) {
  rig.nursery.spawn(learn_and_count(rig, {"anna", "x1"}, learned));
  rig.nursery.spawn(learn_and_count(rig, {"anna", "x2"}, learned));
  rig.nursery.spawn(learn_and_count(rig, {"x1"}, learned));
  co_await rig.nursery.drained({});
}

}  // namespace

TEST_CASE("users: a name is asked about once, and again after a minute or a reload") {
  UsersRig rig;
  CHECK(rig.learn({"anna", "nobody"}));
  CHECK(rig.users.is_user("anna"));
  CHECK_FALSE(rig.users.is_user("nobody"));
  CHECK(rig.learn({"anna", "nobody"}));
  CHECK(rig.asked == 2);
  rig.existing.insert("nobody");
  rig.clock.advance(1min);
  CHECK(rig.learn({"nobody"}));
  CHECK(rig.users.is_user("nobody"));
  CHECK(rig.asked == 3);
  rig.users.forget();
  CHECK_FALSE(rig.users.knows({"anna"}));
  CHECK(rig.learn({"anna"}));
  CHECK(rig.asked == 4);
}

TEST_CASE("users: several that ask at once all get their answers, and no name is asked about twice") {
  UsersRig rig;
  int learned = 0;
  rig.loop.run(learn_at_once(rig, learned));
  CHECK(learned == 3);
  CHECK(rig.asked == 3);
}

TEST_CASE("users: more names than are kept are all known when they have been learned") {
  UsersRig rig;
  std::vector<std::string> many;
  for (int i = 0; i < 12'000; ++i) many.push_back(std::to_string(i));
  CHECK(rig.learn({"anna"}));
  CHECK(rig.learn(many));
  CHECK(rig.learn({"root"}));
  CHECK(rig.users.is_user("root"));
}

TEST_CASE("users: a broken database is no answer, and an old answer is better than none") {
  UsersRig rig;
  CHECK(rig.learn({"anna"}));
  rig.is_broken = true;
  CHECK_FALSE(rig.learn({"root", "anna"}));
  rig.clock.advance(1min);
  CHECK(rig.learn({"anna"}));
  CHECK(rig.users.is_user("anna"));
  rig.is_broken = false;
  CHECK(rig.learn({"root", "anna"}));
}

TEST_CASE("users: a silent database is no answer either, and its answer is used when it comes") {
  UsersRig rig;
  std::unique_lock hold(rig.held);
  // The simulated time does not pass while the pool works, so the wait is over before it begins.
  CHECK_FALSE(rig.loop.run(rig.users.learn({"anna"}, {rig.loop.now(), nullptr})));
  hold.unlock();
  rig.loop.run(rig.nursery.drained({}));
  CHECK(rig.learn({"anna"}));
  CHECK(rig.asked == 1);
}

TEST_CASE("users: this machine's own database knows root, and nobody of an impossible name") {
  CHECK(system::is_user("root") == true);
  CHECK(system::is_user("no such user/:") == false);
}
