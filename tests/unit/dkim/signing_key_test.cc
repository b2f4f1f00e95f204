// SPDX-License-Identifier: MIT
#include "daemon/dkim/signing_key.h"

#include <doctest/doctest.h>

#include "daemon/base/base64.h"
#include "daemon/base/text.h"
#include "daemon/dkim/signed_header.h"
#include "tests/unit/dkim/rfc_examples.h"

using namespace hikyaku;
using namespace hikyaku::dkim;

namespace {

// RFC 8463 A.3: the fields that h= names, in its order; those named again are not there.
constexpr std::string_view kCanonicalOf8463 =
    "from:Joe SixPack <joe@football.example.com>\r\n"
    "to:Suzie Q <suzie@shopping.example.net>\r\n"
    "subject:Is dinner ready?\r\n"
    "date:Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    "message-id:<20030712040037.46341.5F8J@football.example.com>\r\n";

// RFC 6376 A.2, which is simple/simple: the fields as they are.
constexpr std::string_view kTextOf6376 =
    "Received: from client1.football.example.com  [192.0.2.1]\r\n"
    "      by submitserver.example.com with SUBMISSION;\r\n"
    "      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)\r\n"
    "From: Joe SixPack <joe@football.example.com>\r\n"
    "To: Suzie Q <suzie@shopping.example.net>\r\n"
    "Subject: Is dinner ready?\r\n"
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
    "DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;\r\n"
    "      c=simple/simple; q=dns/txt; i=joe@football.example.com;\r\n"
    "      h=Received : From : To : Subject : Date : Message-ID;\r\n"
    "      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    "      b=;";

std::string sign_8463(std::string_view pem, std::string_view field) {
  auto key = SigningKey::parse(pem);
  REQUIRE(key);
  return to_base64(*key->sign(signed_text(std::string(kCanonicalOf8463), field)));
}

std::string complaint(std::string_view pem) {
  auto key = SigningKey::parse(pem);
  REQUIRE_FALSE(key);
  return key.error();
}

constexpr std::string_view kEllipticKey =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg3PuG1LsgD40uNinf\n"
    "qCzi7JHKH6C4uBiLZ/a8GXQfHX+hRANCAAQKVK9RF37mBy+TVSMok3OJX+fkoj0T\n"
    "8DdV+lk1Ce8pWJIyrjWTyAme05+gUbTTkln8X0O+Ku8G3yHfRv3MW617\n"
    "-----END PRIVATE KEY-----\n";

constexpr std::string_view kEncryptedKey =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgUZokpzLICIQICCAAw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEENe/cf/09nRLmw3VWe6DlRMEQFYf\n"
    "GjGK9FZpnKfeetbJe+qncE4WboaFEe3QPT44BlmBYeflyPtjUXNC+8ZUhepBVziy\n"
    "fD3e2rADedVm9qPgh+I=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

constexpr std::string_view kShortKey =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIIBOgIBAAJBAKCVxKLF4FAS/Zyp41zGdGL8J11lvJBMf0NuTD1OTGt0g6Y60ouy\n"
    "4dZPb9LEju42hCtMg38rkyyjuvLlbaozC8ECAwEAAQJAIkCv57Rja1ERrYgDSje+\n"
    "fZqhXuejd/gJMT3mnzEDVev20tlqWInIukpw4YXBfv3nBLSLuDp3dhf+SS8D1GxY\n"
    "7QIhANNLrarUhslrX3mzIWEb6Xva0EEJsOxa3JArkBC/mEnfAiEAwo943E18Bw4y\n"
    "QIMtHRHNwXMWRAUIYg+90gebcn/onl8CIDRuBOvszH1SXWCPaGr2SBtpkl9xDiu3\n"
    "6B8GEDt3r0w1AiAL4LhvMqfMwngc6iU57hlSoxUL6Aa//dgH14EM93QbHwIhAJYH\n"
    "FbhodON2JDAgdwlbCxUabHgdY+3gZuX84lEcOdEr\n"
    "-----END RSA PRIVATE KEY-----\n";

}  // namespace

TEST_CASE("dkim: RFC 6376's example is signed with its very signature") {
  auto key = SigningKey::parse(kKeyOf6376);
  REQUIRE(key);
  CHECK(describe(*key) == "RSA, 1024 bits");
  CHECK(to_base64(*key->sign(kTextOf6376)) ==
        "AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1Ir"
        "E+NahM6L/LbvaHutKVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV4bmp/YzhwvcubU4=");
  CHECK(to_base64(key->public_key())
            .starts_with("MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3"));
}

TEST_CASE("dkim: RFC 8463's example is signed with its very signatures") {
  CHECK(sign_8463(kEd25519KeyOf8463,
                  "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
                  " d=football.example.com; i=@football.example.com;\r\n"
                  " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
                  " subject : date : message-id : from : subject : date;\r\n"
                  " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
                  " b=") ==
        "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==");
  CHECK(sign_8463(kRsaKeyOf8463,
                  "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
                  " d=football.example.com; i=@football.example.com;\r\n"
                  " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
                  " date : message-id : from : subject : date;\r\n"
                  " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
                  " b=") ==
        "F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGd"
        "aSGsgeefOsk2JzdA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=");
}

TEST_CASE("dkim: an Ed25519 key's public half is 32 bytes") {
  auto key = SigningKey::parse(kEd25519KeyOf8463);
  REQUIRE(key);
  CHECK(describe(*key) == "Ed25519");
  CHECK(to_base64(key->public_key()) == "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
}

TEST_CASE("dkim: a key that was made can be written and read again") {
  for (KeyKind kind : {KeyKind::rsa, KeyKind::ed25519}) {
    auto made = SigningKey::generate(kind);
    REQUIRE(made);
    auto again = SigningKey::parse(made->to_pem().reveal());
    REQUIRE(again);
    CHECK(again->kind() == kind);
    CHECK(again->public_key() == made->public_key());
    CHECK(made->sign("x") == again->sign("x"));
    CHECK(made->sign("x") != made->sign("y"));
  }
}

TEST_CASE("dkim: what is no key that can sign is refused in words, and nobody is asked for a passphrase") {
  CHECK(complaint("").starts_with("is no private key in PEM form"));
  CHECK(complaint("MC4CAQAwBQYDK2Vw").starts_with("is no private key in PEM form"));
  CHECK(complaint("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
            .starts_with("is no private"));
  CHECK(complaint(kEllipticKey) == "is neither an RSA nor an Ed25519 key, and DKIM has no others");
  CHECK(complaint(kShortKey).starts_with("is an RSA key of 512 bits, and receivers take none below 1024"));
  CHECK(complaint(kEncryptedKey).starts_with("is encrypted with a passphrase"));
}
