// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>

#include "daemon/base/text.h"
#include "daemon/commands/commands.h"
#include "daemon/config/authinfo.h"
#include "daemon/config/load.h"
#include "daemon/system/files.h"
#include "tests/support/spool_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::commands;

namespace {

struct ImportRig {
  system::TemporaryDirectory place{"hikyaku-import"};
  std::string config = place.file("etc/h.yaml");
  std::string authinfo = place.file("etc/authinfo");

  ImportRig() {
    std::filesystem::create_directory(place.file("etc"));
    std::filesystem::create_directory(place.file("postfix"));
    system::write_new_file(place.file("postfix/main.cf"),
                           cat("relayhost = [mail.shop.example]:587\nsmtp_sasl_auth_enable = yes\n"
                               "smtp_sasl_password_maps = hash:",
                               place.file("postfix/sasl_passwd"), "\nsmtp_tls_security_level = encrypt\n"));
    system::write_new_file(place.file("postfix/sasl_passwd"), "[mail.shop.example]:587 me:hunter2\n");
  }
  void write_config(std::string_view more) const {
    system::write_new_file(config, cat("smarthost: smtps://old.example\nauthinfo: ", authinfo,
                                       "\nruntime_directory: ", place.path(), "\n", more));
  }
  std::string text(const std::string& name) const {
    return system::read_whole_file(place.file("etc/" + name));
  }
  unsigned mode(const std::string& name) const {
    struct stat status{};
    REQUIRE(::stat(place.file("etc/" + name).c_str(), &status) == 0);
    return status.st_mode & 07777;
  }
  Ran run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "import");
    arguments.insert(arguments.end(), {"-c", config});
    Captured captured(place.path());
    const int exit = static_cast<int>(understand_command_line(std::move(arguments))());
    return {exit, captured.out(), captured.err()};
  }
};

}  // namespace

TEST_CASE("hikyaku import: what is printed is a configuration, without a password, and nothing is written") {
  ImportRig rig;
  const Ran ran = rig.run({"postfix", rig.place.file("postfix/main.cf")});
  CHECK(ran.err == "");
  CHECK(ran.exit == 0);
  CHECK(!ran.out.contains("hunter2"));
  CHECK(ran.out.contains("password of me for mail.shop.example port 587: found in"));
  auto settings = config::load_text(ran.out, "h.yaml", {"app1.shop.example", ""});
  REQUIRE(settings);
  CHECK(settings->smarthosts.at(0).host == "mail.shop.example");
  CHECK(std::filesystem::is_empty(rig.place.file("etc")));
  CHECK(rig.run({"postfix", rig.place.file("postfix")}).out == ran.out);
}

TEST_CASE("hikyaku import --write: both files are in place, and what was there is kept, closed to others") {
  ImportRig rig;
  rig.write_config("log: {level: debug}\nuser: is-not-on-any-machine\n");
  system::write_new_file(rig.authinfo, "machine old.example login you password old\n");
  const Ran ran = rig.run({"postfix", rig.place.file("postfix"), "--write"});
  CHECK(ran.err == "");
  REQUIRE(ran.exit == 0);
  CHECK(ran.out.contains(cat("wrote ", rig.config, "\n")));
  CHECK(ran.out.contains("systemctl disable --now postfix"));
  CHECK(!ran.out.contains("hunter2"));
  CHECK(rig.text("authinfo").starts_with("machine old.example login you password old\n"));
  CHECK(rig.text("authinfo.before-import") == "machine old.example login you password old\n");
  CHECK(rig.text("h.yaml.before-import").starts_with("smarthost: smtps://old.example\n"));
  for (const char* name : {"authinfo", "authinfo.before-import", "h.yaml.before-import"})
    CHECK(rig.mode(name) == 0600);
  auto settings = config::load_file(rig.config);
  REQUIRE(settings);
  CHECK(settings->authinfo.path == rig.authinfo);
  CHECK(settings->log.level == LogLevel::debug);
  auto entries = config::load_authinfo(settings->authinfo, config::AuthinfoReader::this_process());
  REQUIRE(entries);
  config::attach_credentials(settings->smarthosts.at(0), *entries);
  REQUIRE(settings->smarthosts.at(0).credentials);
  CHECK(settings->smarthosts.at(0).credentials->password.reveal() == "hunter2");
  CHECK(rig.run({"postfix", rig.place.file("postfix"), "--write"}).out.contains("nothing was written"));
}

TEST_CASE("hikyaku import: what cannot be imported says so") {
  ImportRig rig;
  CHECK(
      rig.run({"postfxi"}).err.contains("'postfxi' cannot be imported; there are postfix, sendmail, msmtp"));
  CHECK(rig.run({"postfxi"}).err.contains("did you mean postfix?"));
  const Ran gone = rig.run({"dma", rig.place.file("none")});
  CHECK(gone.exit == static_cast<int>(Exit::no_input));
  CHECK(gone.err.contains(" does not exist"));
  system::write_new_file(rig.place.file("ssmtp.conf"), "mailhub=\n");
  const Ran none = rig.run({"ssmtp", rig.place.file("ssmtp.conf"), "--write"});
  CHECK(none.exit == static_cast<int>(Exit::damaged));
  CHECK(none.err.contains("names no server that mail can be handed to"));
  CHECK(std::filesystem::is_empty(rig.place.file("etc")));
}
