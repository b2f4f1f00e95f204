// SPDX-License-Identifier: MIT
#include "doctest/doctest.h"
#include "smtpc/login.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;
using mail::FailureKind;

namespace {

using Names = std::vector<std::string>;

const std::set<std::string> kAll{"EXTERNAL", "SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5",
                                 "CRAM-MD5", "PLAIN",         "LOGIN"};

mail::Smarthost with_credentials(Names of_credentials = {}, Names of_smarthost = {}) {
  mail::Smarthost smarthost;
  smarthost.credentials.emplace();
  smarthost.credentials->user = "me";
  smarthost.credentials->mechanisms = std::move(of_credentials);
  smarthost.mechanisms = std::move(of_smarthost);
  return smarthost;
}

mail::Capabilities offering(Names mechanisms) {
  mail::Capabilities capabilities;
  capabilities.mechanisms = std::move(mechanisms);
  return capabilities;
}

Names usable(const mail::Smarthost& smarthost, Names offered, bool encrypted = true) {
  auto found = usable_mechanisms(smarthost, offering(std::move(offered)), encrypted, kAll);
  REQUIRE(found);
  return *found;
}

FailureKind why_none(const mail::Smarthost& smarthost, const mail::Capabilities& capabilities,
                     bool encrypted = true, const std::set<std::string>& available = kAll) {
  auto found = usable_mechanisms(smarthost, capabilities, encrypted, available);
  REQUIRE_FALSE(found);
  return found.error().kind;
}

}  // namespace

TEST_CASE("smtpc: auto tries the best of each family, strongest first") {
  auto smarthost = with_credentials();
  CHECK(usable(smarthost, {"LOGIN", "PLAIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"}) ==
        Names{"SCRAM-SHA-256", "DIGEST-MD5", "PLAIN", "LOGIN"});
  CHECK(usable(smarthost, {"LOGIN", "CRAM-MD5", "SCRAM-SHA-1"}) == Names{"SCRAM-SHA-1", "CRAM-MD5", "LOGIN"});
  CHECK(usable(smarthost, {"XYMCOOKIE", "NTLM", "LOGIN", "SCRAM-SHA-256-PLUS"}) == Names{"LOGIN"});
  CHECK(usable(smarthost, {"EXTERNAL", "PLAIN"}) == Names{"PLAIN"});
  smarthost.tls.client_cert = "client.pem";
  CHECK(usable(smarthost, {"PLAIN", "EXTERNAL"}) == Names{"EXTERNAL", "PLAIN"});
}

TEST_CASE("smtpc: configured lists order and restrict") {
  CHECK(usable(with_credentials({}, {"LOGIN", "PLAIN"}), {"PLAIN", "LOGIN", "CRAM-MD5"}) ==
        Names{"LOGIN", "PLAIN"});
  CHECK(usable(with_credentials({"PLAIN", "LOGIN"}), {"LOGIN", "PLAIN"}) == Names{"PLAIN", "LOGIN"});
  CHECK(usable(with_credentials({"PLAIN", "LOGIN"}, {"LOGIN"}), {"LOGIN", "PLAIN"}) == Names{"LOGIN"});
}

TEST_CASE("smtpc: no plaintext mechanism without encryption unless it is allowed") {
  auto smarthost = with_credentials();
  CHECK(usable(smarthost, {"PLAIN", "LOGIN", "CRAM-MD5"}, false) == Names{"CRAM-MD5"});
  CHECK(why_none(smarthost, offering({"PLAIN", "LOGIN"}), false) == FailureKind::plaintext_auth_not_allowed);
  smarthost.allow_plaintext_auth = true;
  CHECK(usable(smarthost, {"PLAIN", "LOGIN"}, false) == Names{"PLAIN", "LOGIN"});
}

TEST_CASE("smtpc: each reason why no mechanism is left has its failure") {
  auto smarthost = with_credentials();
  mail::Capabilities before_tls;
  before_tls.starttls = true;
  CHECK(why_none(smarthost, before_tls, false) == FailureKind::auth_only_after_tls);
  CHECK(why_none(smarthost, offering({})) == FailureKind::auth_not_offered);
  CHECK(why_none(smarthost, offering({"NTLM"})) == FailureKind::no_usable_mechanism);
  CHECK(why_none(with_credentials({"CRAM-MD5"}), offering({"PLAIN"})) == FailureKind::no_usable_mechanism);
  CHECK(why_none(with_credentials({"CRAM-MD5"}, {"PLAIN"}), offering({"PLAIN"})) ==
        FailureKind::no_usable_mechanism);
  auto missing = usable_mechanisms(smarthost, offering({"LOGIN", "PLAIN"}), true, {"CRAM-MD5"});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == FailureKind::missing_plugin);
  CHECK(missing.error().mechanism == "PLAIN");
}

TEST_CASE("smtpc: a mechanism without a plug-in makes way for the next of its family") {
  auto found = usable_mechanisms(with_credentials(), offering({"SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"}),
                                 true, {"SCRAM-SHA-1", "PLAIN"});
  REQUIRE(found);
  CHECK(*found == Names{"SCRAM-SHA-1", "PLAIN"});
}

TEST_CASE("smtpc: without an entry auto does not log in, and a list of mechanisms insists") {
  mail::Smarthost smarthost;
  CHECK_FALSE(wants_login(smarthost));
  smarthost.mechanisms = {"PLAIN"};
  CHECK(wants_login(smarthost));
  CHECK(why_none(smarthost, offering({"PLAIN"})) == FailureKind::credentials_demanded);
  smarthost.mechanisms = {"EXTERNAL"};
  CHECK(usable(smarthost, {"PLAIN", "EXTERNAL"}) == Names{"EXTERNAL"});
  CHECK(wants_login(with_credentials()));
  auto never = with_credentials();
  never.auth = false;
  CHECK_FALSE(wants_login(never));
}

TEST_CASE("smtpc: what worked is tried first, what was refused not again in this round") {
  const Names kUsable{"SCRAM-SHA-1", "PLAIN", "LOGIN"};
  LoginKnowledge memory;
  CHECK(mechanisms_to_try(kUsable, memory) == kUsable);
  note_refusal(memory, "SCRAM-SHA-1", kUsable);
  CHECK(mechanisms_to_try(kUsable, memory) == Names{"PLAIN", "LOGIN"});
  note_success(memory, "LOGIN");
  CHECK(mechanisms_to_try(kUsable, memory) == Names{"LOGIN", "SCRAM-SHA-1", "PLAIN"});
}

TEST_CASE("smtpc: once none works, each connection makes one log-in, the mechanisms taking turns") {
  const Names kUsable{"SCRAM-SHA-1", "PLAIN"};
  LoginKnowledge memory;
  for (const std::string& name : kUsable) note_refusal(memory, name, kUsable);
  for (int round = 0; round < 2; ++round)
    for (const std::string& name : kUsable) {
      CHECK(mechanisms_to_try(kUsable, memory) == Names{name});
      note_refusal(memory, name, kUsable);
    }
  note_success(memory, "PLAIN");
  CHECK(mechanisms_to_try(kUsable, memory) == Names{"PLAIN", "SCRAM-SHA-1"});
}
