// SPDX-License-Identifier: MIT
#include "doctest/doctest.h"
#include "tests/unit/config/loading.h"

namespace hikyaku::config {
namespace {

using mail::KeepOriginal;
using mail::Rewriting;

std::string entry_with(std::string_view keys) {
  return cat("smarthosts:\n  - {url: 'smtps://a.example', ", keys, "}\n");
}

Rewriting rules_of(std::string_view keys) { return settings_of(entry_with(keys)).smarthosts.at(0).rewrite; }

TEST_CASE("config: without a key about it, mail leaves as it came") {
  CHECK(settings_of("smarthost: smtps://a.example\n").smarthosts[0].rewrite == Rewriting{});
  CHECK(rules_of("rewrite: {}, headers: {}, received: full") == Rewriting{});
}

TEST_CASE("config: each key about what leaves reaches its rule") {
  Rewriting rules = rules_of(
      "rewrite: {envelope_from: a@b.example, header_from: '\"c d\"@b.example', null_sender: e@b.example, "
      "unless: ['*@f.example', g@h.example], keep_original: x-original-from}, "
      "headers: {add: {X-Tag: shop, X-Number: 7}, remove: [Sender, X-Other]}, received: private");
  CHECK(rules.envelope_from == "a@b.example");
  CHECK(rules.header_from == "\"c d\"@b.example");
  CHECK(rules.null_sender == "e@b.example");
  CHECK(mail::to_text(rules.unless) == "*@f.example, g@h.example");
  CHECK(rules.keep_original == KeepOriginal::x_original_from);
  CHECK(rules.add == std::vector<mail::HeaderField>{{"X-Tag", "shop"}, {"X-Number", "7"}});
  CHECK(rules.remove == std::vector<std::string>{"Sender", "X-Other"});
  CHECK(rules.is_received_private);
  CHECK(rules_of("rewrite: {null_sender: keep, keep_original: none}").keep_original == KeepOriginal::none);
  CHECK(rules_of("headers: {remove: Sender}").remove == std::vector<std::string>{"Sender"});
}

TEST_CASE("config: `from` is envelope and header, in an entry or beside a single smarthost") {
  const Rewriting both{.envelope_from = "me@b.example", .header_from = "me@b.example"};
  CHECK(rules_of("from: me@b.example") == both);
  CHECK(settings_of("smarthost: smtps://a.example\nfrom: me@b.example\n").smarthosts[0].rewrite == both);
  CHECK(settings_of("from: me@b.example\nsmarthost: {url: 'smtps://a.example'}\n").smarthosts[0].rewrite ==
        both);
  CHECK(rules_of("rewrite: {null_sender: n@b.example}, from: me@b.example").null_sender == "n@b.example");
}

struct RuleComplaint {
  const char* keys;
  const char* part;
};

constexpr RuleComplaint kRuleComplaints[] = {
    {"from: me", "smarthosts[0].from: must be an address such as me@example.com"},
    {"from: Shop <me@b.example>", "must be an address alone, such as me@example.com; the name in From stays"},
    {"from: 'me@b.example '", "must be an address alone"},
    {"from: 'me@b\xc3\xbc.example'", "must be an address such as"},
    {"from: \"a@b.example\\r\\nBcc: c@d\"", "must be an address"},
    {"from:", "must be an address such as"},
    {"from: [a@b.example]", "must be an address such as"},
    {"from: a@b.example, rewrite: {envelope_from: a@b.example}", "`from` is short for"},
    {"rewrite: {header_from: c@b.example}, from: a@b.example", "`from` is short for"},
    {"rewrite: a@b.example", "must be a mapping"},
    {"rewrite: {from: a@b.example}", "unknown key"},
    {"rewrite: {null_sender: none}", "rewrite.null_sender: must be an address"},
    {"rewrite: {unless: [example.com]}", "rewrite.unless[0]: must say whose addresses, too"},
    {"rewrite: {keep_original: reply_to}", "did you mean reply-to?"},
    {"received: hidden", "received: must be one of full, private"},
    {"headers: [X-Tag]", "headers: must be a mapping"},
    {"headers: {add: [X-Tag]}", "headers.add: must be a mapping of fields, such as {X-Tag: shop}"},
    {"headers: {add: {X Tag: a}}", "headers.add.X Tag: must be the name of a header field"},
    {"headers: {add: {'X-Tag:': a}}", "must be the name of a header field"},
    {"headers: {add: {\"X-T\\xc3\\xbc\": a}}", "must be the name of a header field"},
    {"headers: {add: {X-Tag: [a]}}", "headers.add.X-Tag: must be the text of this field"},
    {"headers: {add: {X-Tag: \"a\\r\\nBcc: b@c\"}}", "must be the text of this field"},
    {"headers: {add: {X-Tag: \"a\\nb\"}}", "must be the text of this field"},
    {"headers: {add: {X-Tag: '  '}}", "must be printable ASCII"},
    {"headers: {add: {X-Tag: \"\xc3\xbc\"}}", "encoded words (RFC 2047)"},
    {"headers: {add: {fROM: a@b.example}}", "the key `from` says which address mail leaves with"},
    {"headers: {add: {Received: a}}", "cannot be added"},
    {"headers: {add: {bcc: a@b.example}}", "cannot be added"},
    {"headers: {add: {content-type: a}}", "cannot be added"},
    {"headers: {add: {Resent-To: a@b.example}}", "cannot be added"},
    {"headers: {remove: ['']}", "headers.remove[0]: must be the name of a header field"},
    {"headers: {remove: [\"a\\r\\nb\"]}", "must be the name of a header field"},
    {"headers: {remove: [received]}", "`received: private` hides who handed it in"},
    {"headers: {remove: [From]}", "cannot be removed"},
    {"headers: {remove: [Content-Type]}", "cannot be removed"},
};

TEST_CASE("config: a rule that could harm a mail is refused and explained") {
  for (const RuleComplaint& c : kRuleComplaints) {
    CAPTURE(c.keys);
    std::string lines = complaints(entry_with(c.keys));
    CAPTURE(lines);
    CHECK(contains(lines, c.part));
  }
  CHECK(contains(complaints(entry_with(cat("headers: {add: {X-Tag: ", std::string(992, 'x'), "}}"))),
                 "must fit into a line"));
  CHECK(rules_of(cat("headers: {add: {X-Tag: ", std::string(991, 'x'), "}}")).add.size() == 1);
}

TEST_CASE("config: `from` beside several smarthosts, or beside the same rules, is refused where it stands") {
  CHECK(contains(complaints("smarthosts: [smtps://a.example]\nfrom: me@b.example\n"),
                 "h.yaml:2:7: from: belongs to one `smarthost`"));
  CHECK(
      contains(complaints("from: me@b.example\nsmarthost: {url: 'smtps://a.example', from: you@b.example}\n"),
               "h.yaml:1:7: from: `from` is short for"));
  CHECK(problems_of("smarthost: smtps://a.example\nfrom: me\n").size() == 1);
}

}  // namespace
}  // namespace hikyaku::config
