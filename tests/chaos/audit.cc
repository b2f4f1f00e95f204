// SPDX-License-Identifier: MIT
#include "tests/chaos/audit.h"

#include <algorithm>

#include "daemon/base/text.h"

namespace hikyaku::test {

using mail::RecipientState;

Audit::Audit(const std::vector<SentMail>& sent, const ChaosLedger& ledger,
             const std::vector<Spooled>& spooled)
    : sent_(sent), ledger_(ledger), spooled_(spooled) {
  for (const Spooled& each : spooled_) queued_[each.mail.id.value] = &each.mail;
  for (const LedgerEntry& entry : ledger_.entries())
    if (entry.sender.empty()) read_notice(entry.recipients.front(), entry.content);
  for (const Spooled& each : spooled_)
    if (each.mail.envelope.sender.empty())
      read_notice(each.mail.envelope.recipients.front().address, each.content);
}

// Those of whom it says that they will not get it; a delay notice says that of nobody.
void Audit::read_notice(const std::string& to, const std::string& content) {
  std::string recipient;
  for (std::string_view line : split(content, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("Final-Recipient:")) recipient = trim(line.substr(line.find(';') + 1));
    if (line.starts_with("Action: failed")) reported_.emplace(to, recipient);
  }
}

std::vector<std::string> Audit::findings() {
  for (const SentMail& mail : sent_) judge(mail);
  judge_notices();
  judge_contents();
  for (const std::string& complaint : ledger_.complaints()) findings_.push_back("protocol: " + complaint);
  for (const std::string& who : ledger_.needless_copies()) findings_.push_back("sent twice to " + who);
  return std::move(findings_);
}

void Audit::judge(const SentMail& mail) {
  auto found = queued_.find(mail.id.value);
  for (std::size_t i = 0; i < mail.recipients.size(); ++i) {
    Whom whom{mail.sender, mail.recipients[i]};
    if (is_reported(whom) && !ledger_.has_refused(whom.first, whom.second))
      find("reported as failed, and nobody refused it", whom);
    if (is_reported(whom) && ledger_.told(whom.first, whom.second) == Told::yes)
      find("delivered, and reported as failed", whom);
    if (found == queued_.end())
      judge_gone(whom);
    else
      judge_queued(whom, found->second->progress.recipients[i].state);
  }
}

void Audit::judge_gone(const Whom& whom) {
  if (ledger_.told(whom.first, whom.second) == Told::no && !is_reported(whom)) find("lost", whom);
}

void Audit::judge_queued(const Whom& whom, RecipientState state) {
  Told told = ledger_.told(whom.first, whom.second);
  if (state == RecipientState::pending && told == Told::yes) find("delivered, and still queued", whom);
  if (state == RecipientState::pending && is_reported(whom)) find("reported, and still queued", whom);
  if (state == RecipientState::delivered && told == Told::no) find("counted, and never accepted", whom);
  if (state == RecipientState::failed && !ledger_.has_refused(whom.first, whom.second))
    find("failed, and nobody refused it", whom);
  bool is_known = whom.first.empty() || is_reported(whom);
  if (state == RecipientState::failed && !is_known) find("failed, and nobody was told", whom);
}

// What cannot be returned to its sender is held for the operator: only what was refused for good.
void Audit::judge_notices() {
  for (const Spooled& each : spooled_) {
    const mail::Envelope& envelope = each.mail.envelope;
    auto is_refused = [&](const mail::Recipient& recipient) {
      return ledger_.has_refused(envelope.sender, recipient.address);
    };
    Whom whom{envelope.sender, envelope.recipients.front().address};
    if (!each.mail.progress.held) continue;
    if (!envelope.sender.empty()) find("held, and has a sender", whom);
    if (std::ranges::none_of(envelope.recipients, is_refused)) find("held, and nobody refused it", whom);
  }
}

void Audit::judge_contents() {
  for (const LedgerEntry& entry : ledger_.entries()) {
    auto is_it = [&](const SentMail& mail) {
      return mail.sender == entry.sender && std::ranges::count(mail.recipients, entry.recipients.back()) > 0;
    };
    auto sent = std::ranges::find_if(sent_, is_it);
    bool is_notice = entry.sender.empty() && entry.content.find("multipart/report") != std::string::npos;
    if (sent == sent_.end() ? !is_notice : sent->content != entry.content)
      find("not what was sent", {entry.sender, entry.recipients.back()});
  }
}

void Audit::find(std::string what, const Whom& whom) {
  findings_.push_back(cat(what, ": from <", whom.first, "> to <", whom.second, ">"));
}

}  // namespace hikyaku::test
