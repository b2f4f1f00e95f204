// SPDX-License-Identifier: MIT
// The DNS record with which receivers verify a key's signatures (RFC 6376 3.6.1): as it is to be published, and
// whether what is published does for this key. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/dkim/signing_key.h"

namespace hikyaku::dkim {

// "hk202612._domainkey.example.com".
std::string record_name(std::string_view domain, std::string_view selector);
// "v=DKIM1; k=rsa; p=MIIB…", as one text.
std::string record_text(const SigningKey& key);

// In strings of at most 255 bytes, which is what a TXT record is made of, each in quotes.
std::string in_strings(std::string_view text);
std::string zone_line(std::string_view name, std::string_view text);
std::string nsupdate_line(std::string_view name, std::string_view text);

enum class RecordFault : std::uint8_t {
  none,
  missing,       // no TXT record there
  several,       // which one counts is anybody's guess
  unreadable,    // no list of tags, or of another version
  revoked,       // p= is empty
  other_key,     // p= is another key, or none
  other_kind,    // k= is not the key's
  other_hash,    // h= does not allow sha256
  other_service  // s= does not allow mail
};
std::string_view name_of(RecordFault fault);  // for scripts: "other_key"

struct RecordFinding {
  RecordFault fault = RecordFault::none;
  bool is_test = false;  // t=y: for receivers the mail is as good as unsigned
};
// `texts`: of all TXT records of the name.
RecordFinding judge_record(const std::vector<std::string>& texts, const SigningKey& key);
// What it is and what to change, without a full stop. `name` is the record's.
std::string to_text(const RecordFinding& finding, std::string_view name);

}  // namespace hikyaku::dkim
