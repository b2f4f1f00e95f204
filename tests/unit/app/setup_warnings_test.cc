// SPDX-License-Identifier: MIT
#include "daemon/app/setup_warnings.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "daemon/system/files.h"

using namespace hikyaku;
using namespace hikyaku::app;
namespace fs = std::filesystem;

namespace {

struct Prefix {
  Prefix() {
    for (const char* name : {"sbin", "lib", "lib/hikyaku"}) fs::create_directory(place.file(name));
    system::write_new_file(place.file("lib/hikyaku/sendmail"), "ours");
    fs::create_symlink("../lib/hikyaku/sendmail", sendmail);
  }
  std::string judged() const { return judge_installed_sendmail(place.path()).value_or(""); }
  system::TemporaryDirectory place{"hikyaku-test"};
  std::string sendmail = place.file("sbin/sendmail");
};

bool has(const std::string& text, const std::string& words) { return text.find(words) != std::string::npos; }

}  // namespace

TEST_CASE("installed sendmail: as it was installed there is nothing to say of it") {
  CHECK(Prefix().judged().empty());
}

TEST_CASE(
    "installed sendmail: that a package has replaced it is told, with what has and the command that repairs "
    "it") {
  Prefix prefix;
  system::write_new_file(prefix.place.file("sbin/exim4"), "another");
  fs::remove(prefix.sendmail);
  fs::create_symlink("exim4", prefix.sendmail);
  CHECK(has(prefix.judged(), "sbin/sendmail is " + prefix.place.file("sbin/exim4") + " and not hikyaku's"));
  CHECK(has(prefix.judged(), "run: ln -sf ../lib/hikyaku/sendmail " + prefix.sendmail));
  fs::remove(prefix.sendmail);
  system::write_new_file(prefix.sendmail, "another");
  CHECK(has(prefix.judged(), "sbin/sendmail is another program and not hikyaku's"));
}

TEST_CASE("installed sendmail: that it is missing is told") {
  Prefix prefix;
  fs::remove(prefix.sendmail);
  CHECK(has(prefix.judged(), "sbin/sendmail is missing"));
}

TEST_CASE("installed sendmail: where hikyaku is not installed there is none to look for") {
  system::TemporaryDirectory place("hikyaku-test");
  CHECK_FALSE(judge_installed_sendmail(place.path()));
}
