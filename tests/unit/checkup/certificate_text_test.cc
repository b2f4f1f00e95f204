// SPDX-License-Identifier: MIT
// A certificate in words.
#include "daemon/checkup/certificate_text.h"

#include <doctest/doctest.h>

using namespace hikyaku;
using namespace hikyaku::checkup;

namespace {

WallTime day(std::string_view text) { return *parse_rfc3339(std::string(text) + "T00:00:00Z"); }

CertificateFacts example() {
  CertificateFacts facts;
  facts.names = {"smtp.example.com", "*.example.com"};
  facts.fingerprint = "sha256:0123";
  facts.chain = {{.subject = "CN=smtp.example.com",
                  .issuer = "CN=R11, O=Let's Encrypt",
                  .not_before = day("2026-09-01"),
                  .not_after = day("2026-11-30")},
                 {.subject = "CN=R11, O=Let's Encrypt",
                  .issuer = "CN=R11, O=Let's Encrypt",
                  .not_before = day("2020-01-01"),
                  .not_after = day("2030-01-01")}};
  return facts;
}

}  // namespace

TEST_CASE("checkup: a certificate is told by its names, chain, dates and fingerprint") {
  CHECK(certificate_lines(example(), day("2026-11-01")) ==
        std::vector<std::string>{
            "certificate for smtp.example.com, *.example.com",
            "CN=smtp.example.com, issued by CN=R11, O=Let's Encrypt, valid from 2026-09-01 to 2026-11-30 (29 "
            "days left)",
            "CN=R11, O=Let's Encrypt, issued by itself, valid from 2020-01-01 to 2030-01-01 (1157 days left)",
            "fingerprint sha256:0123"});
  CHECK(certificate_json(example()).text().starts_with(
      R"({"names":["smtp.example.com","*.example.com"],"more_names":0,"fingerprint":"sha256:0123",)"
      R"("chain":[{"subject":"CN=smtp.example.com",)"));
}

TEST_CASE("checkup: what a certificate has of its peer is escaped") {
  CertificateFacts facts = example();
  facts.names = {"a\nb"};
  facts.chain[0].subject = "CN=\x1b[2J";
  const auto lines = certificate_lines(facts, day("2026-11-01"));
  CHECK(lines[0] == R"(certificate for "a\x0ab")");
  CHECK(lines[1].starts_with(R"(CN=\x1b[2J, issued by)"));
}

TEST_CASE("checkup: a certificate that ends within 14 days is found, in the whole chain") {
  CHECK(link_that_ends_soon(example(), day("2026-11-16")) == nullptr);
  const CertificateFacts facts = example();
  const ChainLink* soon = link_that_ends_soon(facts, day("2026-11-17"));
  REQUIRE(soon != nullptr);
  CHECK(soon->subject == "CN=smtp.example.com");
  CertificateFacts old = example();
  old.chain[1].not_after = day("2026-11-18");
  CHECK(link_that_ends_soon(old, day("2026-11-17"))->subject == "CN=R11, O=Let's Encrypt");
}

TEST_CASE("checkup: a date outside the certificate's time is told with it") {
  CHECK(certificate_lines(example(), day("2026-12-01"))[1].ends_with("to 2026-11-30 (expired)"));
  CHECK(certificate_lines(example(), day("2026-08-01"))[1].ends_with("to 2026-11-30 (not valid yet)"));
  CHECK(certificate_lines(example(), day("2026-11-28"))[1].ends_with("(2 days left)"));
  CHECK(certificate_lines(example(), day("2026-11-29"))[1].ends_with("(1 day left)"));
  CHECK(certificate_lines(example(), day("2026-11-30") - 1s)[1].ends_with("(less than a day left)"));
}
