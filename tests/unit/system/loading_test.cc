// SPDX-License-Identifier: MIT
#include "daemon/system/loading.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>

#include "daemon/base/text.h"
#include "daemon/system/files.h"
#include "tests/support/accounts.h"

using namespace hikyaku;
using namespace hikyaku::system;
using test::courier;
using test::kCourier;
using test::nobody_there;

namespace {

std::optional<Account> us(const std::string& name) { return Account{name, ::getuid(), ::getgid()}; }

struct Written {
  explicit Written(std::string config, std::string authinfo = "") {
    system::write_new_file(place.file("authinfo"), authinfo);
    system::write_new_file(file, cat(config, "hostname: one.example.com\ndomain: example.com\nauthinfo: ",
                                     place.file("authinfo"), "\nspool: {directory: ", place.path(), "}\n"));
  }
  system::TemporaryDirectory place{"hikyaku-test"};
  std::string file = place.file("hikyaku.yaml");
};

constexpr const char* kOneLine = "smarthost: submission://smtp.example.com\n";

}  // namespace

TEST_CASE("system: configuration and credentials come together") {
  Written written(kOneLine, "machine smtp.example.com login me password secret\n");
  auto loaded = load_everything(written.file, Purpose::run, courier);
  REQUIRE(loaded);
  REQUIRE(loaded->settings.smarthosts.size() == 1);
  REQUIRE(loaded->settings.smarthosts[0].credentials);
  CHECK(loaded->settings.smarthosts[0].credentials->user == "me");
  CHECK(loaded->account.has_value() == (::geteuid() == 0));
}

TEST_CASE("system: all problems of the configuration are told, each with its place") {
  Written written("smarthost: submission://smtp.example.com\nsmart_host: x\nlogg: {}\n");
  auto loaded = load_everything(written.file, Purpose::run, us);
  REQUIRE_FALSE(loaded);
  REQUIRE(loaded.error().size() == 2);
  CHECK(config::to_text(loaded.error()[0]).starts_with(cat(written.file, ":2:1: smart_host: ")));
}

TEST_CASE("system: a mistake in the credentials file is told without what stands there") {
  Written written(kOneLine, "machine smtp.example.com login me password\n");
  auto loaded = load_everything(written.file, Purpose::run, courier);
  REQUIRE_FALSE(loaded);
  CHECK(config::to_text(loaded.error()[0]).starts_with(written.place.file("authinfo:1")));
}

TEST_CASE("system: root without a user to become is a problem of the configuration, but not of its check") {
  if (::geteuid() != 0) return;
  Written written(kOneLine);
  auto run = load_everything(written.file, Purpose::run, nobody_there);
  REQUIRE_FALSE(run);
  CHECK(config::to_text(run.error()[0]).starts_with(cat(written.file, ": user: ")));
  auto check = load_everything(written.file, Purpose::check, nobody_there);
  REQUIRE(check);
  CHECK_FALSE(check->account);
  Written named("smarthost: submission://smtp.example.com\nuser: nosuch\n");
  CHECK_FALSE(load_everything(named.file, Purpose::check, nobody_there));
}

TEST_CASE("system: a group may read the credentials only if it is that of the user whom root becomes") {
  if (::geteuid() != 0) return;
  Written written(kOneLine);
  std::filesystem::permissions(written.place.file("authinfo"), std::filesystem::perms(0640));
  REQUIRE(::chown(written.place.file("authinfo").c_str(), 0, 4242) == 0);
  CHECK(load_everything(written.file, Purpose::run, courier));
  CHECK_FALSE(load_everything(written.file, Purpose::run,
                              [](const std::string& name) { return system::Account{name, 4243, 4243}; }));
}
