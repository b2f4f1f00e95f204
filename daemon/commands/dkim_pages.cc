// SPDX-License-Identifier: MIT
#include "daemon/commands/dkim_pages.h"

#include "daemon/base/text.h"

namespace hikyaku::commands {
namespace {

using dkim::KeyState;
using setup::StoredKey;

// A receiver may fetch or verify a mail that late.
constexpr Duration kTimeToVerify = 7 * 24h;

std::string day_of(WallTime time) { return to_rfc3339(time).substr(0, 10); }

std::string record_of(const StoredKey& key) { return dkim::record_text(key.key); }

std::string facts_of(const StoredKey& key) {
  return cat(to_text(key.file.state), ", ", dkim::describe(key.key));
}

}  // namespace

std::string name_of(const StoredKey& key) { return cat(key.file.domain, " ", key.file.selector); }

std::string record_name_of(const StoredKey& key) {
  return dkim::record_name(key.file.domain, key.file.selector);
}

std::string new_key_page(const StoredKey& key) {
  const std::string name = record_name_of(key), text = record_of(key);
  return cat("made ", key.file.path, " (", dkim::describe(key.key),
             "); it signs nothing before 'hikyaku dkim use'\n"
             "\nPublish its record, in one of these forms.\n"
             "In a zone file:\n\n",
             dkim::zone_line(name, text),
             "\n\n"
             "In a web form that asks for a name and a text (some want the name without the domain):\n\n",
             name, "\n", text,
             "\n\n"
             "By nsupdate:\n\n",
             dkim::nsupdate_line(name, text), "\n\nThen: hikyaku dkim check ", key.file.domain,
             " && hikyaku dkim use ", name_of(key), "\n");
}

WallTime record_until(WallTime retired, Duration lifetime) { return retired + lifetime + kTimeToVerify; }

std::string list_line(const StoredKey& key, Duration lifetime) {
  const bool is_retired = key.file.state == KeyState::retired;
  return cat(name_of(key), ": ", facts_of(key), ", since ", day_of(key.file.since),
             is_retired ? cat("; its record may go on ", day_of(record_until(key.file.since, lifetime))) : "",
             "\n");
}

JsonObject to_json_object(const StoredKey& key, Duration lifetime) {
  const bool is_retired = key.file.state == KeyState::retired;
  return JsonObject()
      .add("domain", key.file.domain)
      .add("selector", key.file.selector)
      .add("state", to_text(key.file.state))
      .add("since", key.file.since)
      .add("kind", dkim::name_of(key.key.kind()))
      .add("bits", key.key.bits())
      .add("file", key.file.path)
      .add("record_name", record_name_of(key))
      .add("record", record_of(key))
      .add("record_until", is_retired ? std::optional(record_until(key.file.since, lifetime)) : std::nullopt);
}

std::string to_text(const RecordAnswer& answer, const StoredKey& key) {
  if (answer.trouble.empty()) return dkim::to_text(answer.finding, record_name_of(key));
  return cat("the record ", record_name_of(key), " cannot be looked up: ", answer.trouble);
}

std::string check_line(const StoredKey& key, const RecordAnswer& answer) {
  std::string text = cat(name_of(key), " (", facts_of(key), "): ", to_text(answer, key), "\n");
  if (answer.trouble.empty() && !answer.is_good())
    text += cat("  ", dkim::zone_line(record_name_of(key), record_of(key)), "\n");
  return text;
}

JsonObject check_object(const StoredKey& key, const RecordAnswer& answer) {
  const bool is_known = answer.trouble.empty();
  return JsonObject()
      .add("domain", key.file.domain)
      .add("selector", key.file.selector)
      .add("state", to_text(key.file.state))
      .add("good", answer.is_good())
      .add("fault", is_known ? dkim::name_of(answer.finding.fault) : std::string_view("unknown"))
      .add("is_test", answer.finding.is_test)
      .add("words", to_text(answer, key))
      .add("record_name", record_name_of(key))
      .add("record", record_of(key));
}

}  // namespace hikyaku::commands
