// SPDX-License-Identifier: MIT
// What `hikyaku dkim` prints about keys and their records. Pure; nothing of a private key.
#pragma once

#include <string>
#include <string_view>

#include "daemon/base/json.h"
#include "daemon/dkim/key_record.h"
#include "daemon/setup/dkim_store.h"

namespace hikyaku::commands {

// "example.com hk202612".
std::string name_of(const setup::StoredKey& key);
std::string record_name_of(const setup::StoredKey& key);

// A new key's file and record, in the three forms that people need, and what comes next.
std::string new_key_page(const setup::StoredKey& key);

// When the record of a key that has been retired may go: mail that it signed is not verified later than that.
// `lifetime` is how long mail may wait in the queue.
WallTime record_until(WallTime retired, Duration lifetime);

// Of `hikyaku dkim list`: state, kind and age; of a retired key also until when its record must stay.
std::string list_line(const setup::StoredKey& key, Duration lifetime);
JsonObject to_json_object(const setup::StoredKey& key, Duration lifetime);

// What the DNS has for a key.
struct RecordAnswer {
  std::string trouble;  // why nothing is known; empty: `finding` holds
  dkim::RecordFinding finding;

  bool is_good() const { return trouble.empty() && finding.fault == dkim::RecordFault::none; }
};
std::string to_text(const RecordAnswer& answer, const setup::StoredKey& key);
// Of `hikyaku dkim check`: with the record again where it is not as it should be.
std::string check_line(const setup::StoredKey& key, const RecordAnswer& answer);
JsonObject check_object(const setup::StoredKey& key, const RecordAnswer& answer);

}  // namespace hikyaku::commands
