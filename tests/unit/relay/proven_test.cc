// SPDX-License-Identifier: MIT
#include "daemon/relay/proven.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "daemon/base/text.h"
#include "daemon/system/files.h"
#include "tests/unit/relay/relay_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::relay;

namespace {

struct ProvenRig {
  system::TemporaryDirectory directory{"hikyaku-proven-"};
  std::string file = directory.file("proven");
  ManualClock clock;
  io::Loop loop{clock};
  mail::Smarthost smarthost = test::some_smarthost("a name with blanks");

  ProvenRig() { smarthost.credentials = test::some_credentials(); }
  void note(Proven& proven, const mail::Smarthost& which) { loop.run(proven.note(loop, which)); }
  // As a run of the daemon that has seen it accept a message.
  void prove() {
    Proven proven(file);
    note(proven, smarthost);
  }
  std::string content() const {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(std::string_view text) const { std::ofstream(file) << text; }
};

mail::Smarthost with_password(mail::Smarthost smarthost, const std::string& password) {
  smarthost.credentials->password = Secret(password);
  return smarthost;
}

}  // namespace

TEST_CASE("proven: it survives a restart, and ends with any change of settings or credentials") {
  ProvenRig rig;
  {
    Proven proven(rig.file);
    CHECK_FALSE(proven.is_proven(rig.smarthost));
    rig.note(proven, rig.smarthost);
    CHECK(proven.is_proven(rig.smarthost));
    CHECK_FALSE(proven.is_proven(with_password(rig.smarthost, "other")));
  }
  Proven again(rig.file);
  CHECK(again.is_proven(rig.smarthost));
  CHECK_FALSE(again.is_proven(with_password(rig.smarthost, "other")));
  auto changed = rig.smarthost;
  changed.rewrite.envelope_from = "other@example.com";
  CHECK_FALSE(again.is_proven(changed));
  changed = rig.smarthost;
  changed.port = 465;
  CHECK_FALSE(again.is_proven(changed));
  CHECK(again.is_proven(rig.smarthost));  // what was changed is changed back
}

TEST_CASE("proven: a password that was changed while no daemon ran is not proven") {
  ProvenRig rig;
  rig.prove();
  Proven again(rig.file);
  CHECK_FALSE(again.is_proven(with_password(rig.smarthost, "other")));
}

TEST_CASE("proven: a smarthost without log-in survives a restart, and giving it a password ends that") {
  ProvenRig rig;
  auto with = std::exchange(rig.smarthost.credentials, std::nullopt);
  rig.prove();
  CHECK(Proven(rig.file).is_proven(rig.smarthost));
  rig.smarthost.credentials = with;
  CHECK_FALSE(Proven(rig.file).is_proven(rig.smarthost));
}

TEST_CASE("proven: the file holds a new random salt and a slow hash each time, and no fast one") {
  ProvenRig rig;
  rig.prove();
  const auto first = parse_proven_file(rig.content());
  REQUIRE(first);
  std::remove(rig.file.c_str());
  rig.prove();
  const auto second = parse_proven_file(rig.content());
  REQUIRE(second);
  const ProvenMark& mark = first->at(rig.smarthost.name);
  CHECK(mark.salt.size() == 26);
  CHECK(mark.hash.size() == 64);
  CHECK(mark.salt != second->at(rig.smarthost.name).salt);
  CHECK(mark.hash != second->at(rig.smarthost.name).hash);
  CHECK(rig.content().find(rig.smarthost.credentials->password.reveal()) == std::string::npos);
}

TEST_CASE("proven: a file of version 0.1, with its fast hashes, is emptied at the start and proves nothing") {
  ProvenRig rig;
  rig.write("salt 1234567890\n987654321 a name with blanks\n");
  Proven proven(rig.file);
  CHECK(rig.content() == "proven 2\n");
  CHECK_FALSE(proven.is_proven(rig.smarthost));
}

TEST_CASE("proven: what is written is read again, and nothing else is") {
  const ProvenMarks marks{{"main", {"salt1", "hash1"}}, {"the other one", {"salt2", "hash2"}}};
  CHECK(parse_proven_file(to_text(marks)) == marks);
  CHECK(parse_proven_file("proven 2\n") == ProvenMarks());
  for (const char* text :
       {"", "proven 2", "proven 1\n", "proven 2\nsalt\n", "proven 2\nsalt hash\n",
        "proven 2\nsa.lt hash name\n", "proven 2\n hash name\n", "proven 2\n\n", "salt 12\n3 main\n"})
    CHECK_FALSE(parse_proven_file(text));
}

TEST_CASE("proven: without a file it counts as long as the daemon runs") {
  ProvenRig rig;
  Proven proven("");
  rig.note(proven, rig.smarthost);
  CHECK(proven.is_proven(rig.smarthost));
}
