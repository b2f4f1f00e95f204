// SPDX-License-Identifier: MIT
#include "daemon/setup/dkim_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "daemon/base/text.h"
#include "daemon/system/files.h"
#include "doctest/doctest.h"

namespace hikyaku::setup {
namespace {

using dkim::KeyKind;

struct KeyRig {
  system::TemporaryDirectory place{"hikyaku-dkim"};
  DkimStore store{{.directory = place.file("dkim"), .is_explicit = true}, std::nullopt};

  StoredKey make(const std::string& selector, KeyKind kind = KeyKind::rsa) const {
    auto key = store.create("example.com", selector, kind);
    REQUIRE(key);
    return *key;
  }
  StoredKey find(const std::string& selector) const {
    auto key = store.find("example.com", selector);
    REQUIRE(key);
    return *key;
  }
  // "one active, two prepared", by selector.
  std::string states() const {
    std::vector<std::string> words;
    for (const StoredKey& key : *store.list())
      words.push_back(cat(key.file.selector, " ", to_text(key.file.state)));
    std::ranges::sort(words);
    return join(words, ", ");
  }
  static mode_t mode_of(const std::string& path) {
    struct stat status{};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 07777;
  }
};

TEST_CASE("dkim store: a key is made prepared, for us alone, and never in the place of another") {
  KeyRig rig;
  CHECK(rig.store.list()->empty());
  const StoredKey key = rig.make("one");
  CHECK(key.file.path == cat(rig.place.path(), "/dkim/example.com/one.key.prepared"));
  CHECK(KeyRig::mode_of(key.file.path) == 0600);
  CHECK(KeyRig::mode_of(cat(rig.place.path(), "/dkim/example.com")) == 0700);
  CHECK(dkim::describe(key.key) == "RSA, 2048 bits");
  auto again = rig.store.create("example.com", "one", KeyKind::rsa);
  REQUIRE_FALSE(again);
  CHECK(again.error().kind == Exit::usage);
  CHECK(again.error().text == cat(key.file.path, " is there; name another selector with --selector"));
  CHECK(rig.find("one").key.public_key() == key.key.public_key());
}

TEST_CASE("dkim store: root gives keys and their directories to the daemon's group, and to nobody else") {
  if (::geteuid() != 0) return;
  KeyRig rig;
  const DkimStore store({.directory = rig.place.file("dkim"), .is_explicit = true},
                        system::Account{"daemon", 1, 1});
  auto key = store.create("example.com", "one", KeyKind::ed25519);
  REQUIRE(key);
  CHECK(KeyRig::mode_of(key->file.path) == 0640);
  CHECK(KeyRig::mode_of(rig.place.file("dkim")) == 0750);
  CHECK(KeyRig::mode_of(rig.place.file("dkim/example.com")) == 0750);
  struct stat status{};
  REQUIRE(::stat(key->file.path.c_str(), &status) == 0);
  CHECK(status.st_gid == 1);
  CHECK(store.list()->size() == 1);
}

TEST_CASE("dkim store: the key that begins to sign retires the one before, of its kind alone") {
  KeyRig rig;
  rig.make("one");
  CHECK(rig.states() == "one prepared");
  CHECK(rig.store.activate(rig.find("one"))->empty());
  rig.make("two");
  rig.make("short", KeyKind::ed25519);
  CHECK(rig.store.activate(rig.find("short"))->empty());
  auto retired = rig.store.activate(rig.find("two"));
  REQUIRE(retired);
  REQUIRE(retired->size() == 1);
  CHECK(retired->front().file.selector == "one");
  CHECK(rig.states() == "one retired, short active, two active");
  CHECK(rig.store.activate(rig.find("one"))->size() == 1);  // back again
  CHECK(rig.states() == "one active, short active, two retired");
}

TEST_CASE("dkim store: an Ed25519 key never signs alone") {
  KeyRig rig;
  rig.make("short", KeyKind::ed25519);
  auto alone = rig.store.activate(rig.find("short"));
  REQUIRE_FALSE(alone);
  CHECK(alone.error().kind == Exit::usage);
  rig.make("one");
  REQUIRE(rig.store.activate(rig.find("one")));
  REQUIRE(rig.store.activate(rig.find("short")));
  auto left = rig.store.retire(rig.find("one"));
  REQUIRE_FALSE(left);
  CHECK(left.error().text == "the Ed25519 key beside it would sign alone; retire that one first");
  REQUIRE(rig.store.retire(rig.find("short")));
  REQUIRE(rig.store.retire(rig.find("one")));
  CHECK(rig.states() == "one retired, short retired");
}

TEST_CASE("dkim store: what is not there and what is wrong is told") {
  KeyRig rig;
  CHECK(rig.store.find("example.com", "none").error().kind == Exit::no_input);
  const StoredKey key = rig.make("one", KeyKind::ed25519);
  REQUIRE(::chmod(key.file.path.c_str(), 0644) == 0);
  CHECK(rig.store.list().error().kind == Exit::configuration);
  CHECK(rig.store.list("other.example")->empty());
}

TEST_CASE("dkim store: a selector has year and month, and a number where that is taken") {
  KeyRig rig;
  const WallTime now = parse_rfc3339("2026-12-05T00:00:00Z").value();
  CHECK(free_selector({}, now) == "hk202612");
  std::vector<StoredKey> keys{rig.make("hk202612", KeyKind::ed25519)};
  CHECK(free_selector(keys, now) == "hk202612-2");
  keys.push_back(rig.make("hk202612-2", KeyKind::ed25519));
  CHECK(free_selector(keys, now) == "hk202612-3");
}

}  // namespace
}  // namespace hikyaku::setup
