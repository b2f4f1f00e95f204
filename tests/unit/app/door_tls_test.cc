// SPDX-License-Identifier: MIT
#include "daemon/app/door_tls.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "daemon/base/text.h"
#include "daemon/io/memory_stream.h"
#include "daemon/io/nursery.h"
#include "daemon/io/self_signed.h"
#include "daemon/system/files.h"

using namespace hikyaku;
using namespace hikyaku::app;

namespace {

struct DoorRig {
  ManualClock clock;
  io::Loop loop{clock};
  std::vector<std::string> lines;
  log::MailLog log{clock, {}, [this](LogLevel, std::string_view line) { lines.emplace_back(line); }};
  system::TemporaryDirectory place{"hikyaku-test"};
  config::Settings settings;

  DoorRig() {
    settings.hostname = "app1.example.com";
    settings.spool.directory = place.path();
  }

  // Puts a new certificate of its own into cert.pem and key.pem of the directory; its fingerprint.
  std::string make(const std::string& name) {
    const std::string directory = place.file(name);
    std::filesystem::remove_all(directory);
    REQUIRE(::mkdir(directory.c_str(), 0700) == 0);
    auto made = io::make_self_signed(directory, {"localhost"});
    REQUIRE(made);
    return made->fingerprint;
  }
  std::string file(const std::string& name, const char* which) const {
    return place.file(cat(name, "/", which, ".pem"));
  }
  void add_door(std::string cert, std::string key = "") {
    settings.listen.doors.push_back({.at = *Endpoint::parse("127.0.0.1:587"),
                                     .tls = mail::TlsMode::starttls,
                                     .cert = std::move(cert),
                                     .key = std::move(key)});
  }
  std::size_t said(std::string_view words) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(lines, [&](const std::string& line) { return line.find(words) != line.npos; }));
  }
  // What a client is shown that takes anything.
  std::string fingerprint_shown(io::TlsServer& server) { return loop.run(shown(loop, server)); }

  static Task<void> serve(io::TlsServer& server, io::StreamPtr under, io::Until until) {
    auto stream = co_await server.accept(std::move(under), until);
    if (stream) co_await (*stream)->shut_down(until);
  }
  static Task<std::string> shown(io::Loop& loop, io::TlsServer& server) {
    io::TlsClientOptions any;
    any.name = "localhost";
    any.verify = false;
    auto client = io::TlsClient::create(any).value();
    io::MemoryPair pair = io::make_memory_pair(loop);
    io::Nursery nursery(loop);
    nursery.spawn(serve(server, std::move(pair.second), loop.within(10s)));
    auto stream = co_await client->connect(std::move(pair.first), loop.within(10s));
    co_await nursery.drained({});
    co_return stream ? (*stream)->tls()->fingerprint : stream.error().text;
  }
};

}  // namespace

TEST_CASE("app: a certificate whose file has changed is read anew, and a bad one changes nothing") {
  DoorRig rig;
  const std::string first = rig.make("now");
  auto tls = RenewedTls::create(rig.file("now", "cert"), rig.file("now", "key"), rig.log).value();
  CHECK(rig.fingerprint_shown(*tls) == first);
  const std::string second = rig.make("now");
  REQUIRE(second != first);
  CHECK(rig.fingerprint_shown(*tls) == second);
  CHECK(rig.fingerprint_shown(*tls) == second);
  CHECK(rig.said("a certificate has been read anew") == 1);

  ::unlink(rig.file("now", "cert").c_str());
  system::write_new_file(rig.file("now", "cert"), "no certificate");
  CHECK(rig.fingerprint_shown(*tls) == second);
  CHECK(rig.fingerprint_shown(*tls) == second);
  CHECK(rig.said("the certificate from before stays in use") == 1);
  const std::string third = rig.make("now");
  CHECK(rig.fingerprint_shown(*tls) == third);
}

TEST_CASE("app: between a new certificate and its key the old pair is shown") {
  DoorRig rig;
  const std::string old = rig.make("now");
  const std::string fresh = rig.make("fresh");
  auto tls = RenewedTls::create(rig.file("now", "cert"), rig.file("now", "key"), rig.log).value();
  std::filesystem::rename(rig.file("fresh", "cert"), rig.file("now", "cert"));
  CHECK(rig.fingerprint_shown(*tls) == old);
  std::filesystem::rename(rig.file("fresh", "key"), rig.file("now", "key"));
  CHECK(rig.fingerprint_shown(*tls) == fresh);
}

TEST_CASE("app: a self-signed certificate is made once, and its key is nobody else's") {
  DoorRig rig;
  rig.add_door("self-signed");
  rig.add_door("self-signed");
  REQUIRE(::mkdir(rig.place.file("tls.new").c_str(), 0700) == 0);  // of a start that was killed
  auto first = open_door_tls(rig.settings, rig.log);
  REQUIRE(first);
  REQUIRE(first->size() == 2);
  struct stat status{};
  REQUIRE(::stat(rig.file("tls", "key").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  const std::string shown = rig.fingerprint_shown(*first->front());
  CHECK(shown.starts_with("sha256:"));
  CHECK(rig.said(shown) == 1);
  auto second = open_door_tls(rig.settings, rig.log);
  REQUIRE(second);
  CHECK(rig.fingerprint_shown(*second->back()) == shown);
  CHECK(rig.said("a self-signed certificate has been made") == 1);
}

TEST_CASE("app: files that are no certificate, or no pair, are told in plain words") {
  DoorRig rig;
  rig.make("a");
  rig.make("b");
  rig.add_door(rig.file("a", "cert"), rig.file("b", "key"));
  rig.add_door(rig.file("a", "key"), rig.file("a", "key"));
  rig.add_door(rig.place.file("none.pem"), rig.file("a", "key"));
  auto missing = open_door_tls(rig.settings, rig.log);
  REQUIRE_FALSE(missing);
  CHECK(
      config::to_text(missing.error(), "\n").find("none.pem: listen 127.0.0.1:587: cert: cannot be opened") !=
      std::string::npos);
  rig.settings.listen.doors.pop_back();
  auto unusable = open_door_tls(rig.settings, rig.log);
  REQUIRE_FALSE(unusable);
  REQUIRE(unusable.error().size() == 2);
  CHECK(unusable.error() == config::check_door_pairs(rig.settings.listen, io::TlsServer::trouble_with));
  CHECK(config::to_text(unusable.error()[0]) == cat("listen 127.0.0.1:587: ", rig.file("b", "key"),
                                                    " is not the key of the certificate in ",
                                                    rig.file("a", "cert")));
  CHECK(unusable.error()[1].text.find("a/key.pem cannot be used") != std::string::npos);
}
