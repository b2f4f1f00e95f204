// SPDX-License-Identifier: MIT
// The file of tokens: its form, who may read it, and the power cut at each step of writing it.
#include "daemon/oauth/token_store.h"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "tests/unit/oauth/oauth_rig.h"

using namespace hikyaku;
using namespace hikyaku::oauth;
using namespace hikyaku::test;

namespace {

StoredToken some_token(const std::string& refresh) {
  StoredToken token = consented(refresh);
  token.scope = "SMTP.Send";
  token.account = "me@example.com";
  token.access_token = Secret("access of " + refresh);
  token.lifetime = 1h;
  token.obtained = token.consented = WallTime(std::chrono::seconds(1'790'000'000));
  token.expires = token.obtained + 1h;
  return token;
}

std::string temporary_directory() {
  std::string name = "/tmp/hikyaku-oauth-XXXXXX";
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  return name;
}

}  // namespace

TEST_CASE("oauth: a token comes back as it was stored, and what is no token is none") {
  StoredToken token = some_token("r\"\\1");
  token.refused = "invalid_grant: gone";
  token.refused_since = token.obtained;
  CHECK(parse_stored_token(to_text(token).reveal()) == token);
  CHECK(parse_stored_token(to_text(StoredToken{}).reveal()) == StoredToken{});
  CHECK(parse_stored_token("{}") == std::nullopt);
  CHECK(parse_stored_token(R"({"format":2})") == std::nullopt);
  CHECK(parse_stored_token("") == std::nullopt);
}

TEST_CASE(
    "oauth: a power cut at any step of saving leaves the old token or the new one, and after save() the new "
    "one") {
  for (std::uint64_t step = 1;; ++step) {
    auto disk = std::make_unique<SimDisk>();
    SimDisk& power = *disk;
    TokenStore store(std::move(disk));
    REQUIRE(store.save("main", some_token("old")));
    const std::uint64_t before = power.steps();
    power.cut_power_at(before + step);
    const bool saved = store.save("main", some_token("new")).has_value();
    power.cut_power();
    for (std::uint64_t seed = 0; seed < 9; ++seed) {
      TokenStore after(power.after_cut(seed));
      auto token = after.load("main");
      REQUIRE_MESSAGE(token, token.error());
      REQUIRE(*token);
      const std::string kept((*token)->refresh_token.reveal());
      CHECK_MESSAGE((kept == "new" || (kept == "old" && !saved)),
                    "step " << step << " seed " << seed << ": " << kept);
    }
    if (saved) break;
    REQUIRE(step < 50);
  }
}

TEST_CASE("oauth: a draft that a crash has left is no obstacle, and no token") {
  auto disk = std::make_unique<SimDisk>();
  REQUIRE(disk->create("main.json.new"));
  TokenStore store(std::move(disk));
  CHECK(*store.load("main") == std::nullopt);
  CHECK(store.save("main", some_token("r")));
  CHECK(store.load("main")->has_value());
  CHECK(store.remove("main"));
  CHECK(store.remove("main"));
  CHECK(*store.load("main") == std::nullopt);
}

TEST_CASE("oauth: in a real directory files are 0600, and one that others may read is refused") {
  const std::string directory = temporary_directory() + "/oauth";
  {
    auto store = open_token_store(directory);
    REQUIRE(store);
    REQUIRE((*store)->save("main", some_token("r")));
    struct stat status{};
    REQUIRE(::stat((directory + "/main.json").c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0600);
    REQUIRE(::stat(directory.c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0700);
    REQUIRE(::chmod((directory + "/main.json").c_str(), 0644) == 0);
    auto refused = (*store)->load("main");
    REQUIRE(!refused);
    CHECK(refused.error() ==
          cat("main.json: others may read or write the tokens in it (mode 0644); run: chmod 600 ", directory,
              "/main.json"));
  }
  {
    auto lock = lock_token_store(directory);
    REQUIRE(lock);
    CHECK(!lock_token_store(directory));
  }
  CHECK(lock_token_store(directory).has_value());
  REQUIRE(::chmod(directory.c_str(), 0777) == 0);
  CHECK(!open_token_store(directory));
}
