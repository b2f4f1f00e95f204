// SPDX-License-Identifier: MIT
#include "daemon/mail/rewriting.h"

#include <doctest/doctest.h>

#include "daemon/mail/address.h"

using namespace hikyaku::mail;

namespace {

Rewriting envelope_rules() {
  return {.envelope_from = "account@provider.example",
          .null_sender = "bounces@provider.example",
          .unless = {AddressPattern::parse("*@keep.example").value()}};
}

}  // namespace

TEST_CASE("rewriting: without a rule every sender stays, <> too") {
  CHECK(sender_as_sent({}, "anna@app.example") == "anna@app.example");
  CHECK(sender_as_sent({}, "") == "");
}

TEST_CASE("rewriting: the envelope's sender becomes the account's, but for those who are to stay") {
  const Rewriting rules = envelope_rules();
  CHECK(sender_as_sent(rules, "anna@app.example") == "account@provider.example");
  CHECK(sender_as_sent(rules, "anna@KEEP.example") == "anna@KEEP.example");
  CHECK(sender_as_sent(rules, "anna@not.keep.example") == "account@provider.example");
}

TEST_CASE("rewriting: <> is replaced by null_sender alone, which replaces nothing else") {
  Rewriting rules = envelope_rules();
  CHECK(sender_as_sent(rules, "") == "bounces@provider.example");
  rules.null_sender.clear();
  CHECK(sender_as_sent(rules, "") == "");
  rules.envelope_from.clear();
  rules.null_sender = "bounces@provider.example";
  CHECK(sender_as_sent(rules, "anna@app.example") == "anna@app.example");
  rules.unless.push_back(AddressPattern::parse("<>").value());
  CHECK(sender_as_sent(rules, "") == "");
}

TEST_CASE("rewriting: only the domain of an address is without case") {
  CHECK(is_same_address("a@B.example", "a@b.EXAMPLE"));
  CHECK_FALSE(is_same_address("A@b.example", "a@b.example"));
  CHECK_FALSE(is_same_address("a@b.example", "a@c.example"));
}

TEST_CASE("rewriting: each rule is in the fingerprint, and no rule has none") {
  CHECK(fingerprint({}) == "");
  const Rewriting each[] = {
      {.envelope_from = "a@x"},
      {.header_from = "a@x"},
      {.null_sender = "a@x"},
      {.unless = {AddressPattern::parse("*@x.example").value()}},
      {.keep_original = KeepOriginal::none},
      {.add = {{"X-A", "1"}}},
      {.add = {{"X-A", "2"}}},
      {.remove = {"X-A"}},
      {.is_received_private = true},
  };
  for (const Rewriting& one : each)
    for (const Rewriting& other : each) CHECK((fingerprint(one) == fingerprint(other)) == (one == other));
}
