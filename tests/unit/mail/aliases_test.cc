// SPDX-License-Identifier: MIT
#include "daemon/mail/aliases.h"

#include "daemon/base/text.h"
#include "daemon/mail/alias_file.h"
#include "doctest/doctest.h"

using namespace hikyaku;
using namespace hikyaku::mail;

namespace {

Aliases aliases_of(std::string_view file) {
  ParsedAliases parsed = parse_aliases(file);
  REQUIRE(parsed.problems.empty());
  return std::move(parsed.aliases);
}

// "a@b c@d"; empty: no alias.
std::string expanded(std::string_view file, std::string_view name) {
  return join(aliases_of(file).expand(name, "local.example"), " ");
}

AliasRules rules(std::string_view file) { return {aliases_of(file), "example.com", "app1.example.com"}; }

std::string addresses(const std::vector<Recipient>& recipients) {
  std::vector<std::string> texts;
  for (const Recipient& recipient : recipients) texts.push_back(recipient.address);
  return join(texts, " ");
}

std::vector<Recipient> to(std::vector<std::string> list) {
  std::vector<Recipient> recipients;
  for (std::string& address : list) recipients.push_back({std::move(address), {}, {}});
  return recipients;
}

}  // namespace

TEST_CASE("aliases: a name stands for its addresses, in their order, whatever its case") {
  CHECK(expanded("root: a@b, c@d", "root") == "a@b c@d");
  CHECK(expanded("Postmaster: a@b", "POSTMASTER") == "a@b");
  CHECK(expanded("root: a@b", "\"root\"") == "a@b");
  CHECK(expanded("\"r\\oot\": a@b", "root") == "a@b");
  CHECK(expanded("\"two words\": a@b", "\"Two Words\"") == "a@b");
  CHECK(expanded("root: a@b", "other") == "");
  CHECK(expanded("", "root") == "");
}

TEST_CASE("aliases: names lead on to names, and what ends as a name gets the domain") {
  CHECK(expanded("cron: root\nroot: admin, a@b\nadmin: c@d", "cron") == "c@d a@b");
  CHECK(expanded("root: nobody", "root") == "nobody@local.example");
  CHECK(expanded("root: Admin@LOCALHOST\nadmin: a@b", "root") == "a@b");
  CHECK(expanded("root: \"two words\"", "root") == "\"two words\"@local.example");
  CHECK(expanded("root: \"a@b\"", "root") == "\"a@b\"@local.example");
}

TEST_CASE("aliases: an address with a domain is the end, also where the domain is our own") {
  CHECK(expanded("root: admin@local.example\nadmin: root", "root") == "admin@local.example");
}

TEST_CASE("aliases: a backslash, and a name within its own entry, end the search") {
  CHECK(expanded("root: \\admin, a@b\nadmin: c@d", "root") == "admin@local.example a@b");
  CHECK(expanded("root: root, a@b", "root") == "root@local.example a@b");
  CHECK(expanded("Root: \"ROOT\", a@b", "root") == "\"ROOT\"@local.example a@b");
}

TEST_CASE("aliases: each address comes once, whichever way it is reached; domains have no case") {
  CHECK(expanded("a: b, c, x@y\nb: d, x@Y\nc: d, X@y\nd: e@f", "a") == "e@f x@Y X@y");
}

TEST_CASE("aliases: names that branch at every step cost no more than there are entries") {
  std::string file;
  for (int i = 0; i < 2000; ++i)
    file += cat("n", std::to_string(i), ": n", std::to_string(i + 1), ", n", std::to_string(i + 1), "\n");
  CHECK(expanded(file, "n0") == "n2000@local.example");
}

TEST_CASE("aliases: recipients of this machine's names are replaced, all others stay") {
  AliasRules some = rules("root: a@b");
  for (const char* name : {"root@example.com", "ROOT@APP1.example.com", "root@localhost",
                           "root@localhost.localdomain", "\"root\"@example.com"}) {
    CAPTURE(name);
    AliasExpansion expansion = expand(some, to({"x@y", name}));
    CHECK(expansion.replaced == std::vector<std::string>{name});
    CHECK(addresses(expansion.recipients) == "x@y a@b");
  }
  for (const char* name : {"root@example.org", "root@sub.example.com", "me@example.com", "root@[127.0.0.1]"})
    CHECK(expand(some, to({name})).replaced.empty());
}

TEST_CASE("aliases: what the client asked to be told, and the original recipient, go along") {
  Recipient root{"root@localhost", {.success = true}, "rfc822;root@localhost"};
  AliasExpansion expansion = expand(rules("root: a@b, c@d"), {root});
  CHECK(expansion.recipients ==
        std::vector<Recipient>{{"a@b", root.notify, root.orcpt}, {"c@d", root.notify, root.orcpt}});
}

TEST_CASE("aliases: of an address that comes by several ways the first counts") {
  std::vector<Recipient> recipients{
      {"a@b", {.never = true}, ""}, {"root@localhost", {}, ""}, {"A@B", {}, ""}};
  AliasExpansion expansion = expand(rules("root: a@B, c@d"), recipients);
  CHECK(addresses(expansion.recipients) == "a@b c@d A@B");
  CHECK(expansion.recipients[0].notify.never);
}

TEST_CASE("aliases: where none is meant nothing changes, doubles neither") {
  CHECK(expand(rules("root: a@b"), to({"x@y", "x@y"})).replaced.empty());
  CHECK(expand(AliasRules{}, to({"root@"})).replaced.empty());
}

TEST_CASE(
    "aliases: users of this machine that no alias names get local_mail, and ORCPT and NOTIFY go along") {
  AliasRules some = rules("root: boss@elsewhere.test, anna, \\berta, nobody");
  some.local_mail = "ops@example.net";
  auto is_user = [](const std::string& name) { return name == "anna" || name == "berta" || name == "root"; };
  auto of = [&](std::string address, bool is_bare) {
    Recipient recipient{std::move(address), {.success = true}, "rfc822;x@y"};
    recipient.is_bare = is_bare;
    return expand(some, {recipient}, is_user);
  };
  CHECK(addresses(of("anna@example.com", true).recipients) == "ops@example.net");
  CHECK(of("anna@example.com", true).recipients[0].notify.success);
  CHECK(of("anna@example.com", true).recipients[0].orcpt == "rfc822;x@y");
  CHECK(of("anna@example.com", true).replaced == std::vector<std::string>{"anna@example.com"});
  for (const char* address : {"anna@localhost", "Anna@APP1.example.com", "\"anna\"@localhost.localdomain"})
    CHECK(addresses(of(address, false).recipients) == "ops@example.net");
  CHECK(addresses(of("root@example.com", false).recipients) ==
        "boss@elsewhere.test ops@example.net nobody@example.com");
}

TEST_CASE("aliases: whoever may have a mailbox elsewhere keeps it, though a user is called the same") {
  AliasRules some = rules("root: anna@example.com");
  some.local_mail = "ops@example.net";
  auto is_user = [](const std::string& name) { return name == "anna"; };
  for (const char* address :
       {"anna@example.com", "anna@example.org", "anna@sub.app1.example.com", "anna@[127.0.0.1]",
        "hanna@localhost", "anna+x@app1.example.com", "\"anna@localhost\"@elsewhere.test"})
    CHECK(expand(some, to({address}), is_user).replaced.empty());
  CHECK(addresses(expand(some, to({"root@localhost"}), is_user).recipients) == "anna@example.com");
  some.hostname = some.domain;  // then the name is this machine's
  CHECK(addresses(expand(some, to({"anna@example.com"}), is_user).recipients) == "ops@example.net");
}

TEST_CASE("aliases: without local_mail nobody is looked for") {
  bool is_asked = false;
  auto ask = [&](const std::string&) { return is_asked = true; };
  CHECK(expand(rules("root: anna"), to({"anna@localhost", "root@localhost"}), ask).replaced.size() == 1);
  CHECK_FALSE(is_asked);
}

TEST_CASE("aliases: a name is added once") {
  Aliases aliases;
  CHECK(aliases.add("root", {{AliasTargetKind::address, "a@b", 1}}));
  CHECK_FALSE(aliases.add("\"Root\"", {{AliasTargetKind::address, "c@d", 2}}));
  CHECK(aliases.size() == 1);
  CHECK(aliases.find("root")->at(0).text == "a@b");
}
