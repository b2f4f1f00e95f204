// SPDX-License-Identifier: MIT
// The aliases file from the start of a daemon over reloads to its end.
#include <array>

#include "daemon/app/checking.h"
#include "daemon/io/socket_stream.h"
#include "daemon/system/files.h"
#include "daemon/tryout/app_dialogue.h"
#include "tests/unit/app/daemon_rig.h"

using namespace hikyaku;
using namespace hikyaku::app;

namespace {

struct AliasesRig : DaemonRig {
  std::string aliases = place.file("aliases");

  explicit AliasesRig(const std::string& text) {
    write(text);
    configure(cat("hostname: one.example.com\ndomain: one.example.com\naliases: ", aliases, "\n"));
  }
  void write(const std::string& text) const {
    ::unlink(aliases.c_str());
    system::write_new_file(aliases, text);
  }
};

Task<void> submit_to(AliasesRig& rig, std::string recipient) {
  auto stream = co_await io::connect_tcp(rig.loop, rig.address, rig.loop.within(10s));
  REQUIRE(stream);
  tryout::AppDialogue app(**stream, rig.loop.within(10s), [](std::string_view) {});
  auto queued = co_await app.submit({"a@example.com", recipient, "Subject: x\r\n\r\nhi\r\n"});
  CHECK(queued);
}

// What newaliases does; the last line of the answer.
Task<std::string> newaliases(AliasesRig& rig) {
  auto stream = co_await io::connect_unix(rig.loop, rig.place.file("run/control.sock"), rig.loop.within(10s));
  REQUIRE(stream);
  auto written = co_await (*stream)->write(
      "POST /v1/aliases/reload HTTP/1.0\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: "
      "2\r\n\r\n{}",
      {});
  REQUIRE(written);
  std::string answer;
  for (std::array<char, 4096> piece{};;) {
    auto got = co_await (*stream)->read_some(piece, rig.loop.within(10s));
    if (!got) break;
    answer.append(piece.data(), *got);
  }
  co_return answer.substr(std::min(answer.size(), answer.find("\r\n\r\n") + 4));
}

// What one mail to root becomes under each state of the file.
Task<void> change_the_file(AliasesRig& rig) {
  co_await submit_to(rig, "root");
  CHECK(rig.has("aliases=<root@one.example.com> to=<first@example.com>"));
  rig.write("root: second@example.com\ncron: root\n");
  std::string answer = co_await newaliases(rig);
  CHECK(answer == "{\"aliases\":2}\n");
  co_await submit_to(rig, "cron@localhost");
  CHECK(rig.has("aliases=<cron@localhost> to=<second@example.com>"));
  rig.write("root: third@example.com\ncron: |x\n");
  answer = co_await newaliases(rig);
  CHECK(answer.starts_with(cat("{\"error\":\"", rig.aliases, ":2: `|x` is a program")));
  CHECK(rig.has("the aliases stay as they were"));
  rig.lines.clear();
  co_await submit_to(rig, "root");
  CHECK(rig.has("to=<second@example.com>"));
}

Task<void> reload_with_a_mistake(AliasesRig& rig) {
  rig.write("root: |x\n");
  rig.configure(cat("hostname: two.example.com\ndomain: two.example.com\naliases: ", rig.aliases, "\n"));
  tell_ourselves(SIGHUP);
  co_await rig.until_it_says("reload failed");
  CHECK(rig.has(cat(rig.aliases, ":1: `|x` is a program")));
  co_await submit_to(rig, "root@one.example.com");
  CHECK(rig.has("to=<first@example.com>"));
  rig.write("root: second@example.com\n");
  tell_ourselves(SIGHUP);
  co_await rig.until_it_says("reloaded");
  co_await submit_to(rig, "root@two.example.com");
  CHECK(rig.has("aliases=<root@two.example.com> to=<second@example.com>"));
}

Task<void> submit_to_root(AliasesRig& rig) {
  co_await submit_to(rig, "root");
  CHECK(rig.has("to=<first@example.com>"));
}

}  // namespace

TEST_CASE("app: aliases change when they are read again, and a mistake changes nothing") {
  AliasesRig rig("root: first@example.com\n");
  CHECK(rig.loop.run(run_around(rig, change_the_file(rig))) == Exit::ok);
}

TEST_CASE("app: a reload with a mistake in the aliases that the configuration names changes nothing") {
  AliasesRig rig("root: first@example.com\n");
  CHECK(rig.loop.run(run_around(rig, reload_with_a_mistake(rig))) == Exit::ok);
}

TEST_CASE("app: aliases that the configuration does not name may hold what a relay cannot do") {
  AliasesRig rig("root: first@example.com, |x\nlist: :include:/etc/list\n");
  rig.configure("hostname: one.example.com\ndomain: one.example.com\n");
  rig.change_loaded = [&rig](system::Loaded& loaded) {
    loaded.aliases = config::load_aliases({rig.aliases, false});  // in the place of /etc/aliases
  };
  CHECK(rig.loop.run(run_around(rig, submit_to_root(rig))) == Exit::ok);
  CHECK(rig.has(cat("<4>warning ", rig.aliases, ":1: `|x` is a program")));
  CHECK(rig.has(cat("<4>warning ", rig.aliases, ":2: `:include:/etc/list` is a list")));
  CHECK(rig.has("the other aliases are used"));
}

TEST_CASE("app: aliases that the configuration names must be right at the start, and for --check") {
  AliasesRig rig("root: a@b\nx: /dev/null\n");
  auto loaded = system::load_everything(rig.config_file, system::Purpose::run);
  REQUIRE_FALSE(loaded);
  CHECK(config::to_text(loaded.error().at(0)).starts_with(cat(rig.aliases, ":2: `/dev/null` is a file")));
  CHECK(check_everything(rig.config_file) == Exit::configuration);
  ::unlink(rig.aliases.c_str());
  CHECK_FALSE(system::load_everything(rig.config_file, system::Purpose::run));
}
