// SPDX-License-Identifier: MIT
// A queued mail as people and scripts see it in a list: its state, one line of text or one JSON object. Foreign
// text is made printable here, so that neither an address nor a reply can forge a line or control a terminal. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/json.h"
#include "daemon/mail/queue_state.h"
#include "spool/queue_view.h"

namespace hikyaku::listing {

mail::Standing standing_of(const spool::ViewedMail& mail);
mail::MailState state_of(const spool::ViewedMail& mail, const mail::RouteState& route, bool is_operator);

std::string_view to_text(mail::RecipientState state);  // "pending", "delivered", "failed"

// Why the mail waits, since when, and when it is tried next: "for the smarthost since …, next …: …". Empty if
// it does not wait.
std::string waiting_text(const mail::MailState& state);

// Whose the mail is; "-": nobody's.
std::string node_name(const mail::Holder& holder);

// One line without its line end. Of a shared spool with a column for the node.
std::string queue_line(const spool::ViewedMail& mail, const mail::MailState& state);

// Columns: filled up with blanks on the right, or on the left; never cut.
// In the machine's zone, as strftime(3) has it for `format`; at most 31 characters.
std::string local_time(WallTime time, const char* format);

// For text that the spool stores in printable form already: its backslashes are not escaped again.
std::string shown(std::string_view text, std::size_t limit = 4096);
// <a@example.com>, printable.
std::string shown_address(std::string_view address);

// What `queue --json` prints. The names in the JSON are a promise to scripts.
JsonObject queue_json(const spool::ViewedMail& mail, const mail::MailState& state);
// The same and all else that is known: `ret`, `envid`, `body`, `smtputf8`, `uid`, the `notify` and `orcpt` of
// each recipient, and the attempts so far if `history` is given.
JsonObject full_json(const spool::ViewedMail& mail, const mail::MailState& state,
                     const std::optional<std::vector<spool::PastProgress>>& history);

// Keeps those of the recorded states that ended an attempt, oldest first.
std::vector<spool::PastProgress> attempts_in(std::vector<spool::PastProgress> history);

// One mail in detail: envelope, each recipient's outcome, and `attempts` as attempts_in() returns them.
// Several lines, each with its line end.
std::string queue_details(const spool::ViewedMail& mail, const mail::MailState& state,
                          const std::vector<spool::PastProgress>& attempts);

}  // namespace hikyaku::listing
