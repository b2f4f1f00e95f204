// SPDX-License-Identifier: MIT
// A mail that is signed on its way: commands, size and content are those of the mail with its signature.
#include "daemon/base/text.h"
#include "daemon/dkim/signing_reader.h"
#include "doctest/doctest.h"
#include "tests/unit/dkim/rfc_examples.h"
#include "tests/unit/smtpc/client_rig.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;
using namespace hikyaku::test;

namespace {

constexpr const char* kAnnas = "From: Anna <a@client.example>\r\nSubject: x\r\n\r\nhello\r\n";

struct SigningRig : ClientRig {
  SigningRig() { keys = &ring; }

  // The signatures that the content gets now, before the rules of the smarthost change anything.
  std::string signature_of(const std::string& content) {
    MemoryContent stored({content});
    dkim::SigningReader reader(loop, stored, ring, smarthost.dkim);
    REQUIRE(loop.run(reader.prepare(content.size())));
    auto first = loop.run(reader.next());
    REQUIRE(first);
    return reader.added() > 0 ? std::string(*first) : "";
  }
  static mail::QueuedMail mail_with(const std::string& content) {
    auto mail = mail_to({"b@x.example"});
    mail.size = content.size();
    return mail;
  }
  static std::string by_data(std::size_t size) {
    return cat("C: MAIL FROM:<a@client.example> SIZE=", std::to_string(size),
               "\nS: 250 ok\nC: RCPT TO:<b@x.example>\nS: 250 ok\nC: DATA\nS: 354 x\nD:\nS: 250 ok\n",
               "C: QUIT\nS: 221 bye\nCLOSE");
  }

  dkim::KeyRing ring{{{"client.example", "hk1", dkim::SigningKey::parse(dkim::kRsaKeyOf8463).value()}}};
};

}  // namespace

TEST_CASE("smtpc: a mail leaves with its signature before it, and SIZE counts both") {
  SigningRig rig;
  const std::string leaves = rig.signature_of(kAnnas) + kAnnas;
  REQUIRE(leaves.starts_with("DKIM-Signature: "));
  auto result = rig.send(cat(hello({"SIZE"}), SigningRig::by_data(leaves.size())),
                         SigningRig::mail_with(kAnnas), {kAnnas});
  CHECK(rig.problem == "");
  CHECK(result.final_reply);
  CHECK(result.signature == "client.example/hk1");
  CHECK(rig.contents == std::vector<std::string>{leaves + ".\r\n"});
}

TEST_CASE("smtpc: a signed mail as one chunk has the size of what leaves") {
  SigningRig rig;
  const std::string leaves = rig.signature_of(kAnnas) + kAnnas, size = std::to_string(leaves.size());
  auto result =
      rig.send(cat(hello({"PIPELINING", "CHUNKING"}),
                   "C: MAIL FROM:<a@client.example>\nC: RCPT TO:<b@x.example>\nC: BDAT ", size, " LAST\nB ",
                   size, "\nS: 250 ok\nS: 250 ok\nS: 250 ok\nC: QUIT\nS: 221 bye\nCLOSE"),
               SigningRig::mail_with(kAnnas), {kAnnas});
  CHECK(rig.problem == "");
  CHECK(result.final_reply);
  CHECK(rig.contents == std::vector<std::string>{leaves});
}

TEST_CASE("smtpc: what is signed is what the smarthost's rules have made") {
  SigningRig rig;
  rig.smarthost.rewrite = {
      .header_from = "me@client.example", .add = {{"X-Tag", "shop"}}, .remove = {"Subject"}};
  const std::string stored = "From: Anna <a@other.example>\r\nSubject: x\r\n\r\nhello\r\n";
  const std::string rewritten = mail::rewritten(stored, rig.smarthost.rewrite);
  const std::string leaves = rig.signature_of(rewritten) + rewritten;
  auto result = rig.send(cat(hello({"SIZE"}), SigningRig::by_data(leaves.size())),
                         SigningRig::mail_with(stored), {stored});
  CHECK(rig.problem == "");
  CHECK(result.signature == "client.example/hk1");
  CHECK(rig.contents == std::vector<std::string>{leaves + ".\r\n"});
}

TEST_CASE(
    "smtpc: mail that nobody could sign for leaves as it is, with the reason; without keys there is none") {
  SigningRig rig;
  const std::string stored = "From: b@other.example\r\n\r\nhello\r\n";
  auto send = [&] {
    rig.contents.clear();
    return rig.send(cat(hello({"SIZE"}), SigningRig::by_data(stored.size())), SigningRig::mail_with(stored),
                    {stored});
  };
  CHECK(send().signature == "no_key");
  CHECK(rig.contents == std::vector<std::string>{stored + ".\r\n"});
  rig.ring = dkim::KeyRing();
  CHECK(send().signature == "");
  CHECK(rig.problem == "");
}
