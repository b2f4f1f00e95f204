// SPDX-License-Identifier: MIT
// A queued mail as people and scripts see it in a list: its state, whether it is asked for, one line of text
// or one JSON object. Pure. What is foreign is made printable here: neither an address nor a reply can forge
// a line or speak to a terminal.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spool/view.h"

namespace hikyaku::app {

enum class QueueState {
  active,    // has not been tried, or not to the end of an attempt
  deferred,  // an attempt has failed; it waits for the next
  held,      // waits for the operator
};
std::string_view to_text(QueueState state);
std::string_view to_text(mail::RecipientState state);  // "pending", "delivered", "failed"
std::optional<QueueState> parse_queue_state(std::string_view text);
QueueState state_of(const mail::Progress& progress);

// When a deferred mail is tried again, as far as the spool knows.
std::optional<WallTime> next_attempt(const spool::ViewedMail& mail);

// Patterns are those of a shell, matched without regard to case against the whole address; "<>" is the null
// sender.
struct QueueFilter {
  std::optional<QueueState> state;
  std::optional<std::string> from;
  std::optional<std::string> to;  // any recipient
  bool matches(const spool::ViewedMail& mail) const;
};

// Without the line end.
std::string queue_line(const spool::ViewedMail& mail);

// For texts that the spool holds in printable form already: their backslashes stay single.
std::string shown(std::string_view text, std::size_t limit = 4096);
// <a@example.com>, printable.
std::string shown_address(std::string_view address);

}  // namespace hikyaku::app
