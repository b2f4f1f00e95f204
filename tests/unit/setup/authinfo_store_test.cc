// SPDX-License-Identifier: MIT
#include "daemon/setup/authinfo_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "daemon/base/text.h"
#include "daemon/system/files.h"
#include "doctest/doctest.h"

namespace hikyaku::setup {
namespace {

config::AuthinfoEntry entry_of(std::string host, std::optional<std::uint16_t> port, std::string user,
                               std::string password = "hunter2") {
  config::AuthinfoEntry entry{std::move(host), port, {}};
  entry.credentials.user = std::move(user);
  entry.credentials.password = Secret(std::move(password));
  return entry;
}

struct StoreRig {
  system::TemporaryDirectory place{"hikyaku-store"};
  std::string file = place.file("authinfo");
  AuthinfoStore store{file, std::nullopt};

  std::string text() const { return system::read_whole_file(file); }
  mode_t mode() const {
    struct stat status{};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    return status.st_mode & 07777;
  }
};

TEST_CASE("authinfo store: entries are put in, replaced and taken out") {
  StoreRig rig;
  CHECK(rig.store.list()->empty());
  CHECK(rig.store.put(entry_of("a.example", 587, "me"))->line == 1);
  CHECK(rig.store.put(entry_of("b.example", {}, "me"))->line == 2);
  CHECK_FALSE(rig.store.put(entry_of("a.example", 587, "me", "new"))->is_new);
  CHECK(rig.store.remove({"b.example"}));
  CHECK(rig.text() == "machine a.example port 587 login me password new\n");
  CHECK(rig.mode() == 0600);
}

TEST_CASE("authinfo store: root gives the file to the daemon's group, and to nobody else") {
  if (::geteuid() != 0) return;
  StoreRig rig;
  const AuthinfoStore store(rig.file, system::Account{"daemon", 1, 1});
  REQUIRE(store.put(entry_of("a.example", {}, "me")));
  struct stat status{};
  REQUIRE(::stat(rig.file.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0640);
  CHECK(status.st_uid == 0);
  CHECK(status.st_gid == 1);
  CHECK(store.list()->size() == 1);
}

TEST_CASE("authinfo store: what does not say one entry removes none") {
  StoreRig rig;
  REQUIRE(rig.store.put(entry_of("a.example", 587, "me")));
  REQUIRE(rig.store.put(entry_of("a.example", 587, "you")));
  REQUIRE(rig.store.put(entry_of("a.example", {}, "you")));
  const std::string before = rig.text();
  auto several = rig.store.remove({"a.example"});
  REQUIRE_FALSE(several);
  CHECK(several.error().kind == Exit::usage);
  CHECK(several.error().text ==
        "several entries fit; say which one with --user and --port:\n"
        "  a.example port 587, user me\n  a.example port 587, user you\n  a.example, user you");
  auto none = rig.store.remove({"b.example"});
  REQUIRE_FALSE(none);
  CHECK(none.error().kind == Exit::no_input);
  CHECK(rig.text() == before);
  CHECK(rig.store.remove({"a.example", 587, "you"}));
  CHECK(rig.store.remove({"a.example", {}, "you"}));
  CHECK(rig.store.list()->size() == 1);
}

TEST_CASE("authinfo store: a file that the daemon would refuse is not touched, in the daemon's words") {
  StoreRig rig;
  system::write_new_file(rig.file, "machine a.example login me password hunter2\n");
  REQUIRE(::chmod(rig.file.c_str(), 0644) == 0);
  auto refused = rig.store.put(entry_of("b.example", {}, "me"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == Exit::configuration);
  CHECK(refused.error().text == cat(rig.file,
                                    ": others may read or write the passwords in it (mode 0644); run: "
                                    "chmod 600 ",
                                    rig.file));
  REQUIRE(::chmod(rig.file.c_str(), 0600) == 0);
  REQUIRE(system::replace_file(rig.file, "machine a.example login me hunter2\n"));
  auto unreadable = rig.store.remove({"a.example"});
  REQUIRE_FALSE(unreadable);
  CHECK(unreadable.error().text.starts_with(cat(rig.file, ":1: ")));
  CHECK(unreadable.error().text.find("hunter2") == std::string::npos);
  CHECK(rig.text() == "machine a.example login me hunter2\n");
}

}  // namespace
}  // namespace hikyaku::setup
