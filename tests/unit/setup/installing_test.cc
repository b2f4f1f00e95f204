// SPDX-License-Identifier: MIT
#include "daemon/setup/installing.h"

#include <sys/stat.h>

#include <filesystem>

#include "daemon/base/text.h"
#include "daemon/system/files.h"
#include "doctest/doctest.h"

namespace hikyaku::setup {
namespace {

struct InstallRig {
  system::TemporaryDirectory place{"hikyaku-install"};
  std::string config = place.file("etc/hikyaku.yaml");
  AuthinfoStore store{place.file("etc/authinfo"), std::nullopt};
  Answers answers{.target = {.host = "h.example", .port = 587, .tls = mail::TlsMode::starttls},
                  .user = "me",
                  .password = Secret("hunter2")};

  Result<std::vector<std::string>, StartError> put(const std::string& text) const {
    auto existing = find_existing(config);
    REQUIRE(existing);
    return install(*existing, text, store, answers);
  }
  std::string text(const std::string& name) const {
    return system::read_whole_file(place.file("etc/" + name));
  }
  mode_t mode(const std::string& name) const {
    struct stat status{};
    REQUIRE(::stat(place.file("etc/" + name).c_str(), &status) == 0);
    return status.st_mode & 07777;
  }
  std::size_t files() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(place.file("etc")))
      count += entry.is_regular_file();
    return count;
  }
};

TEST_CASE("setup's files: from nothing, the directory included") {
  InstallRig rig;
  auto lines = rig.put("smarthost: smtps://h.example\n");
  REQUIRE(lines);
  CHECK(join(*lines, "\n") == cat("wrote ", rig.store.path(), ": h.example, user me\nwrote ", rig.config));
  CHECK(rig.text("hikyaku.yaml") == "smarthost: smtps://h.example\n");
  CHECK(rig.text("authinfo") == "machine h.example login me password hunter2\n");
  CHECK(rig.mode("hikyaku.yaml") == 0644);
  CHECK(rig.mode("authinfo") == 0600);
  CHECK(rig.files() == 2);
}

TEST_CASE(
    "setup's files: of each file that changes a copy is kept, closed to others, and none is overwritten") {
  InstallRig rig;
  REQUIRE(rig.put("a: 1\n"));
  REQUIRE(::chmod(rig.config.c_str(), 0640) == 0);
  rig.answers.password = Secret("new");
  REQUIRE(rig.put("a: 2\n"));
  rig.answers.password = Secret("newer");
  REQUIRE(rig.put("a: 3\n"));
  CHECK(rig.text("hikyaku.yaml.before-setup") == "a: 1\n");
  CHECK(rig.text("hikyaku.yaml.before-setup.2") == "a: 2\n");
  CHECK(rig.text("authinfo.before-setup") == "machine h.example login me password hunter2\n");
  for (const char* copy : {"hikyaku.yaml.before-setup", "authinfo.before-setup", "authinfo.before-setup.2"})
    CHECK(rig.mode(copy) == 0600);
  CHECK(rig.mode("hikyaku.yaml") == 0640);
  CHECK(rig.files() == 6);
  REQUIRE(rig.put("a: 3\n"));
  CHECK(rig.files() == 6);
}

TEST_CASE("setup's files: an entry for this very port is the one that changes") {
  InstallRig rig;
  std::filesystem::create_directory(rig.place.file("etc"));
  system::write_new_file(rig.store.path(), "[h.example]:587 me:old\n");
  REQUIRE(rig.put("a: 1\n"));
  CHECK(rig.text("authinfo") == "[h.example]:587 me:hunter2\n");
}

TEST_CASE("setup's files: a configuration that somebody else changes meanwhile stays theirs") {
  InstallRig rig;
  REQUIRE(rig.put("a: 1\n"));
  auto existing = find_existing(rig.config);
  REQUIRE(existing);
  REQUIRE(system::replace_file(rig.config, "a: 2\n"));
  auto refused = install(*existing, "a: 3\n", rig.store, rig.answers);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == Exit::try_again);
  CHECK(rig.text("hikyaku.yaml") == "a: 2\n");
}

}  // namespace
}  // namespace hikyaku::setup
