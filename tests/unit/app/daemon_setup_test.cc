// SPDX-License-Identifier: MIT
// What a daemon says about its own set-up.
#include "daemon/system/files.h"
#include "tests/unit/app/daemon_rig.h"

using namespace hikyaku;
using namespace hikyaku::app;

namespace {

constexpr const char* kGoodName = "hostname: app1.shop.example\ndomain: shop.example\n";

std::string with_aliases(DaemonRig& rig, std::string_view text) {
  std::string path = rig.place.file("aliases");
  ::unlink(path.c_str());
  system::write_new_file(path, std::string(text));
  return cat("aliases: ", path, "\n");
}

Task<void> until_it_says_so(DaemonRig& rig) {
  co_await rig.until_it_says("a reload will fail, because only root could read this: ");
}

Task<void> correct_and_reload(DaemonRig& rig) {
  co_await rig.until_it_says("there is no alias for root");
  co_await rig.until_it_says("nor a group www-dat");
  rig.lines.clear();
  rig.configure(
      cat(kGoodName, with_aliases(rig, "root: a@shop.example\n"), "submit: {trusted: [www-dat]}\n"));
  tell_ourselves(SIGHUP);
  co_await rig.until_it_says("nor a group www-dat");
  CHECK_FALSE(rig.has("alias for root"));
}

}  // namespace

TEST_CASE("app: at its start and at a reload a daemon warns of what is probably not meant") {
  DaemonRig rig;
  rig.configure(cat("hostname: vm\ndomain: vm\n", with_aliases(rig, "list: a@shop.example\n"),
                    "submit: {trusted: [www-dat]}\n"));
  CHECK(rig.loop.run(run_around(rig, correct_and_reload(rig))) == Exit::ok);
}

TEST_CASE("app: a daemon that was root warns that a reload will not be able to read its files") {
  DaemonRig rig;
  rig.configure(cat(kGoodName, with_aliases(rig, "root: a@shop.example\n")));
  rig.change_loaded = [&rig](system::Loaded& loaded) {
    loaded.account = system::Account{"courier", 4242, 4242};
    rig.configure("hostnames: x\n");  // stands for a file that only root can read
  };
  CHECK(rig.loop.run(run_around(rig, until_it_says_so(rig))) == Exit::ok);
}
