// SPDX-License-Identifier: MIT
#include "daemon/commands/explain.h"

#include <doctest/doctest.h>

#include "daemon/base/text.h"
#include "daemon/config/load.h"
#include "daemon/mail/alias_file.h"

using namespace hikyaku;
using namespace hikyaku::commands;

namespace {

constexpr std::string_view kTwoWays =
    "hostname: app.shop.example\ndomain: shop.example\n"
    "smarthosts:\n"
    "  - {name: main, url: 'submission://smtp.shop.example', from: account@shop.example}\n"
    "  - {name: backup, url: 'smtps://backup.shop.example'}\n"
    "  - {name: inside, url: 'smtp://exchange.shop.example'}\n"
    "routes:\n"
    "  - {to: '*@intranet.example', via: [inside]}\n"
    "  - {via: [main, backup]}\n";

struct Asked {
  config::Settings settings = *config::load_text(kTwoWays, "h.yaml", {});
  mail::Aliases aliases = mail::parse_aliases("root: ops@intranet.example, you@world.example\n").aliases;
  SmarthostTroubles troubles = std::map<std::string, std::string>{};

  std::string text(ExplainQuestion question) {
    auto explanation = explain(settings, aliases, question, troubles,
                               [](const std::string& name) { return name == "anna"; });
    return explanation ? to_text(*explanation) : explanation.error();
  }
};

}  // namespace

TEST_CASE("explain: aliases, routes, smarthosts and what they would be told") {
  Asked asked;
  CHECK(asked.text({.from = "cron", .to = {"root"}, .message = ""}) ==
        "from <cron@shop.example>\n"
        "<root@shop.example> is an alias, or a user of this machine; instead:\n"
        "to <ops@intranet.example>\n"
        "  route 1 (to *@intranet.example)\n"
        "  via  inside (exchange.shop.example port 25, up)\n"
        "       MAIL FROM:<cron@shop.example>\n"
        "       RCPT TO:<ops@intranet.example>\n"
        "to <you@world.example>\n"
        "  route 2 (all mail)\n"
        "  via  main (smtp.shop.example port 587, up)\n"
        "  else backup (backup.shop.example port 465, up)\n"
        "       MAIL FROM:<account@shop.example>\n"
        "       RCPT TO:<you@world.example>\n");
}

TEST_CASE("explain: while a smarthost is paused the next one gets the mail by its own rules") {
  Asked asked;
  asked.troubles->insert_or_assign("main", "it refuses the password");
  const std::string text = asked.text(
      {.from = "a@b.example", .to = {"c@d.example"}, .message = "From: A <a@b.example>\nSubject: x\n\nhi\n"});
  CHECK(text.find("  else main (smtp.shop.example port 587, takes no mail now: it refuses the password)\n") !=
        text.npos);
  CHECK(text.find("  via  backup (backup.shop.example port 465, up)\n") != text.npos);
  CHECK(text.find("MAIL FROM:<a@b.example>\n") != text.npos);
  CHECK(text.find("       From: A <a@b.example>\n       Subject: x\n") != text.npos);
}

TEST_CASE("explain: a message shows the header as it would leave") {
  Asked asked;
  asked.troubles.reset();
  const std::string text = asked.text(
      {.from = "a@b.example", .to = {"c@d.example"}, .message = "From: A <a@b.example>\r\n\r\nhi\r\n"});
  CHECK(text.find("  via  main (smtp.shop.example port 587)\n") != text.npos);
  CHECK(text.find("       From: A <account@shop.example>\n") != text.npos);
  CHECK(text.find("       Reply-To: A <a@b.example>\n") != text.npos);
  CHECK(text.find("hi") == text.npos);
}

TEST_CASE("explain: who may not send is told so, and an address that is none is an error") {
  Asked asked;
  asked.settings.senders = {*mail::AddressPattern::parse("*@shop.example")};
  CHECK(asked.text({.from = "a@b.example", .to = {"c@d.example"}, .message = ""}) ==
        "from <a@b.example>\n  refused (550 5.7.1): this sender may not send, only *@shop.example\n");
  CHECK(asked.text({.from = "", .to = {"c@d.example"}, .message = ""})
            .starts_with("from <>\nto <c@d.example>\n"));
  CHECK(asked.text({.from = "a b@c", .to = {"c@d.example"}, .message = ""}) == "'a b@c' is no mail address");
}

TEST_CASE("explain: the signature is that of the message as it leaves, or says why there is none") {
  Asked asked;
  const auto key = dkim::SigningKey::generate(dkim::KeyKind::ed25519);
  REQUIRE(key);
  const dkim::KeyRing keys({{"shop.example", "hk1", *key}});
  auto signature = [&](const std::string& from, const std::string& message) {
    auto explanation = explain(
        asked.settings, asked.aliases, {.from = from, .to = {"a@b.example"}, .message = message},
        asked.troubles, [](const std::string&) { return false; }, keys);
    REQUIRE(explanation);
    CHECK(to_text(*explanation).contains(explanation->recipients[0].signature));
    return explanation->recipients[0].signature;
  };
  const std::string signed_so = "signed as shop.example/hk1 (ed25519-sha256)";
  CHECK(signature("a@other.example", "From: a@other.example\n\nx\n") == signed_so);  // `from` changes it
  asked.settings.smarthosts[0].rewrite = {};
  CHECK(signature("a@mail.shop.example", "") == signed_so);
  CHECK(signature("a@other.example", "") ==
        "not signed: there is no active key of other.example; see 'hikyaku dkim list'");
  CHECK(signature("", "").starts_with("not signed: there is no From"));
  CHECK(signature("a@shop.example", "From: a@shop.example\nFrom: b@shop.example\n\nx\n") ==
        "not signed: From stands there twice");
  asked.settings.smarthosts[0].dkim.sign = false;
  CHECK(signature("a@shop.example", "") == "not signed: the smarthost's entry has `dkim: {sign: false}`");
}

TEST_CASE("explain: the JSON object has the same") {
  Asked asked;
  auto explanation =
      explain(asked.settings, asked.aliases, {.from = "", .to = {"a@intranet.example"}, .message = ""},
              asked.troubles, [](const std::string&) { return false; });
  REQUIRE(explanation);
  CHECK(to_json_object(*explanation).text() ==
        R"({"sender":"","refusal":"","replaced":[],"recipients":[{"address":"a@intranet.example","route":1,)"
        R"("via":[[{"name":"inside","host":"exchange.shop.example","port":25,"trouble":""}]],"takes":0,)"
        R"("commands":["MAIL FROM:<>","RCPT TO:<a@intranet.example>"],"signature":null,"header":""}]})");
}

TEST_CASE("explain: queued mail's recipients stand together where their way is the same") {
  Asked asked;
  asked.troubles->insert_or_assign("main", "it refuses the password");
  const auto ways = ways_of(
      asked.settings, "a@b.example",
      {"1@x.example", "2@intranet.example", "3@x.example", "4@x.example", "5@x.example"}, asked.troubles);
  CHECK(to_text(ways) ==
        "  <1@x.example>, <3@x.example>, <4@x.example> and 1 more\n"
        "  route 2 (all mail)\n"
        "  else main (smtp.shop.example port 587, takes no mail now: it refuses the password)\n"
        "  via  backup (backup.shop.example port 465, up)\n"
        "  <2@intranet.example>\n"
        "  route 1 (to *@intranet.example)\n"
        "  via  inside (exchange.shop.example port 25, up)\n");
  auto json = parse_json(to_json_list(ways).text());
  REQUIRE(json);
  REQUIRE(json->list()->size() == 2);
  CHECK((*json->list())[0].list_of("recipients").size() == 4);
  CHECK((*json->list())[0].whole_number_of("takes") == 1);
}
