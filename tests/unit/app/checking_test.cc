// SPDX-License-Identifier: MIT
#include "daemon/app/checking.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "daemon/base/text.h"
#include "daemon/system/files.h"
#include "tests/support/accounts.h"

using namespace hikyaku;
using namespace hikyaku::app;
using test::courier;
using test::kCourier;
using test::nobody_there;

namespace {

// A set-up without a fault on a machine with a good name, but for `keys`; and what --check says of it.
struct Checked {
  explicit Checked(std::string_view keys = "") {
    ::chmod(place.path().c_str(), 0755);
    write("authinfo", "machine smtp.shop.example login me@shop.example password secret\n");
    write("aliases", "root: me@shop.example\n", 0644);
    write("hikyaku.yaml",
          cat("smarthosts: [{name: main, host: smtp.shop.example, port: 587", keys, "}]\n",
              "hostname: app1.shop.example\ndomain: shop.example\nauthinfo: ", place.file("authinfo"),
              "\naliases: ", place.file("aliases"), "\nspool: {directory: ", place.path(), "}\n"),
          0644);
  }

  std::string write(const std::string& name, std::string_view text, mode_t mode = 0600) {
    std::string path = place.file(name);
    ::unlink(path.c_str());
    system::write_new_file(path, std::string(text));
    ::chmod(path.c_str(), mode);
    return path;
  }

  // In a process of its own, since a check as root ends as somebody else. Returns the exit code.
  int check(const system::FindAccount& find) {
    std::fflush(nullptr);
    pid_t child = ::fork();
    if (child == 0) {
      int output = ::open(place.file("said").c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
      for (int stream : {STDOUT_FILENO, STDERR_FILENO}) ::dup2(output, stream);
      Exit exit = check_everything(place.file("hikyaku.yaml"), {.find = find});
      std::fflush(nullptr);
      ::_exit(static_cast<int>(exit));
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    said = system::read_whole_file(place.file("said"));
    return WEXITSTATUS(status);
  }
  bool says(std::string_view words) const { return said.find(words) != said.npos; }

  system::TemporaryDirectory place{"hikyaku-test"};
  std::string said;
};

constexpr int kFine = static_cast<int>(Exit::ok), kWrong = static_cast<int>(Exit::configuration);

}  // namespace

TEST_CASE("app: --check is content with what can run, and says what it has found") {
  Checked checked;
  CHECK(checked.check(nobody_there) == kFine);
  CHECK(checked.said == cat(checked.place.file("hikyaku.yaml"), " is fine: 1 smarthost\n",
                            "  main: smtp.shop.example port 587, STARTTLS required, logs in as ",
                            "me@shop.example (", checked.place.file("authinfo"), ":1)\n"));
}

TEST_CASE("app: --check warns of what is probably not meant, and ends with 0 all the same") {
  Checked checked(", user: you@shop.example");
  checked.write("aliases", "list: a@shop.example\n", 0644);
  CHECK(checked.check(nobody_there) == kFine);
  CHECK(checked.says(" can be used: 1 smarthost, 2 warnings\n"));
  CHECK(checked.says("\nwarning: smarthost main: port 587 usually demands a log-in"));
  CHECK(checked.says("\nwarning: there is no alias for root"));
}

TEST_CASE("app: --check does not warn of missing credentials that an address may turn out to have") {
  Checked checked;
  checked.write("authinfo", "machine 192.0.2.7 login me password secret\n");
  CHECK(checked.check(nobody_there) == kFine);
  CHECK(checked.says(" is fine"));
}

TEST_CASE("app: --check is not content with TLS files that cannot be used") {
  Checked checked;
  std::string ca = checked.write("ca.pem", "no certificate", 0644);
  Checked bad(cat(", tls_ca_file: ", ca));
  CHECK(bad.check(nobody_there) == kWrong);
  CHECK(bad.says(cat("tls_ca_file ", ca, " cannot be used")));
  ::unlink(bad.place.file("hikyaku.yaml").c_str());
  CHECK(bad.check(nobody_there) == kWrong);
}

TEST_CASE("app: --check as root finds that only root can read the credentials, and says what to run") {
  if (::geteuid() != 0) return;
  Checked checked;
  std::string authinfo = checked.place.file("authinfo");
  CHECK(checked.check(courier) == kWrong);
  CHECK(checked.said ==
        cat(authinfo,
            ": the credentials file cannot be opened: Permission denied (mode 0600, for the user "
            "4242); run: chown 4242 ",
            authinfo, " && chmod 600 ", authinfo, "\n"));
  REQUIRE(::chown(authinfo.c_str(), kCourier, 0) == 0);
  CHECK(checked.check(courier) == kFine);
  REQUIRE(::chown(authinfo.c_str(), 0, kCourier) == 0);
  ::chmod(authinfo.c_str(), 0640);
  CHECK(checked.check(courier) == kFine);
}

TEST_CASE("app: --check as root looks at all files as the daemon's user would") {
  if (::geteuid() != 0) return;
  Checked checked;
  REQUIRE(::chown(checked.place.file("authinfo").c_str(), kCourier, 0) == 0);
  auto is_missed = [&](const char* name) {
    ::chmod(checked.place.file(name).c_str(), 0600);
    int code = checked.check(courier);
    ::chmod(checked.place.file(name).c_str(), 0644);
    return code == kWrong && checked.says(cat(checked.place.file(name), ": ")) &&
           checked.says("cannot be opened: Permission denied");
  };
  CHECK(is_missed("aliases"));
  CHECK(is_missed("hikyaku.yaml"));
  ::mkdir(checked.place.file("closed").c_str(), 0700);
  std::filesystem::rename(checked.place.file("authinfo"), checked.place.file("closed/authinfo"));
  REQUIRE(::symlink("closed/authinfo", checked.place.file("authinfo").c_str()) == 0);
  CHECK(checked.check(courier) == kWrong);
  CHECK(checked.says("; a directory above it is closed to the user 4242"));
}
