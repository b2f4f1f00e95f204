// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <cerrno>
#include <functional>

#include "daemon/system/accounts.h"

using namespace hikyaku;
using namespace hikyaku::system;

namespace {

constexpr uid_t kRoot = 0;
constexpr uid_t kSomebody = 1000;

FindAccount machine_with(std::vector<Account> accounts) {
  return [accounts = std::move(accounts)](const std::string& name) -> std::optional<Account> {
    for (const Account& account : accounts)
      if (account.name == name) return account;
    return std::nullopt;
  };
}

int refuse_groups(const char*, gid_t) { return errno = EPERM, -1; }
int refuse_ids(uid_t, uid_t, uid_t) { return errno = EPERM, -1; }
int pretend_groups(const char*, gid_t) { return 0; }
int pretend_ids(uid_t, uid_t, uid_t) { return 0; }

// What `work` returns in a process of its own, which it may ruin as it likes.
int in_a_child(const std::function<int()>& work) {
  pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("app: who is not root becomes nobody else, whatever `user` says") {
  auto account = choose_account(kSomebody, "hikyaku", machine_with({}));
  REQUIRE(account);
  CHECK_FALSE(*account);
}

TEST_CASE("app: root becomes the configured user, or hikyaku where there is one") {
  auto find = machine_with({{"hikyaku", 990, 990}, {"relay", 991, 991}});
  CHECK(choose_account(kRoot, "relay", find).value()->uid == 991);
  CHECK(choose_account(kRoot, "", find).value()->uid == 990);
}

TEST_CASE("app: root without anybody to become is a problem that says what to do") {
  auto account = choose_account(kRoot, "", machine_with({}));
  REQUIRE_FALSE(account);
  CHECK(account.error().key == "user");
  CHECK(account.error().text.find("useradd --system") != std::string::npos);
}

TEST_CASE("app: root does not become a user that is missing, or root by another name") {
  auto find = machine_with({{"toor", 0, 0}, {"wheel", 1001, 0}});
  for (const char* user : {"nosuch", "toor", "wheel"}) {
    CAPTURE(user);
    auto account = choose_account(kRoot, user, find);
    REQUIRE_FALSE(account);
    CHECK(account.error().text.find(user) != std::string::npos);
  }
}

TEST_CASE("app: the machine knows root, and nobody of an odd name") {
  REQUIRE(find_account("root"));
  CHECK(find_account("root")->uid == 0);
  CHECK_FALSE(find_account("no such user!"));
}

TEST_CASE("app: each step of giving up root that fails ends the start") {
  Account account{"nobody", ::getuid() + 4, ::getgid() + 4};
  IdentityCalls pretending{pretend_groups, pretend_ids, pretend_ids};
  for (int step = 0; step < 3; ++step) {
    IdentityCalls calls = pretending;
    if (step == 0) calls.set_groups = refuse_groups;
    if (step == 1) calls.set_gid = refuse_ids;
    if (step == 2) calls.set_uid = refuse_ids;
    auto done = become(account, calls);
    REQUIRE_FALSE(done);
    CHECK(done.error().kind == Exit::internal);
    CHECK(done.error().text.find("Operation not permitted") != std::string::npos);
  }
}

TEST_CASE("app: system calls that only say that they have worked are found out") {
  Account account{"nobody", ::getuid() + 4, ::getgid() + 4};
  auto done = become(account, {pretend_groups, pretend_ids, pretend_ids});
  REQUIRE_FALSE(done);
  CHECK(done.error().text == "has not become nobody");
}

TEST_CASE("app: root becomes nobody for good") {
  if (::geteuid() != 0) return;
  auto nobody = find_account("nobody");
  REQUIRE(nobody);
  int result = in_a_child([&] {
    if (!become(*nobody)) return 1;
    if (::getuid() != nobody->uid || ::getegid() != nobody->gid) return 2;
    if (::setuid(0) == 0 || ::seteuid(0) == 0) return 3;
    return ::getgroups(0, nullptr) > 1 ? 4 : 0;
  });
  CHECK(result == 0);
}

TEST_CASE("app: a process that could be root again does not run") {
  if (::geteuid() != 0) return;
  auto nobody = find_account("nobody");
  REQUIRE(nobody);
  auto keep_saved = [](uid_t real, uid_t effective, uid_t) { return ::setresuid(real, effective, 0); };
  int result = in_a_child([&] { return become(*nobody, {::initgroups, ::setresgid, keep_saved}) ? 1 : 0; });
  CHECK(result == 0);
}
