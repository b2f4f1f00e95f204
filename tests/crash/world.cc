// SPDX-License-Identifier: MIT
#include "tests/crash/world.h"

#include <algorithm>
#include <map>

#include "daemon/base/text.h"
#include "spool/payload.h"
#include "spool/record.h"
#include "spool/recovery.h"
#include "tests/support/disk/sim_sectors.h"

namespace hikyaku::test {
namespace {

constexpr std::size_t kMostKnown = 200;

std::string invented_content(std::uint64_t seed, std::size_t size) {
  Dice dice(seed);
  std::string text = cat("Subject: mail ", std::to_string(seed), "\r\n\r\n");
  while (text.size() < size) {
    for (int i = 0; i < 8; ++i) text += std::to_string(dice.next());
    text += "\r\n";
  }
  return text;
}

// Made once: every cut of a history needs the same ones again, but no other history does.
std::shared_ptr<const std::string> content_for(std::uint64_t seed, std::size_t size) {
  static std::map<std::pair<std::uint64_t, std::size_t>, std::shared_ptr<const std::string>> known;
  if (known.size() > kMostKnown) known.clear();
  auto& content = known[{seed, size}];
  if (!content) content = std::make_shared<const std::string>(invented_content(seed, size));
  return content;
}

std::uint64_t message_bytes(const Mail& mail, bool is_large) {
  return spool::record_length(spool::encode_message_head({{}, mail.envelope}).size(),
                              is_large ? 0 : mail.content->size());
}

std::uint64_t largest_progress(const Mail& mail, std::size_t first) {
  std::uint64_t most = 0;
  for (std::size_t i = std::max<std::size_t>(first, 1); i < mail.progress.size(); ++i)
    most = std::max(
        most, spool::record_length(spool::encode_progress(mail.progress[i], spool::kMaxHead).size(), 0));
  return most;
}

// The newest, and an older one where the message is a copy that has it in its head.
std::uint64_t progress_bytes(const Mail& mail) {
  return largest_progress(mail, mail.settled) + largest_progress(mail, 1);
}

bool has_failed(const mail::Progress& progress) {
  return std::ranges::any_of(progress.recipients, [](const mail::RecipientProgress& recipient) {
    return recipient.state == mail::RecipientState::failed;
  });
}

const FoundMail* find(const std::vector<FoundMail>& found, mail::MailId id) {
  auto place = std::ranges::find_if(found, [id](const FoundMail& one) { return one.mail.id == id; });
  return place == found.end() ? nullptr : &*place;
}

}  // namespace

std::size_t World::invent(std::size_t size, bool is_bounce) {
  std::size_t index = mails_.size();
  std::string number = std::to_string(index);
  Mail mail;
  mail.envelope.sender = is_bounce ? "" : cat("sender", number, "@example.com");
  for (std::size_t i = 0; i <= index % 3; ++i)
    mail.envelope.recipients.push_back({cat("rcpt", number, ".", std::to_string(i), "@example.net"), {}, ""});
  mail.content = content_for(index, size);
  mail.progress.emplace_back().recipients.resize(mail.envelope.recipients.size());
  mails_.push_back(std::move(mail));
  return index;
}

void World::name(std::size_t index, mail::MailId id) {
  if (id <= highest_) complain(cat("id ", to_text(id), " was assigned after ", to_text(highest_)));
  highest_ = std::max(highest_, id);
  mails_[index].id = id;
}

std::vector<std::size_t> World::alive() const {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < mails_.size(); ++i)
    if (mails_[i].must_exist()) indices.push_back(i);
  return indices;
}

mail::Progress World::next_progress(std::size_t index, std::size_t size, bool failed) const {
  const Mail& mail = mails_[index];
  mail::Progress progress = mail.progress.back();
  progress.attempts = static_cast<std::uint32_t>(mail.progress.size());
  progress.waited += 10s;
  progress.next_wait = 30s;
  progress.reason = cat("attempt ", std::to_string(progress.attempts), std::string(size, '.'));
  progress.smarthost = "main";
  if (failed) progress.recipients[0] = {mail::RecipientState::failed, "550 5.1.1 no such user"};
  return progress;
}

void World::expect_damage() {
  is_damaged_ = true;
  for (Mail& mail : mails_) mail.is_doubtful = true;
}

bool World::is_doubtful(mail::MailId id) {
  const Mail* mail = by_id(id);
  return mail != nullptr && mail->is_doubtful;
}

std::uint64_t World::live_bytes(const std::vector<mail::QueueEntry>& queue,
                                const std::vector<std::string>& large_files) {
  std::uint64_t bytes = 0;
  for (const mail::QueueEntry& entry : queue) {
    bool is_large = std::ranges::binary_search(large_files, spool::large_path(entry.id).substr(6));
    const Mail* mail = by_id(entry.id);
    if (mail != nullptr) bytes += message_bytes(*mail, is_large) + progress_bytes(*mail);
  }
  return bytes;
}

void World::compare(const std::vector<FoundMail>& found) {
  for (const FoundMail& one : found) compare_one(one);
  for (const Mail& mail : mails_) {
    if (mail.is_doubtful) continue;
    const FoundMail* one = find(found, mail.id);
    if (one == nullptr) compare_missing(mail);
    compare_failed(mail, one != nullptr && has_failed(one->mail.progress), found);
  }
}

void World::settle(const std::vector<FoundMail>& found) {
  for (Mail& mail : mails_) {
    const FoundMail* one = find(found, mail.id);
    mail.is_gone = mail.is_gone || one == nullptr;
    if (one == nullptr) continue;
    mail.is_acknowledged = true;
    mail.is_finish_submitted = false;
    auto newest = std::ranges::find(mail.progress, one->mail.progress);
    if (newest == mail.progress.end()) continue;  // complained about already
    mail.settled = static_cast<std::size_t>(newest - mail.progress.begin());
    mail.progress.erase(newest + 1, mail.progress.end());
  }
}

void World::compare_one(const FoundMail& found) {
  Mail* mail = by_id(found.mail.id);
  if (mail == nullptr) return complain(cat("mail ", to_text(found.mail.id), " that nobody has submitted"));
  compare_content(*mail, found);
  if (!mail->is_doubtful) compare_state(*mail, found);
}

void World::compare_content(const Mail& mail, const FoundMail& found) {
  if (found.mail.envelope != mail.envelope) complain(cat(text_of(mail), " has another envelope"));
  if (found.content != *mail.content) complain(cat(text_of(mail), " has another content"));
  if (found.mail.size != mail.content->size()) complain(cat(text_of(mail), " has another size"));
}

void World::compare_state(const Mail& mail, const FoundMail& found) {
  if (!mail.may_exist())
    complain(
        cat(text_of(mail), mail.is_finished ? " was finished" : " was not there", ", but is there again"));
  auto allowed = mail.progress.begin() + static_cast<std::ptrdiff_t>(mail.settled);
  if (std::find(allowed, mail.progress.end(), found.mail.progress) == mail.progress.end())
    complain(cat(text_of(mail), " has the state of attempt ", std::to_string(found.mail.progress.attempts),
                 ", acknowledged was that of attempt ", std::to_string(mail.settled)));
}

void World::compare_missing(const Mail& mail) {
  if (mail.must_exist()) complain(cat(text_of(mail), " was acknowledged and is lost"));
}

// A recipient's failure is on the disk only if its bounce is, or was before somebody delivered it.
void World::compare_failed(const Mail& mail, bool is_found_failed, const std::vector<FoundMail>& found) {
  bool is_missing = mail.is_finish_submitted && find(found, mail.id) == nullptr;
  if (!mail.bounce || !(is_missing || is_found_failed)) return;
  const Mail& bounce = mails_[*mail.bounce];
  if (!bounce.is_doubtful && !bounce.is_finish_submitted && !bounce.is_finished &&
      find(found, bounce.id) == nullptr)
    complain(cat(text_of(mail), " has failed and its bounce is lost"));
}

Mail* World::by_id(mail::MailId id) {
  auto place =
      std::ranges::find_if(mails_, [id](const Mail& mail) { return mail.id == id && mail.is_submitted; });
  return place == mails_.end() ? nullptr : &*place;
}

std::string World::text_of(const Mail& mail) const {
  return cat("mail #", std::to_string(&mail - mails_.data()), " (", to_text(mail.id), ")");
}

}  // namespace hikyaku::test
