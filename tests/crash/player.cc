// SPDX-License-Identifier: MIT
#include "tests/crash/player.h"

#include <algorithm>

#include "daemon/base/text.h"
#include "spool/record.h"
#include "spool/segment.h"

namespace hikyaku::test {
namespace {

constexpr std::uint64_t kRoomy = std::uint64_t{1} << 30U;
constexpr int kPatience = 4;

spool::SpoolOptions options() {
  return {.min_free = {0},
          .segment_size = spool::kMinSegment,
          .memory = 1_MiB,
          .committer = spool::CommitterMode::inline_on_loop};
}

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

Task<bool> Player::open() {
  auto opened = co_await spool::Spool::open(loop_, *disk_, options());
  // A planned EIO may hit the start, too; whoever is told so starts the daemon again.
  for (int i = 0; i < kPatience && !opened && !disk_->is_off(); ++i)
    opened = co_await spool::Spool::open(loop_, *disk_, options());
  if (opened) spool_ = std::move(*opened);
  if (disk_->is_off()) co_return false;
  if (!spool_) {
    world_.complain(cat("the spool cannot be opened: ", opened.error().text));
    co_return false;
  }
  co_await look();
  co_return true;
}

Task<void> Player::play(Script script) {
  for (const Turn& turn : script.turns) {
    if (!spool_ || disk_->is_off()) co_return;
    co_await play_turn(turn);
  }
  if (spool_) co_await end();
}

Task<void> Player::kill() {
  auto left = disk_->after_kill();
  disk_->cut_power();  // what the dying spool still tries reaches nothing
  if (spool_) co_await end();
  disk_ = std::move(left);
}

Task<void> Player::end() {
  co_await spool_->close();
  spool_.reset();
}

Task<void> Player::play_turn(Turn turn) {
  io::Nursery nursery(loop_);
  for (const Action& action : turn) nursery.spawn(act(action));
  auto woken = co_await nursery.drained({});
  check(woken == io::Woken::ready, "the turn ended");
}

Task<void> Player::act(Action action) {
  switch (action.what) {
    case Do::accept: return accept(action.size);
    case Do::forge: return forge(action);
    case Do::abandon: return abandon(action.size);
    case Do::progress: return progress(action.mail, false);
    case Do::finish: return finish(action.mail);
    case Do::bounce: return bounce(action.mail, true);
    case Do::bounce_part: return bounce(action.mail, false);
    case Do::read: return read(action.mail);
    default: return handle(action);
  }
}

Task<void> Player::handle(Action event) {
  switch (event.what) {
    case Do::restart: co_await reopen(true); break;
    case Do::kill: co_await reopen(false); break;
    case Do::fail_flush: disk_->fail_at(DiskStep::flush, event.size, std::errc::io_error); break;
    case Do::fail_write: disk_->fail_at(DiskStep::write, event.size, std::errc::io_error); break;
    case Do::short_writes: disk_->set_short_writes(event.size); break;
    case Do::fill_disk: fill_disk(event.size); break;
    case Do::rot: rot(event.size); break;
    default: disk_->set_capacity(kRoomy);
  }
}

void Player::fill_disk(std::uint64_t but_for) {
  auto space = disk_->space();
  if (space) disk_->set_capacity(space->total_bytes - space->free_bytes + but_for);
}

void Player::rot(std::uint64_t choice) {
  std::vector<std::string> files;
  for (std::string_view directory : {"log/", "large/"}) {
    auto names = disk_->list(directory.substr(0, directory.size() - 1));
    if (!names) return;
    for (const std::string& name : *names) files.push_back(cat(directory, name));
  }
  if (files.empty()) return;
  const std::string& file = files[choice % files.size()];
  std::uint64_t size = disk_->content(file).size();
  if (size < 16) return;
  disk_->corrupt(file, choice * 7919 % (size / 8) % 1500 * 8, "sixteen bad ones");
  world_.expect_damage();
}

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

Task<void> Player::progress(std::size_t index, bool failed) {
  if (index >= world_.size() || !world_.at(index).must_exist()) co_return;
  std::size_t number = world_.at(index).progress.size();
  world_.at(index).progress.push_back(world_.next_progress(index, failed));
  auto recorded = co_await spool_->record(world_.at(index).id, world_.at(index).progress.back());
  Mail& mail = world_.at(index);
  if (recorded) mail.settled = std::max(mail.settled, number);
}

Task<void> Player::finish(std::size_t index) {
  if (index >= world_.size() || !world_.at(index).must_exist()) co_return;
  world_.at(index).is_finish_submitted = true;
  auto finished = co_await spool_->finish(world_.at(index).id);
  if (finished) world_.at(index).is_finished = true;
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
    co_await progress(index, true);
}

Task<void> Player::read(std::size_t index) {
  if (index >= world_.size() || !world_.at(index).must_exist()) co_return;
  auto found = co_await fetch(world_.at(index).id);
  if (found && found->content != *world_.at(index).content)
    world_.complain("a mail at work reads differently");
}

Task<void> Player::reopen(bool is_clean) {
  disk_->set_capacity(kRoomy);
  if (is_clean)
    co_await end();
  else
    co_await kill();
  auto opened = co_await open();
  if (opened) world_.settle(found_);
}

Task<std::optional<std::size_t>> Player::submit(std::size_t index) {
  auto writer = co_await write(index);
  if (!writer) co_return std::nullopt;
  world_.at(index).is_submitted = true;
  auto committed = co_await writer->commit(world_.at(index).envelope);
  if (!committed) co_return std::nullopt;
  world_.at(index).is_acknowledged = true;
  co_return index;
}

Task<std::unique_ptr<mail::MailWriter>> Player::write(std::size_t index) {
  auto writer = spool_->begin();
  if (!writer) co_return nullptr;
  world_.name(index, (*writer)->id());
  auto content = world_.at(index).content;
  for (std::size_t done = 0; done < content->size(); done += 16'000) {
    auto written = co_await (*writer)->write(std::string_view(*content).substr(done, 16'000));
    if (!written) co_return nullptr;
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
  if (!disk_->is_off() && !world_.is_damaged()) world_.complain(cat("mail ", to_text(id), ": ", error.text));
  return std::nullopt;
}

Task<void> Player::look() {
  found_.clear();
  for (const mail::QueueEntry& entry : spool_->entries()) {
    auto found = co_await fetch(entry.id);
    if (found) found_.push_back(std::move(*found));
  }
  if (disk_->is_off()) co_return;
  world_.compare(found_);
  if (world_.is_damaged()) co_return;
  compare_large_files();
  for (const spool::DamageReport& report : spool_->reports())
    world_.complain(cat("reported damage: ", to_line(report)));
}

void Player::compare_large_files() {
  auto names = disk_->list("large");
  auto wanted = std::ranges::count_if(found_, [](const FoundMail& one) {
    return one.content.size() > spool::content_limit(spool::kMinSegment.bytes);
  });
  if (names && names->size() > static_cast<std::size_t>(wanted))
    world_.complain(
        cat(std::to_string(names->size()), " large bodies for ", std::to_string(wanted), " mails"));
}

}  // namespace hikyaku::test
