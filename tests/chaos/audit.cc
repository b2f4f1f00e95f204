// SPDX-License-Identifier: MIT
#include "tests/chaos/audit.h"

#include <algorithm>

#include "daemon/base/text.h"

namespace hikyaku::test {

using mail::RecipientState;

// A mail that has ended is unknown to whoever decides about it later.
bool Orders::note(relay::Decision decision, const relay::Decided& answer, std::uint64_t at) {
  using Result = relay::Decided::Result;
  if (decision == relay::Decision::bounce && answer.result == Result::refused) late_.insert(answer.id);
  if (answer.result != Result::done) return true;
  if (has_removed(answer.id) || has_returned(answer.id)) return false;
  const bool is_change = holds(answer.id) != (decision == relay::Decision::hold);
  held_.erase(answer.id);
  switch (decision) {
    case relay::Decision::hold: return held_.emplace(answer.id, at), is_change;
    case relay::Decision::release:
      return true;  // also what was held because nobody can be told that it failed
    case relay::Decision::remove: return removed_.emplace(answer.id, at).second;
    case relay::Decision::bounce: return returned_.emplace(answer.id, at).second;
    case relay::Decision::retry: return false;  // which another node of a shared spool may ask for
  }
  return false;
}

std::vector<mail::MailId> Orders::held() const {
  std::vector<mail::MailId> ids;
  for (const auto& [id, at] : held_) ids.push_back(id);
  return ids;
}

std::optional<std::uint64_t> Orders::kept_since(mail::MailId id) const {
  for (const Times* times : {&removed_, &returned_, &held_})
    if (auto found = times->find(id); found != times->end()) return found->second;
  return std::nullopt;
}

Audit::Audit(const std::vector<SentMail>& sent, const ChaosLedger& ledger,
             const std::vector<Spooled>& spooled, const Orders& orders)
    : sent_(sent), ledger_(ledger), spooled_(spooled), orders_(orders) {
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
  judge_orders(mail);
  auto found = queued_.find(mail.id.value);
  for (std::size_t i = 0; i < mail.recipients.size(); ++i) {
    Whom whom{mail.sender, mail.recipients[i]};
    judge_report(mail, whom);
    if (found == queued_.end())
      judge_gone(mail, whom);
    else
      judge_queued(whom, found->second->progress.recipients[i].state);
  }
}

void Audit::judge_report(const SentMail& mail, const Whom& whom) {
  if (!is_reported(whom)) return;
  if (!ledger_.has_refused(whom.first, whom.second) && !orders_.may_have_returned(mail.id))
    find("reported as failed, and nobody refused it", whom);
  if (ledger_.told(whom.first, whom.second) == Told::yes) find("delivered, and reported as failed", whom);
}

// A final dot that a smarthost reads late may have left before the mail was kept from being sent; but then the
// client is not there any more to hear of it.
void Audit::judge_orders(const SentMail& mail) {
  const Whom whom{mail.sender, mail.recipients.front()};
  auto found = queued_.find(mail.id.value);
  const bool is_queued = found != queued_.end();
  if (is_queued && (orders_.has_removed(mail.id) || orders_.has_returned(mail.id)))
    find("removed or returned, and still queued", whom);
  const bool may_be_over = orders_.may_have_returned(mail.id);
  if (orders_.holds(mail.id) && !may_be_over && (!is_queued || !found->second->progress.held))
    find("held by the operator, and not held in the spool", whom);
  const auto since = orders_.kept_since(mail.id);
  auto is_sent_since = [&](const LedgerEntry& entry) {
    const bool is_its = entry.sender == mail.sender &&
                        std::ranges::find(mail.recipients, entry.recipients.back()) != mail.recipients.end();
    return is_its && entry.ended_at > *since && entry.told == Told::yes && !entry.was_late;
  };
  if (since && std::ranges::any_of(ledger_.entries(), is_sent_since))
    find("sent after the operator held, removed or returned it", whom);
}

void Audit::judge_gone(const SentMail& mail, const Whom& whom) {
  if (orders_.has_removed(mail.id)) return;
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
    if (!each.mail.progress.held || orders_.holds(each.mail.id)) continue;
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
