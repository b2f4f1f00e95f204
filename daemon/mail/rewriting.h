// SPDX-License-Identifier: MIT
// What a smarthost's entry changes in a mail as it leaves: the addresses that a provider insists on, and single
// header fields. The rules as plain values, filled by daemon/config, and what they make of an envelope's
// sender; header_rewriter.h applies them to the header. What is stored is never changed. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/mail/address_pattern.h"

namespace hikyaku::mail {

// Where the From field goes that was there before.
enum class KeepOriginal : std::uint8_t { reply_to, x_original_from, none };

struct HeaderField {
  std::string name;
  std::string value;  // printable ASCII; with the name it fits into a line
  bool operator==(const HeaderField&) const = default;
};

struct Rewriting {
  std::string envelope_from{};  // the sender in MAIL; empty: it stays
  std::string header_from{};    // the address in From and Sender; empty: they stay
  std::string null_sender{};    // instead of <>; empty: that stays
  AddressPatterns unless{};     // senders that stay as they are, in the envelope and in the header
  KeepOriginal keep_original = KeepOriginal::reply_to;
  std::vector<HeaderField> add{};
  std::vector<std::string> remove{};  // names of fields; before anything is added
  bool is_received_private = false;

  bool changes_header() const;
  bool operator==(const Rewriting&) const = default;
};

// The sender as it is said to the smarthost; `sender` is the envelope's, empty for <>.
const std::string& sender_as_sent(const Rewriting& rules, const std::string& sender);

// RFC 5322 2.2: printable ASCII without a colon.
bool is_field_name(std::string_view name);

// All rules in one text, different for different rules; empty if there is none.
std::string fingerprint(const Rewriting& rules);

}  // namespace hikyaku::mail
