// SPDX-License-Identifier: MIT
#include "daemon/commands/dkim_pages.h"

#include <doctest/doctest.h>

#include "daemon/base/json_value.h"
#include "daemon/base/text.h"

using namespace hikyaku;
using namespace hikyaku::commands;

namespace {

constexpr Duration kFiveDays = 5 * 24h;

setup::StoredKey key_in(dkim::KeyState state, dkim::KeyKind kind = dkim::KeyKind::rsa) {
  auto key = dkim::SigningKey::generate(kind);
  REQUIRE(key);
  return {{.domain = "example.com",
           .selector = "hk202612",
           .state = state,
           .path = "/etc/hikyaku/dkim/example.com/hk202612.key.prepared",
           .since = parse_rfc3339("2026-12-01T10:00:00Z").value()},
          *key};
}

}  // namespace

TEST_CASE("dkim pages: a new key's page has its record in three forms, and the next commands") {
  const auto key = key_in(dkim::KeyState::prepared);
  const std::string page = new_key_page(key), text = dkim::record_text(key.key);
  CHECK(page.starts_with("made /etc/hikyaku/dkim/example.com/hk202612.key.prepared (RSA, 2048 bits); "));
  CHECK(page.contains(cat("\nhk202612._domainkey.example.com. IN TXT ( \"", text.substr(0, 255), "\" \"")));
  CHECK(page.contains(cat("\nhk202612._domainkey.example.com\n", text, "\n")));
  CHECK(page.contains("\nupdate add hk202612._domainkey.example.com. 3600 IN TXT \"v=DKIM1; k=rsa; p="));
  CHECK(page.ends_with("\nThen: hikyaku dkim check example.com && hikyaku dkim use example.com hk202612\n"));
}

TEST_CASE("dkim pages: a list says each key's state, and until when a retired one's record must stay") {
  CHECK(list_line(key_in(dkim::KeyState::active), kFiveDays) ==
        "example.com hk202612: active, RSA, 2048 bits, since 2026-12-01\n");
  const auto retired = key_in(dkim::KeyState::retired, dkim::KeyKind::ed25519);
  CHECK(list_line(retired, kFiveDays) ==
        "example.com hk202612: retired, Ed25519, since 2026-12-01; its record may go on 2026-12-13\n");
  auto object = parse_json(to_json_object(retired, kFiveDays).text());
  REQUIRE(object);
  CHECK(object->text_of("record_until") == "2026-12-13T10:00:00Z");
  CHECK(object->text_of("record_name") == "hk202612._domainkey.example.com");
  CHECK(object->text_of("record").starts_with("v=DKIM1; k=ed25519; p="));
}

TEST_CASE("dkim pages: a check shows the record again where it has to be changed") {
  const auto key = key_in(dkim::KeyState::prepared);
  const RecordAnswer good{}, missing{"", {dkim::RecordFault::missing}},
      silent{"no DNS server has an answer", {}};
  CHECK(good.is_good());
  CHECK(check_line(key, good) ==
        "example.com hk202612 (prepared, RSA, 2048 bits): the record hk202612._domainkey.example.com is "
        "there and has "
        "this key\n");
  CHECK(check_line(key, missing)
            .contains("does not exist; publish it\n  hk202612._domainkey.example.com. IN TXT ("));
  CHECK(check_line(key, silent).ends_with("cannot be looked up: no DNS server has an answer\n"));
  CHECK_FALSE(silent.is_good());
  CHECK(parse_json(check_object(key, silent).text())->text_of("fault") == "unknown");
  CHECK(parse_json(check_object(key, missing).text())->text_of("fault") == "missing");
}
