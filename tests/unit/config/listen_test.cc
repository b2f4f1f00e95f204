// SPDX-License-Identifier: MIT
#include "daemon/config/listen.h"

#include <sys/stat.h>

#include "daemon/config/effective.h"
#include "daemon/config/yaml_text.h"
#include "tests/unit/config/loading.h"
#include "tests/unit/config/scratch_directory.h"

namespace hikyaku::config {
namespace {

constexpr std::string_view kDoors = R"(
smarthost: smtps://smtp.example.com
allow: 10.0.0.0/8
listen:
  - "127.0.0.1:25"
  - {address: "0.0.0.0:587", tls: starttls, cert: /etc/ssl/app.pem, key: /etc/ssl/app.key, auth: any,
     proxy: ["10.0.0.0/8", "fd00::1"]}
  - {address: "[::1]:465", tls: implicit, cert: self-signed}
)";

struct UselessDoor {
  const char* entry;
  const char* words;
};
constexpr UselessDoor kUselessDoors[] = {
    {"{tls: none}", "needs `address`"},
    {"{address: 'localhost:25'}", "listen[0].address: must be an address and a port"},
    {"{address: '127.0.0.1:25', tls: 465}", "listen[0].tls: must be one of none, starttls, implicit"},
    {"{address: '127.0.0.1:25', tls: starttls}", "set `cert` and `key`, or `cert: self-signed`"},
    {"{address: '127.0.0.1:25', tls: starttls, cert: /c.pem}", "`cert` needs `key`"},
    {"{address: '127.0.0.1:25', tls: starttls, key: /c.key}", "`key` needs `cert`"},
    {"{address: '127.0.0.1:25', tls: starttls, cert: self-signed, key: /c.key}", "remove `key`"},
    {"{address: '127.0.0.1:25', cert: self-signed}", "only with `tls: starttls` or `tls: implicit`"},
    {"{address: '127.0.0.1:25', tls: starttls, cert: app.pem, key: /c.key}", "listen[0].cert: must be"},
    {"{address: '10.0.0.1:25', auth: any}", "to clients elsewhere a log-in is offered over TLS only"},
    {"{address: '127.0.0.1:25', auth: any, proxy: [127.0.0.1]}", "a log-in is offered over TLS only"},
    {"{address: '127.0.0.1:25', auth: all}", "listen[0].auth: must be one of none, any"},
    {"{address: '127.0.0.1:25', proxy: [lb1]}", "listen[0].proxy[0]: must be the network of proxies"},
    {"{address: '127.0.0.1:25', user: tim}", "user"},
    {"{address: '127.0.0.1:25'}, '127.0.0.1:25'", "listen[1]: this address appears twice"},
};

std::string trouble_with(const std::string& entry) {
  return complaints_beside_smarthost(cat("allow: 10.0.0.0/8\nlisten: [", entry, "]\n"));
}

}  // namespace

TEST_CASE("config: listen takes addresses, and maps with what is offered there") {
  const ListenSettings listen = settings_of(kDoors).listen;
  REQUIRE(listen.endpoints.size() == 3);
  REQUIRE(listen.doors.size() == 2);
  CHECK(listen.doors[0] == Door{listen.endpoints[1],
                                mail::TlsMode::starttls,
                                "/etc/ssl/app.pem",
                                "/etc/ssl/app.key",
                                true,
                                {*Network::parse("10.0.0.0/8"), *Network::parse("fd00::1")}});
  CHECK(listen.doors[1] == Door{listen.endpoints[2], mail::TlsMode::implicit, "self-signed", "", false});
  CHECK(listen.doors[1].is_self_signed());
}

TEST_CASE("config: what is shown of listen is read back as it was") {
  const Settings settings = settings_of(kDoors);
  const std::string shown = to_flow(show_listen(settings.listen));
  CHECK(contains(shown, "self-signed"));
  const std::string again =
      cat("smarthost: smtps://smtp.example.com\nallow: 10.0.0.0/8\nlisten: ", shown, "\n");
  CHECK(settings_of(again).listen == settings.listen);
  CHECK(settings_of(minimal_yaml(settings)).listen == settings.listen);
  CHECK(settings_of(to_yaml(effective_values(settings, {std::string(kDoors), "h.yaml"}))).listen ==
        settings.listen);
}

TEST_CASE("config: a door that nobody could go through is refused with what to change") {
  for (const UselessDoor& wrong : kUselessDoors) {
    CAPTURE(std::string(wrong.entry));
    CHECK_MESSAGE(contains(trouble_with(wrong.entry), wrong.words), trouble_with(wrong.entry));
  }
  CHECK(trouble_with("{address: '127.0.0.1:25', auth: any}").empty());
}

TEST_CASE("config: a door beyond loopback needs allow, too") {
  CHECK(contains(
      complaints_beside_smarthost("listen: {address: '0.0.0.0:587', tls: starttls, cert: self-signed}\n"),
      "say in `allow`"));
}

TEST_CASE("config: a certificate that is missing is named with its file and key") {
  ListenSettings listen{{}, true};
  listen.doors.push_back({.at = *Endpoint::parse("127.0.0.1:587"),
                          .tls = mail::TlsMode::starttls,
                          .cert = "/nowhere/app.pem",
                          .key = "/nowhere/app.key"});
  listen.doors.push_back({.at = *Endpoint::parse("127.0.0.1:465"), .cert = std::string(kSelfSigned)});
  Problems problems;
  check_door_files(listen, problems);
  REQUIRE(problems.size() == 2);
  CHECK(to_text(problems[0]) ==
        "/nowhere/app.pem: listen 127.0.0.1:587: cert: cannot be opened: No such file or directory");
  CHECK(contains(to_text(problems[1]), "/nowhere/app.key: listen 127.0.0.1:587: key: "));
}

TEST_CASE("config: a private key that anybody may read is warned of, once") {
  ScratchDirectory place;
  ListenSettings listen{
      {},
      true,
      {{.at = {}, .key = place.write("a.key", "secret")}, {.at = {}, .key = place.path() + "/none.key"}}};
  listen.doors.push_back(listen.doors.front());
  CHECK(warnings_of_door_keys(listen).empty());
  REQUIRE(::chmod(listen.doors.front().key.c_str(), 0644) == 0);
  const auto warned = warnings_of_door_keys(listen);
  REQUIRE(warned.size() == 1);
  CHECK(contains(warned[0], "a.key (mode 0644)"));
  CHECK(contains(warned[0], "run: chmod o-rwx "));
}

TEST_CASE("config: a file that is denied is told with its mode, and for whom to open it") {
  ScratchDirectory place;
  const std::string file = place.write("app.key", "secret");
  const FileError denied{FileErrorKind::denied, "cannot be opened"};
  CHECK(contains(explain(denied, file), "cannot be opened (mode 0600, for the user "));
  CHECK(contains(explain(denied, file), "run: chown "));
  CHECK(contains(explain(denied, place.path() + "/none/app.key"), "a directory above it is closed"));
  CHECK(explain({FileErrorKind::missing, "is missing"}, file) == "is missing");
}

}  // namespace hikyaku::config
