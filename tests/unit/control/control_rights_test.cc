// SPDX-License-Identifier: MIT
#include "daemon/control/control_rights.h"

#include <doctest/doctest.h>
#include <grp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "daemon/base/fd.h"
#include "daemon/system/accounts.h"

using namespace hikyaku;
using namespace hikyaku::control;

TEST_CASE("control: who may see and do everything, and who only what is their own") {
  constexpr uid_t kDaemon = 990;
  constexpr gid_t kAdm = 4;
  struct Case {
    const char* who;
    Caller caller;
    std::optional<gid_t> group;
    bool is_operator;
  };
  const Case cases[] = {
      {"root", {0, {0}}, kAdm, true},
      {"root without that group on the machine", {0, {0}}, std::nullopt, true},
      {"the daemon's user", {kDaemon, {kDaemon}}, kAdm, true},
      {"a member by a further group", {1000, {1000, 27, kAdm}}, kAdm, true},
      {"a member by the effective group", {1000, {kAdm}}, kAdm, true},
      {"anyone", {1000, {1000, 27}}, kAdm, false},
      {"a set-gid sendmail's caller", {1000, {991, 1000}}, kAdm, false},
      {"a member of a group of no meaning, where ours is missing", {1000, {kAdm}}, std::nullopt, false},
      {"a process without groups", {1000, {}}, kAdm, false},
      {"a nameless one of another user namespace", {65534, {65534}}, kAdm, false},
      {"a nameless group", {1000, {65534}}, 65534, false},
  };
  for (const Case& one : cases) {
    CAPTURE(one.who);
    Rights rights = rights_of(one.caller, kDaemon, one.group);
    CHECK(rights.is_operator == one.is_operator);
    CHECK(rights.uid == one.caller.uid);
    CHECK(rights.may_see(one.caller.uid));
    CHECK(rights.may_see(4711) == one.is_operator);
    CHECK(rights.may_see(std::nullopt) == one.is_operator);
  }
  CHECK_FALSE(rights_of({65534, {65534}}, 65534, std::nullopt).is_operator);
}

TEST_CASE("control: the kernel says who connected, with all groups") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  Fd ours(ends[0]);
  Fd theirs(ends[1]);
  auto caller = caller_of(ours.get());
  REQUIRE(caller);
  CHECK(caller->uid == ::geteuid());
  REQUIRE(!caller->groups.empty());
  CHECK(caller->groups[0] == ::getegid());
  std::vector<gid_t> groups(static_cast<std::size_t>(::getgroups(0, nullptr)));
  REQUIRE(::getgroups(static_cast<int>(groups.size()), groups.data()) >= 0);
  for (gid_t group : groups) CHECK(std::ranges::count(caller->groups, group) > 0);
  int pipe_ends[2];
  REQUIRE(::pipe(pipe_ends) == 0);
  Fd reading(pipe_ends[0]);
  Fd writing(pipe_ends[1]);
  CHECK(caller_of(reading.get()).error().starts_with("SO_PEERCRED: "));
}

// Only root can give itself groups; tests/run.sh is root.
TEST_CASE("control: more groups than anybody has are all seen" * doctest::skip(::geteuid() != 0)) {
  std::vector<gid_t> before(static_cast<std::size_t>(::getgroups(0, nullptr)));
  REQUIRE(::getgroups(static_cast<int>(before.size()), before.data()) >= 0);
  std::vector<gid_t> many;
  for (gid_t group = 5000; group < 5500; ++group) many.push_back(group);
  REQUIRE(::setgroups(many.size(), many.data()) == 0);
  int ends[2];
  int made = ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
  REQUIRE(::setgroups(before.size(), before.data()) == 0);
  REQUIRE(made == 0);
  Fd ours(ends[0]);
  Fd theirs(ends[1]);
  auto caller = caller_of(ours.get());
  REQUIRE(caller);
  CHECK(caller->groups.size() == many.size() + 1);
  CHECK(rights_of({1000, caller->groups}, 990, 5499).is_operator);
}

TEST_CASE("control: a group is found by its name") {
  CHECK(system::find_group("root") == 0);
  CHECK_FALSE(system::find_group("no such group"));
}
