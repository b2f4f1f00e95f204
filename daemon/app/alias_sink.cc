// SPDX-License-Identifier: MIT
#include "daemon/app/alias_sink.h"

#include <algorithm>
#include <set>
#include <utility>

#include "daemon/mail/address.h"

namespace hikyaku::app {
namespace {

constexpr Duration kUsersTimeout = 10s;

log::Expanded line_for(mail::MailId id, mail::AliasExpansion& expansion) {
  log::Expanded line{mail::to_text(id), std::move(expansion.replaced), {}};
  for (const mail::Recipient& recipient : expansion.recipients) line.to.push_back(recipient.address);
  return line;
}

}  // namespace

class AliasSink::Writer final : public mail::MailWriter {
 public:
  enum class Kind : bool { message, notice };
  Writer(std::unique_ptr<mail::MailWriter> writer, AliasSink& owner, Kind kind)
      : writer_(std::move(writer)), owner_(owner), kind_(kind) {}

  mail::MailId id() const override { return writer_->id(); }
  Task<Result<void, mail::SinkError>> write(std::string_view bytes) override { return writer_->write(bytes); }

  Task<Result<void, mail::SinkError>> commit(mail::Envelope envelope) override {
    const bool is_known = co_await owner_.learn_users(envelope.recipients);
    if (!is_known) co_return fail(mail::SinkErrorKind::no_answer, "the user database does not answer");
    mail::AliasExpansion expansion = owner_.expand(envelope.recipients);
    const log::Expanded line = line_for(id(), expansion);
    if (!line.aliases.empty()) envelope.recipients = std::move(expansion.recipients);
    if (kind_ == Kind::message) owner_.add_copy(envelope);
    auto committed = co_await writer_->commit(std::move(envelope));
    if (committed && !line.aliases.empty()) owner_.log_.expanded(line);
    co_return committed;
  }

 private:
  std::unique_ptr<mail::MailWriter> writer_;
  AliasSink& owner_;
  Kind kind_;
};

void AliasSink::configure(RecipientRules rules) {
  rules_.domain = std::move(rules.domain);
  rules_.hostname = std::move(rules.hostname);
  rules_.local_mail = std::move(rules.local_mail);
  copy_to_ = std::move(rules.copy_to);
  users_.forget();
}

Result<void, mail::SinkError> AliasSink::may_accept(std::uint64_t expected_size) {
  return sink_.may_accept(expected_size);
}

Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> AliasSink::begin() {
  auto writer = sink_.begin();
  if (!writer) return writer;
  return std::make_unique<Writer>(std::move(*writer), *this, Writer::Kind::message);
}

Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> AliasSink::begin_notice(mail::MailId about) {
  auto writer = sink_.begin_notice(about);
  if (!writer) return writer;
  return std::make_unique<Writer>(std::move(*writer), *this, Writer::Kind::notice);
}

Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> AliasSink::begin_from_file() {
  auto writer = sink_.begin_from_file();
  if (!writer) return writer;
  return std::make_unique<Writer>(std::move(*writer), *this, Writer::Kind::message);
}

// Until all names are known on which the recipients depend, which outlive this. A reload meanwhile may bring others.
Task<bool> AliasSink::learn_users(const std::vector<mail::Recipient>& recipients) {
  const io::Until until = loop_.within(kUsersTimeout);
  for (;;) {
    auto names = names_in_question(recipients);
    if (names.empty()) co_return true;
    const bool is_known = co_await users_.learn(names, until);
    if (!is_known) co_return false;
    if (users_.knows(names_in_question(recipients))) co_return true;
  }
}

std::vector<std::string> AliasSink::names_in_question(const std::vector<mail::Recipient>& recipients) const {
  std::set<std::string> names;
  if (rules_.local_mail.empty()) return {};
  mail::expand(rules_, recipients, [&names](const std::string& name) {
    names.insert(name);
    return false;
  });
  return {names.begin(), names.end()};
}

mail::AliasExpansion AliasSink::expand(const std::vector<mail::Recipient>& recipients) const {
  return mail::expand(rules_, recipients, [this](const std::string& name) { return users_.is_user(name); });
}

// NOTIFY=NEVER: whatever becomes of the copy, neither the sender nor anybody else gets a notice about it.
void AliasSink::add_copy(mail::Envelope& envelope) const {
  if (copy_to_.empty() || envelope.sender.empty()) return;
  auto is_copy = [this](const mail::Recipient& one) { return mail::is_same_address(one.address, copy_to_); };
  if (std::ranges::any_of(envelope.recipients, is_copy)) return;
  envelope.recipients.push_back({.address = copy_to_, .notify = {.never = true}, .orcpt = {}});
}

}  // namespace hikyaku::app
