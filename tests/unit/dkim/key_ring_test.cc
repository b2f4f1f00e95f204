// SPDX-License-Identifier: MIT
#include "daemon/dkim/key_ring.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "daemon/base/text.h"
#include "tests/unit/dkim/rfc_examples.h"

using namespace hikyaku;
using namespace hikyaku::dkim;

namespace {

namespace fs = std::filesystem;

struct KeyDirectory {
  KeyDirectory() {
    std::string name = (fs::temp_directory_path() / "hikyaku-keys-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    settings = {.directory = name, .is_explicit = true};
  }
  ~KeyDirectory() { fs::remove_all(settings.directory); }

  std::string put(const std::string& name, std::string_view pem, mode_t mode = 0600) const {
    const std::string path = cat(settings.directory, "/", name);
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << pem;
    ::chmod(path.c_str(), mode);
    return path;
  }
  static void set_age(const std::string& path, std::chrono::hours age) {
    fs::last_write_time(path, fs::file_time_type::clock::now() - age);
  }

  KeyRingPtr load() const {
    auto ring = load_key_ring(settings, config::AuthinfoReader::this_process());
    REQUIRE(ring);
    return *ring;
  }
  std::string complaint() const {
    auto ring = load_key_ring(settings, config::AuthinfoReader::this_process());
    REQUIRE_FALSE(ring);
    return config::to_text(ring.error(), "\n");
  }

  config::DkimSettings settings;
};

// The service manager hands over `root`; no directory is configured, and the usual one is below it.
struct Credentials {
  Result<KeyRingPtr, config::Problems> load() const {
    return load_key_ring(settings, {::geteuid(), ::getegid(), root.settings.directory});
  }
  std::string complaint() const {
    auto ring = load();
    REQUIRE_FALSE(ring);
    return config::to_text(ring.error(), "\n");
  }

  KeyDirectory root;
  config::DkimSettings settings{.directory = cat(root.settings.directory, "/usual")};
};

std::string selectors(const KeyRing& ring, std::string_view domain) {
  std::vector<std::string> names;
  for (const DomainKey* key : ring.keys_for(domain)) names.push_back(cat(key->domain, "/", key->selector));
  return join(names, " ");
}

}  // namespace

TEST_CASE("dkim: a domain's own key signs, or else that of the nearest domain above it") {
  KeyDirectory directory;
  directory.put("example.com/hk1.key", kRsaKeyOf8463);
  directory.put("shop.example.com/hk2.key", kRsaKeyOf8463);
  const auto ring = directory.load();
  CHECK(selectors(*ring, "example.com") == "example.com/hk1");
  CHECK(selectors(*ring, "mail.example.com") == "example.com/hk1");
  CHECK(selectors(*ring, "shop.example.com") == "shop.example.com/hk2");
  CHECK(selectors(*ring, "a.b.shop.example.com") == "shop.example.com/hk2");
  CHECK(selectors(*ring, "notexample.com") == "");
  CHECK(selectors(*ring, "com") == "");
  CHECK(selectors(*ring, "") == "");
}

TEST_CASE("dkim: of a kind the key signs that became active last, and prepared and retired ones do not") {
  KeyDirectory directory;
  KeyDirectory::set_age(directory.put("example.com/old.key", kRsaKeyOf8463), std::chrono::hours(48));
  KeyDirectory::set_age(directory.put("example.com/new.key", kKeyOf6376), std::chrono::hours(1));
  directory.put("example.com/next.key.prepared", kKeyOf6376);
  directory.put("example.com/before.key.retired", kKeyOf6376);
  CHECK(selectors(*directory.load(), "example.com") == "example.com/new");
  directory.put("example.com/ed.key", kEd25519KeyOf8463);
  CHECK(selectors(*directory.load(), "example.com") == "example.com/new example.com/ed");
  auto files = find_key_files(directory.settings);
  REQUIRE(files);
  CHECK(files->size() == 5);
}

TEST_CASE("dkim: keys that should be longer are used, and said") {
  KeyDirectory directory;
  CHECK(directory.load()->warnings().empty());
  CHECK(directory.load()->is_empty());
  directory.put("example.com/hk1.key", kRsaKeyOf8463);
  CHECK(directory.load()->warnings() ==
        std::vector<std::string>{
            "the DKIM key example.com/hk1 has 1024 bits, and some receivers distrust less than "
            "2048; make another one: hikyaku dkim new example.com"});
}

TEST_CASE("dkim: a key that others may read is refused with its file and mode, and the command that helps") {
  KeyDirectory directory;
  const std::string path = directory.put("example.com/hk1.key", kRsaKeyOf8463, 0644);
  CHECK(directory.complaint() ==
        cat(path, ": others may read or write the signing key in it (mode 0644); run: chmod 600 ", path));
  directory.put("example.com/hk1.key", kRsaKeyOf8463, 0620);
  CHECK(directory.complaint().find("its group may write it (mode 0620)") != std::string::npos);
}

TEST_CASE("dkim: all that is wrong with the keys is told at once, and nothing of a key") {
  KeyDirectory directory;
  directory.put("example.com/hk1.key", "-----BEGIN RSA PRIVATE KEY-----\nMIICXQIB\n");
  directory.put("example.com/hk2.key", "");
  const std::string all = directory.complaint();
  CHECK(all.find("hk1.key: is no private key in PEM form") != std::string::npos);
  CHECK(all.find("hk2.key: is no private key in PEM form") != std::string::npos);
  CHECK(all.find("MIIC") == std::string::npos);
}

TEST_CASE("dkim: Ed25519 alone is refused, since many receivers would see no signature") {
  KeyDirectory directory;
  directory.put("example.com/ed.key", kEd25519KeyOf8463);
  CHECK(directory.complaint().find("needs an RSA key beside it") != std::string::npos);
  directory.put("other.example/hk1.key", kRsaKeyOf8463);
  CHECK(directory.complaint().find("needs an RSA key beside it") != std::string::npos);
  directory.put("example.com/hk1.key", kRsaKeyOf8463);
  CHECK_FALSE(directory.load()->is_empty());
}

TEST_CASE("dkim: names that are no domain and no selector are told, and hidden files passed over") {
  KeyDirectory directory;
  directory.put("Example.com/hk1.key", kRsaKeyOf8463);
  CHECK(directory.complaint().find("Example.com: is no domain name in lower-case ASCII") !=
        std::string::npos);
  fs::remove_all(cat(directory.settings.directory, "/Example.com"));
  directory.put("hk1.key", kRsaKeyOf8463);
  CHECK(directory.complaint().find("hk1.key: is no directory") != std::string::npos);
  fs::remove_all(cat(directory.settings.directory, "/hk1.key"));
  directory.put("example.com/hk_1.key", kRsaKeyOf8463);
  CHECK(directory.complaint().find("hk_1.key: is no key: its name must be SELECTOR.key") !=
        std::string::npos);
  fs::remove_all(cat(directory.settings.directory, "/example.com"));
  directory.put(".git/x", "");
  directory.put("example.com/.hk1.key.swp", "");
  CHECK(directory.load()->is_empty());
}

TEST_CASE("dkim: a directory that is missing has no keys, unless the configuration names it") {
  config::DkimSettings settings{.directory = "/nonexistent/dkim", .is_explicit = false};
  CHECK(load_key_ring(settings, config::AuthinfoReader::this_process()).value()->is_empty());
  settings.is_explicit = true;
  auto ring = load_key_ring(settings, config::AuthinfoReader::this_process());
  REQUIRE_FALSE(ring);
  CHECK(config::to_text(ring.error(), "\n") ==
        "/nonexistent/dkim: the directory of signing keys cannot be read: No such file or directory");
}

TEST_CASE("dkim: selectors are labels") {
  CHECK(is_selector("hk202612"));
  CHECK(is_selector("a.b-c"));
  for (const char* wrong : {"", "A", "a_b", "-a", "a-", "a..b", "a/b", ".", "a b"})
    CHECK_FALSE(is_selector(wrong));
}

TEST_CASE("dkim: where no directory is configured, keys that the service manager hands over sign") {
  Credentials credentials;
  credentials.root.put("authinfo", "");
  CHECK(credentials.load().value()->is_empty());
  credentials.root.put("usual/example.com/hk1.key", kRsaKeyOf8463);
  CHECK(selectors(*credentials.load().value(), "example.com") == "example.com/hk1");
  // systemd lets the group read what it hands over.
  credentials.root.put("dkim_shop.example_hk1.key", kKeyOf6376, 0440);
  credentials.root.put("dkim_shop.example_hk2.mail.key", kKeyOf6376, 0440);
  credentials.root.put("dkim_shop.example_hk3.key.prepared", kKeyOf6376, 0440);
  const auto ring = credentials.load().value();
  CHECK(selectors(*ring, "shop.example") == "shop.example/hk2.mail");
  CHECK(selectors(*ring, "example.com") == "");
  CHECK(join(ring->warnings(), "\n")
            .find(cat("the DKIM keys in ", credentials.settings.directory, " sign nothing")) !=
        std::string::npos);
  credentials.settings.is_explicit = true;
  CHECK(selectors(*credentials.load().value(), "shop.example") == "");
  CHECK(selectors(*credentials.load().value(), "example.com") == "example.com/hk1");
}

TEST_CASE("dkim: of a credential that is no key, or that others may read, is told what to change") {
  Credentials credentials;
  const std::string key = credentials.root.put("dkim_example.com_hk1.key", kRsaKeyOf8463, 0444);
  CHECK(credentials.complaint() ==
        cat(key, ": others may read or write the signing key in it (mode 0444); run: chmod 600 ", key));
  fs::remove(key);
  for (const char* name :
       {"dkim", "dkim_example.com.key", "dkim_Example.com_hk1.key", "dkim_example.com_hk_1.key"}) {
    CAPTURE(name);
    const std::string path = credentials.root.put(name, kRsaKeyOf8463, 0440);
    CHECK(credentials.complaint().find("the name of a credential with one is dkim_DOMAIN_SELECTOR.key") !=
          std::string::npos);
    fs::remove(path);
  }
  credentials.root.put("dkim_example.com_ed.key", kEd25519KeyOf8463, 0440);
  CHECK(credentials.complaint().find("dkim_example.com_ed.key: needs an RSA key beside it") !=
        std::string::npos);
}

TEST_CASE("dkim: the fields that the configuration says are the keys'") {
  KeyDirectory directory;
  directory.put("example.com/hk1.key", kKeyOf6376);
  CHECK(directory.load()->signed_fields() == std::vector<std::string>{"default"});
  directory.settings.headers = {"From", "X-Tag"};
  CHECK(directory.load()->signed_fields() == std::vector<std::string>{"From", "X-Tag"});
}
