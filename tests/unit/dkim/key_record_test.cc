// SPDX-License-Identifier: MIT
#include "daemon/dkim/key_record.h"

#include <doctest/doctest.h>

#include "daemon/base/base64.h"
#include "daemon/base/text.h"
#include "tests/unit/dkim/rfc_examples.h"

using namespace hikyaku;
using namespace hikyaku::dkim;

namespace {

SigningKey parsed(std::string_view pem) {
  auto key = SigningKey::parse(pem);
  REQUIRE(key);
  return *key;
}

struct RecordCase {
  std::string_view record;  // "KEY" is the key's p=
  std::string_view fault;
};
constexpr RecordCase kRecords[] = {
    {"v=DKIM1; k=rsa; p=KEY", "none"},
    {"v=DKIM1;p=KEY;", "none"},
    {"p=KEY", "none"},
    {"v=DKIM1; k=rsa; t=s; n=a note; h=sha1 : sha256; s=email; p= KEY", "none"},
    {"v=DKIM1; s=*; p=KEY", "none"},
    {"v=DKIM1; p=", "revoked"},
    {"v=DKIM1; p=AAAA", "other_key"},
    {"v=DKIM1; p=KEYA", "other_key"},
    {"v=DKIM1; p=?", "other_key"},
    {"v=DKIM1; k=ed25519; p=KEY", "other_kind"},
    {"v=DKIM1; h=sha1; p=KEY", "other_hash"},
    {"v=DKIM1; s=tlsrpt; p=KEY", "other_service"},
    {"v=DKIM2; p=KEY", "unreadable"},
    {"p=KEY; v=DKIM1", "unreadable"},
    {"v=DKIM1; k=rsa", "unreadable"},
    {"v=spf1 -all", "unreadable"},
    {"v=DKIM1; p=KEY; p=KEY", "unreadable"},
    {"", "unreadable"},
};

std::string with_key(std::string_view record, const SigningKey& key) {
  std::string text(record);
  if (const std::size_t at = text.find("KEY"); at != text.npos)
    text.replace(at, 3, to_base64(key.public_key()));
  return text;
}

}  // namespace

TEST_CASE("dkim: what is published is compared with the key, and each mistake has its word") {
  const SigningKey key = parsed(kRsaKeyOf8463);
  for (const RecordCase& each : kRecords) {
    CAPTURE(each.record);
    CHECK(name_of(judge_record({with_key(each.record, key)}, key).fault) == each.fault);
  }
  CHECK(name_of(judge_record({}, key).fault) == "missing");
  CHECK(name_of(judge_record({"v=DKIM1; p=", "x"}, key).fault) == "several");
  CHECK(judge_record({with_key("v=DKIM1; t=y:s; p=KEY", key)}, key).is_test);
  CHECK_FALSE(judge_record({with_key("v=DKIM1; t=s; p=KEY", key)}, key).is_test);
}

TEST_CASE("dkim: an RSA key without its wrapping is the same key, and a part of it is none") {
  const SigningKey key = parsed(kRsaKeyOf8463);
  const std::string whole = key.public_key();
  auto fault_with = [&](std::size_t from) {
    return judge_record({cat("v=DKIM1; p=", to_base64(std::string_view(whole).substr(from)))}, key).fault;
  };
  CHECK(fault_with(22) == RecordFault::none);
  CHECK(fault_with(whole.size() - 50) == RecordFault::other_key);
  const SigningKey ed25519 = parsed(kEd25519KeyOf8463);
  CHECK(judge_record({record_text(ed25519)}, ed25519).fault == RecordFault::none);
}

TEST_CASE("dkim: each fault says what to change") {
  for (int i = 0; i <= static_cast<int>(RecordFault::other_service); ++i) {
    const std::string text =
        to_text(RecordFinding{static_cast<RecordFault>(i)}, "hk1._domainkey.example.com");
    CHECK(text.starts_with("the record hk1._domainkey.example.com "));
    CHECK((i == 0) == (text.find(';') == text.npos));
  }
  CHECK(to_text(RecordFinding{RecordFault::none, true}, "x").ends_with("remove the t=y"));
}

TEST_CASE("dkim: a record is printed in strings that fit") {
  auto made = SigningKey::generate(KeyKind::rsa);
  REQUIRE(made);
  const std::string text = record_text(*made);
  CHECK(text.starts_with("v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"));
  CHECK(text.size() > 400);
  const std::string name = record_name("example.com", "hk202612");
  CHECK(name == "hk202612._domainkey.example.com");
  CHECK(zone_line(name, text) ==
        cat(name, ". IN TXT ( \"", text.substr(0, 255), "\" \"", text.substr(255), "\" )"));
  CHECK(nsupdate_line(name, "v=DKIM1; p=") == cat("update add ", name, ". 3600 IN TXT \"v=DKIM1; p=\""));
}
