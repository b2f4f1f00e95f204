// SPDX-License-Identifier: MIT
// A queued mail as people and scripts see it in a list: its state, whether it is asked for, one line of text
// or one JSON object. Pure. What is foreign is made printable here: neither an address nor a reply can forge
// a line or speak to a terminal.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/mail/queue_state.h"
#include "spool/view.h"

namespace hikyaku::listing {

mail::Standing standing_of(const spool::ViewedMail& mail);
mail::MailState state_of(const spool::ViewedMail& mail, const mail::RouteState& route, bool is_operator);

std::string_view to_text(mail::RecipientState state);  // "pending", "delivered", "failed"

// Patterns are those of a shell, matched without regard to case against the whole address; "<>" is the null
// sender.
struct QueueFilter {
  std::optional<mail::QueueState> state;
  std::optional<std::string> from;
  std::optional<std::string> to;  // any recipient
  bool matches(const spool::ViewedMail& mail, const mail::RouteState& route) const;
};

// Why it waits, since when and until when: "for the smarthost since …, next …: …"; empty: it does not.
std::string waiting_text(const mail::MailState& state);

// Without the line end.
std::string queue_line(const spool::ViewedMail& mail, const mail::MailState& state);

// For texts that the spool holds in printable form already: their backslashes stay single.
std::string shown(std::string_view text, std::size_t limit = 4096);
// <a@example.com>, printable.
std::string shown_address(std::string_view address);

}  // namespace hikyaku::listing
