// SPDX-License-Identifier: MIT
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config/authinfo.h"
#include "daemon/config/load.h"
#include "doctest/doctest.h"
#include "tests/unit/config/loading.h"
#include "tests/unit/config/scratch_directory.h"

namespace hikyaku::config {
namespace {

constexpr std::string_view kEntry = "me:smtp.example.com:hunter2\n";

// Empty: it was read.
std::string refusal(const std::string& path, const AuthinfoReader& reader) {
  auto entries = load_authinfo({path, true}, reader);
  return entries ? "" : to_text(entries.error().at(0));
}

TEST_CASE("authinfo: who may read or write the file decides whether it is used") {
  ScratchDirectory directory;
  AuthinfoReader me{::geteuid(), ::getegid(), ""};
  AuthinfoReader other_group{::geteuid(), ::getegid() + 1, ""};
  CHECK(refusal(directory.write("a", kEntry, 0600), me) == "");
  CHECK(refusal(directory.write("a", kEntry, 0400), other_group) == "");
  CHECK(refusal(directory.write("a", kEntry, 0640), me) == "");
  CHECK(contains(refusal(directory.write("a", kEntry, 0640), other_group),
                 "its group, which is not the daemon's"));
  CHECK(contains(refusal(directory.write("a", kEntry, 0660), me), "its group may write it (mode 0660)"));
  for (mode_t mode : {0644U, 0604U, 0602U, 0606U}) {
    std::string path = directory.write("a", kEntry, mode);
    std::string text = refusal(path, me);
    CAPTURE(text);
    CHECK(contains(text, "others may read or write the passwords in it (mode 06"));
    CHECK(contains(text, "run: chmod 600 " + path));
    CHECK(!contains(text, "hunter2"));
  }
}

TEST_CASE("authinfo: a file under $CREDENTIALS_DIRECTORY may be readable by its group") {
  ScratchDirectory directory;
  std::string path = directory.write("a", kEntry, 0440);
  gid_t other = ::getegid() + 1;
  CHECK(refusal(path, {::geteuid(), other, directory.path()}) == "");
  CHECK(refusal(path, {::geteuid(), other, directory.path() + "/b"}) != "");
  CHECK(refusal(path, {::geteuid(), other, "/"}) != "");
  CHECK(contains(refusal(directory.write("a", kEntry, 0444), {::geteuid(), other, directory.path()}),
                 "others may"));
}

TEST_CASE("authinfo: what the service manager hands over is used where the configuration names no file") {
  ScratchDirectory directory;
  AuthinfoReader reader{::geteuid(), ::getegid(), directory.path()};
  const AuthinfoSettings by_default{"/etc/hikyaku/authinfo", false};
  CHECK(choose_authinfo(by_default, reader).path == "/etc/hikyaku/authinfo");
  std::string given = directory.write("authinfo", kEntry, 0440);
  CHECK(choose_authinfo(by_default, reader).path == given);
  CHECK(load_authinfo(choose_authinfo(by_default, reader), reader)->size() == 1);
  CHECK(choose_authinfo({"/srv/passwords", true}, reader).path == "/srv/passwords");
  reader.credentials_directory.clear();
  CHECK(choose_authinfo(by_default, reader).path == "/etc/hikyaku/authinfo");
}

TEST_CASE("authinfo: a file of a third user is refused; root's and the daemon's own are not") {
  if (::geteuid() != 0) return;  // only root can make one
  ScratchDirectory directory;
  std::string path = directory.write("a", kEntry, 0600);
  AuthinfoReader daemon{1234, 1234, ""};
  CHECK(refusal(path, daemon) == "");
  REQUIRE(::chown(path.c_str(), 1234, 1234) == 0);
  CHECK(refusal(path, daemon) == "");
  REQUIRE(::chown(path.c_str(), 1235, 1234) == 0);
  CHECK(contains(refusal(path, daemon), "belongs to another user"));
}

TEST_CASE(
    "authinfo: in a container of its own the daemon takes any mode and owner on a read-only mount, and says "
    "so") {
  ScratchDirectory directory;
  std::string path = directory.write("a", kEntry, 0444);
  AuthinfoReader reader{4242, 4242, ""};
  reader.is_alone = true;
  CHECK(contains(refusal(path, reader), "others may read"));
  reader.is_read_only = [](const std::string&) { return true; };
  CHECK(refusal(path, reader) == "");
  CHECK(contains(accepted_access({path, true}, reader).value(),
                 "(mode 0444) is open to others, and accepted: it is on a"));
  directory.write("a", kEntry, 0400);
  CHECK(accepted_access({path, true}, reader).has_value() == (::geteuid() != 0));  // root's is anybody's
  reader.is_alone = false;
  directory.write("a", kEntry, 0444);
  CHECK(contains(refusal(path, reader), "others may read"));
  CHECK_FALSE(AuthinfoReader::this_process().is_alone);
}

TEST_CASE("authinfo: `authinfo_mode: any` takes any mode, but no third user's file") {
  ScratchDirectory directory;
  std::string path = directory.write("a", kEntry, 0444);
  AuthinfoReader reader = AuthinfoReader::this_process();
  const AuthinfoSettings any{path, true, {}, AuthinfoMode::any};
  CHECK(load_authinfo(any, reader)->size() == 1);
  CHECK(contains(accepted_access(any, reader).value(), "accepted: `authinfo_mode: any` says so"));
  directory.write("a", kEntry, 0600);
  CHECK_FALSE(accepted_access(any, reader));
  if (::geteuid() != 0) return;  // only root can give a file away
  REQUIRE(::chown(path.c_str(), 1235, 1234) == 0);
  CHECK(contains(to_text(load_authinfo(any, reader).error().at(0)), "belongs to another user"));
}

TEST_CASE("authinfo: a missing file is no credentials, unless the configuration names it") {
  ScratchDirectory directory;
  AuthinfoReader reader = AuthinfoReader::this_process();
  std::string path = directory.path() + "/none";
  CHECK(load_authinfo({path, false}, reader)->empty());
  CHECK(contains(refusal(path, reader), "the credentials file cannot be opened: No such file"));
}

TEST_CASE("authinfo: a link to the file is followed, a directory or FIFO is refused without blocking") {
  ScratchDirectory directory;
  AuthinfoReader reader = AuthinfoReader::this_process();
  std::string link = directory.path() + "/link";
  std::filesystem::create_symlink(directory.write("a", kEntry), link);
  CHECK(refusal(link, reader) == "");
  CHECK(contains(refusal(directory.path(), reader), "not a regular file"));
  std::string fifo = directory.path() + "/fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(contains(refusal(fifo, reader), "not a regular file"));
}

TEST_CASE("config: the check finds each file and directory that is not there") {
  ScratchDirectory directory;
  Settings settings = settings_of("smarthost: {name: main, url: 'smtps://smtp.example.com'}\n");
  settings.authinfo = {directory.write("authinfo", kEntry), true};
  settings.spool.directory = directory.path() + "/spool/";
  settings.smarthosts[0].tls.ca_file = directory.write("ca.pem", "x");
  AuthinfoReader reader = AuthinfoReader::this_process();
  CHECK(check_configuration(settings, reader).empty());

  settings.authinfo.path += ".none";
  settings.spool.directory = directory.path() + "/a/b";
  settings.smarthosts[0].tls.ca_file = directory.path() + "/none.pem";
  settings.smarthosts[0].tls.client_key = directory.path();
  Problems problems = check_configuration(settings, reader);
  REQUIRE(problems.size() == 4);
  CHECK(contains(to_text(problems[0]), "authinfo.none: the credentials file cannot be opened"));
  CHECK(contains(to_text(problems[1]), "none.pem: smarthost main: tls_ca_file: cannot be opened"));
  CHECK(contains(to_text(problems[2]), "tls_client_cert.key: is not a regular file"));
  CHECK(
      contains(to_text(problems[3]), "spool.directory: neither this directory nor the one above it exists"));
  settings.spool.directory = directory.path() + "/ca.pem";
  CHECK(contains(to_text(check_configuration(settings, reader).at(3)), "is not a directory"));
}

}  // namespace
}  // namespace hikyaku::config
