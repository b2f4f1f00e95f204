// SPDX-License-Identifier: MIT
#include <sys/stat.h>

#include "daemon/base/text.h"
#include "daemon/system/files.h"
#include "spool/recovery.h"
#include "tests/support/spool_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::commands;
using mail::RecipientState;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

struct ExportRig : test::SpoolRig {
  std::string target = place.file("export");
  std::string exported(mail::MailId id, const char* ending) const {
    return system::read_whole_file(target + "/" + to_text(id) + ending);
  }
  std::size_t files_exported() const {
    std::filesystem::directory_iterator begin(target);
    return static_cast<std::size_t>(std::distance(begin, {}));
  }
};

int mode_of(const std::string& path) {
  struct stat status;
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return static_cast<int>(status.st_mode & 07777);
}

}  // namespace

TEST_CASE("spool check: counts mails, records and bytes, and finds no damage in a sound spool") {
  SpoolRig rig;
  auto id = rig.accept("one", "a@example.com", "x@example.net");
  rig.record(id, deferral(1, {{RecipientState::pending, "451"}}));
  rig.record(id, deferral(2, {{RecipientState::pending, "451"}}));
  rig.accept(std::string(300'000, 'l'), "a@example.com", "x@example.net");
  for (bool daemon_runs : {true, false}) {
    if (!daemon_runs) rig.stop();
    Ran ran = rig.run({"spool", "check"});
    CHECK(ran.exit == 0);
    CHECK(has(ran.out, "mails: 2; "));
    CHECK(has(ran.out, " 4 records, "));
    CHECK(has(ran.out, "large bodies: 1 in use, 0 not in use, 0 missing, 0 damaged\n"));
    CHECK(ran.out.ends_with("no damage\n"));
    Ran json = rig.run({"spool", "check", "--json"});
    CHECK(json.exit == 0);
    CHECK(has(json.out, "\"mails\":2,"));
    CHECK(
        json.out.ends_with("\"large_bodies\":{\"named\":1,\"unnamed\":0,\"missing\":0,\"damaged\":0},"
                           "\"damage\":[]}\n"));
  }
}

TEST_CASE("spool check: damage to head, content and large bodies is found, each with its mail") {
  SpoolRig rig;
  auto head = rig.accept("one", "hit@example.com", "x@example.net");
  auto content = rig.accept("two is hit", "b@example.com", "x@example.net");
  auto body = rig.accept("large is hit" + std::string(300'000, 'l'), "c@example.com", "x@example.net");
  auto gone = rig.accept(std::string(300'000, 'm'), "d@example.com", "x@example.net");
  rig.accept("whole", "e@example.com", "x@example.net");
  rig.stop();
  rig.damage("hit@example.com");
  rig.damage("two is hit");
  rig.damage("large is hit");
  std::filesystem::remove(rig.directory() + "/" + spool::large_path(gone));
  std::ofstream(rig.directory() + "/large/00000000000000ff") << "left by a crash";
  Ran ran = rig.run({"spool", "check"});
  CHECK(ran.exit == EX_DATAERR);
  CHECK(has(ran.out, "mails: 5; "));
  CHECK(has(ran.out, "large bodies: 1 in use, 1 not in use, 1 missing, 1 damaged\n"));
  CHECK(has(ran.out, "damage: 4\n"));
  for (mail::MailId id : {head, content, body}) CHECK(has(ran.out, "mail " + to_text(id)));
  CHECK(has(ran.out, spool::large_path(gone)));
}

TEST_CASE("spool check: a segment without its header, and damage that no footer hides, are found") {
  SpoolRig rig;
  auto id = rig.accept("one is hit", "a@example.com", "x@example.net");
  rig.accept("two", "a@example.com", "x@example.net");
  rig.damage("one is hit");
  Ran scanned = rig.run({"spool", "check"});
  CHECK(scanned.exit == EX_DATAERR);
  CHECK(has(scanned.out, "damaged bytes at 4096, of mail " + to_text(id)));
  rig.stop();
  std::ofstream(rig.directory() + "/log/0000000000000777") << std::string(64 << 10, 'g');
  std::filesystem::create_directory(rig.directory() + "/log/0000000000000778");
  Ran ran = rig.run({"spool", "check", "--json"});
  CHECK(ran.exit == EX_DATAERR);
  CHECK(has(ran.out, "log/0000000000000778: is no file"));
  CHECK(has(ran.out, "log/0000000000000777: has no readable header"));
}

TEST_CASE("spool export: each message as it is, with its envelope, for its owner alone") {
  ExportRig rig;
  mail::Envelope envelope;
  envelope.sender = "a@example.com";
  envelope.envid = "E1";
  envelope.ret = mail::Ret::full;
  envelope.smtputf8 = true;
  envelope.uid = 1000;
  envelope.recipients.resize(1);
  envelope.recipients[0].address = "x@example.net";
  envelope.recipients[0].orcpt = "rfc822;old@example.net";
  envelope.recipients[0].notify.delay = true;
  auto small_id = rig.accept("small\r\n", envelope);
  rig.record(small_id, deferral(1, {{RecipientState::pending, "451 4.7.1 not now"}}));
  std::string large(300'000, 'l');
  auto large_id = rig.accept(large, "b@example.com", "y@example.net");
  Ran ran = rig.run({"spool", "export", rig.target});
  CHECK(ran.exit == 0);
  CHECK(ran.out == "exported 2 mails to " + rig.target + "\n");
  CHECK(rig.files_exported() == 4);
  CHECK(rig.exported(small_id, ".eml") == "small\r\n");
  CHECK(rig.exported(large_id, ".eml") == large);
  CHECK(rig.exported(small_id, ".json") ==
        "{\"id\":\"" + to_text(small_id) +
            "\",\"state\":\"deferred\",\"waits_for\":\"time\",\"waits_since\":null,"
            "\"reason\":\"the smarthost said not now\",\"arrival_time\":\"2026-09-21T14:13:20Z\",\"size\":7,"
            "\"sender\":\"a@example.com\",\"attempts\":1,\"next_attempt\":\"2026-09-21T14:14:20Z\","
            "\"smarthost\":\"main\",\"recipients\":[{\"address\":\"x@example.net\",\"status\":\"pending\","
            "\"last_reply\":\"451 4.7.1 not now\",\"notify\":[\"delay\"],"
            "\"orcpt\":\"rfc822;old@example.net\"}],"
            "\"ret\":\"full\",\"envid\":\"E1\",\"body\":null,\"smtputf8\":true,\"uid\":1000}\n");
  CHECK(mode_of(rig.target) == 0700);
  CHECK(mode_of(rig.target + "/" + to_text(small_id) + ".eml") == 0600);
  CHECK(mode_of(rig.target + "/" + to_text(small_id) + ".json") == 0600);
}

TEST_CASE("spool export: nothing is overwritten, and no half of a pair is left") {
  for (const char* ending : {".eml", ".json"}) {
    ExportRig rig;
    auto id = rig.accept("ours", "a@example.com", "x@example.net");
    std::filesystem::create_directory(rig.target);
    std::ofstream(rig.target + "/" + to_text(id) + ending) << "theirs";
    Ran ran = rig.run({"spool", "export", rig.target});
    CHECK(ran.exit == EX_CANTCREAT);
    CHECK(has(ran.err, to_text(id) + ending));
    CHECK(rig.exported(id, ending) == "theirs");
    CHECK(rig.files_exported() == 1);
  }
}

TEST_CASE("spool export: damaged mails are told of and left out, the others are exported") {
  ExportRig rig;
  auto head = rig.accept("one", "hit@example.com", "x@example.net");
  auto content = rig.accept("two is hit", "b@example.com", "x@example.net");
  auto body = rig.accept("large is hit" + std::string(300'000, 'l'), "c@example.com", "x@example.net");
  auto whole = rig.accept("whole", "d@example.com", "x@example.net");
  rig.stop();
  rig.damage("hit@example.com");
  rig.damage("two is hit");
  rig.damage("large is hit");
  Ran ran = rig.run({"spool", "export", rig.target});
  CHECK(ran.exit == EX_DATAERR);
  CHECK(has(ran.out, "exported 1 mail to "));
  for (mail::MailId id : {head, content, body}) CHECK(has(ran.err, to_text(id)));
  CHECK(rig.exported(whole, ".eml") == "whole");
  CHECK(rig.files_exported() == 2);
}

TEST_CASE("spool export: a directory that cannot be made is an error in words") {
  ExportRig rig;
  rig.accept("one", "a@example.com", "x@example.net");
  Ran ran = rig.run({"spool", "export", rig.place.file("no/such/place")});
  CHECK(ran.exit == EX_CANTCREAT);
  CHECK(has(ran.err, "No such file or directory"));
}
