// SPDX-License-Identifier: MIT
// What clients and the relay do with the spool, each step as its contract says.
#include <algorithm>

#include "daemon/base/text.h"
#include "spool/record.h"
#include "tests/crash/player.h"

namespace hikyaku::test {
namespace {

// Records that end the mail, as somebody would write them who knows the format and the id, but not the
// segment's key; at every alignment, so that one of them stands where the scan looks.
std::string forged_records(mail::MailId id, std::size_t size) {
  spool::RecordHeader done;
  done.id = id;
  std::string record = spool::encode_record(done, "", "", {0, 0});
  std::string body;
  while (body.size() < size) body += cat(record, std::string(9, 'x'));
  return body;
}

}  // namespace

Task<void> Player::accept(std::size_t size) {
  auto submitted = co_await submit(world_.invent(size, false));
  (void)submitted;
}

Task<void> Player::forge(Action action) {
  if (action.mail >= world_.size()) co_return;
  std::size_t index = world_.invent(0, false);
  std::string body = forged_records(world_.at(action.mail).id, action.size);
  world_.at(index).content = std::make_shared<const std::string>(std::move(body));
  auto submitted = co_await submit(index);
  (void)submitted;
}

Task<void> Player::abandon(std::size_t size) {
  auto writer = co_await write(world_.invent(size, false));
  writer.reset();
}

Task<void> Player::progress(std::size_t index, std::size_t size, bool failed) {
  if (index >= world_.size() || !world_.at(index).must_exist()) co_return;
  std::size_t number = world_.at(index).progress.size();
  world_.at(index).progress.push_back(world_.next_progress(index, size, failed));
  auto recorded =
      co_await spool_->record(world_.at(index).id, world_.at(index).progress.back(), mail::MayGo::yes);
  if (!recorded) co_return not_recorded(index, recorded.error().text);
  Mail& mail = world_.at(index);
  mail.settled = std::max(mail.settled, number);
}

Task<void> Player::finish(std::size_t index) {
  if (index >= world_.size() || !world_.at(index).must_exist()) co_return;
  world_.at(index).is_finish_submitted = true;
  auto finished = co_await spool_->finish(world_.at(index).id);
  if (!finished) co_return not_recorded(index, finished.error().text);
  world_.at(index).is_finished = true;
}

Task<void> Player::bounce(std::size_t index, bool of_whole_mail) {
  if (index >= world_.size() || !world_.at(index).must_exist()) co_return;
  if (world_.at(index).envelope.sender.empty()) co_return;  // a bounce never bounces
  auto bounce = co_await submit(world_.invent(600, true));
  if (!bounce) co_return;
  world_.at(index).bounce = *bounce;
  if (of_whole_mail)
    co_await finish(index);
  else
    co_await progress(index, 0, true);
}

Task<void> Player::read(std::size_t index) {
  if (index >= world_.size() || !world_.at(index).must_exist()) co_return;
  auto found = co_await fetch(world_.at(index).id);
  if (found && found->content != *world_.at(index).content)
    world_.complain("a mail at work reads differently");
}

Task<std::optional<std::size_t>> Player::submit(std::size_t index) {
  auto writer = co_await write(index);
  if (!writer) co_return std::nullopt;
  world_.at(index).is_submitted = true;
  auto committed = co_await writer->commit(world_.at(index).envelope);
  if (!committed) co_return refused(committed.error().text), std::nullopt;
  world_.at(index).is_acknowledged = true;
  co_return index;
}

Task<std::unique_ptr<mail::MailWriter>> Player::write(std::size_t index) {
  bool is_notice = world_.at(index).envelope.sender.empty();
  auto writer = is_notice ? spool_->begin_notice({}) : spool_->begin();
  if (!writer) co_return refused(writer.error().text), nullptr;
  world_.name(index, (*writer)->id());
  auto content = world_.at(index).content;
  for (std::size_t done = 0; done < content->size(); done += 16'000) {
    auto written = co_await (*writer)->write(std::string_view(*content).substr(done, 16'000));
    if (!written) co_return refused(written.error().text), nullptr;
  }
  co_return std::move(*writer);
}

Task<std::optional<FoundMail>> Player::fetch(mail::MailId id) {
  auto loaded = co_await spool_->load(id);
  if (!loaded) co_return unreadable(id, loaded.error());
  auto reader = spool_->open(id);
  if (!reader) co_return unreadable(id, reader.error());
  FoundMail found{std::move(*loaded), ""};
  for (;;) {
    auto piece = co_await (*reader)->next();
    if (!piece) co_return unreadable(id, piece.error());
    if (piece->empty()) co_return found;
    found.content += *piece;
  }
}

std::nullopt_t Player::unreadable(mail::MailId id, const mail::SourceError& error) {
  bool may_pass = trouble_ == Trouble::other && error.kind == mail::SourceErrorKind::read_failed;
  complain_unless(may_pass || world_.is_doubtful(id), cat("mail ", to_text(id), " cannot be read"),
                  error.text);
  return std::nullopt;
}

// What has become of a mail can be recorded on a full disk, too.
void Player::not_recorded(std::size_t index, const std::string& why) {
  const Mail& mail = world_.at(index);
  bool is_excused = trouble_ == Trouble::other || mail.is_doubtful;
  complain_unless(is_excused, cat("what became of mail ", to_text(mail.id), " is not recorded"), why);
}

void Player::complain_unless(bool is_excused, std::string_view what, const std::string& why) {
  if (!is_excused && !disk_->is_off()) world_.complain(cat(what, " though nothing is wrong: ", why));
}

}  // namespace hikyaku::test
