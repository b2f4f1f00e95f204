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

TEST_CASE("control: who may see and change everything, who may see it, and who only what is their own") {
  constexpr uid_t kDaemon = 990;
  constexpr gid_t kOurs = 989;
  constexpr gid_t kAdm = 4;
  enum Rank { nobody, sees, changes };
  struct Case {
    const char* who;
    Caller caller;
    std::optional<gid_t> operators;
    Rank rank;
  };
  const Case cases[] = {
      {"root", {0, {0}}, kAdm, changes},
      {"root without that group on the machine", {0, {0}}, std::nullopt, changes},
      {"the daemon's user", {kDaemon, {kDaemon}}, kAdm, changes},
      {"a member of the daemon's group", {1000, {1000, kOurs}}, kAdm, changes},
      {"a member by a further group", {1000, {1000, 27, kAdm}}, kAdm, sees},
      {"a member by the effective group", {1000, {kAdm}}, kAdm, sees},
      {"anyone", {1000, {1000, 27}}, kAdm, nobody},
      {"a set-gid sendmail's caller", {1000, {991, 1000}}, kAdm, nobody},
      {"a member of a group of no meaning, where ours is missing", {1000, {kAdm}}, std::nullopt, nobody},
      {"a process without groups", {1000, {}}, kAdm, nobody},
      {"a nameless one of another user namespace", {65534, {65534}}, kAdm, nobody},
      {"a nameless group", {1000, {65534}}, 65534, nobody},
  };
  for (const Case& one : cases) {
    CAPTURE(one.who);
    const Rights rights = rights_of(one.caller, {kDaemon, kOurs, one.operators});
    CHECK(rights.is_operator == (one.rank >= sees));
    CHECK(rights.uid == one.caller.uid);
    CHECK(rights.may_see(one.caller.uid));
    CHECK(rights.may_change(one.caller.uid));
    for (std::optional<std::uint32_t> other : {std::optional<std::uint32_t>(4711), {}}) {
      CHECK(rights.may_see(other) == (one.rank >= sees));
      CHECK(rights.may_change(other) == (one.rank == changes));
    }
  }
  CHECK_FALSE(rights_of({65534, {65534}}, {65534, 65534, std::nullopt}).is_operator);
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
  CHECK(rights_of({1000, caller->groups}, {990, 989, 5499}).is_operator);
}

TEST_CASE("control: a group is found by its name") {
  CHECK(system::find_group("root") == 0);
  CHECK_FALSE(system::find_group("no such group"));
}
