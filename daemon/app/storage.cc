// SPDX-License-Identifier: MIT
#include "daemon/app/storage.h"

#include <utility>

#include "daemon/app/settings_mapping.h"
#include "daemon/base/text.h"
#include "daemon/io/work.h"
#include "daemon/system/move_mark.h"
#include "spool/start.h"
#include "spool/view.h"

namespace hikyaku::app {
namespace {

constexpr Duration kDiskTimeout = 2s;

Exit exit_for(spool::SpoolErrorKind kind) {
  switch (kind) {
    case spool::SpoolErrorKind::locked: return Exit::unavailable;
    case spool::SpoolErrorKind::cannot_create: return Exit::cannot_create;
    default: return Exit::io;
  }
}

// Some of its mail may be at the other place already.
Result<void, StartError> hold_while_moving(const std::string& directory) {
  if (!system::MoveMark::is_in(directory)) return {};
  return fail(Exit::configuration, cat("a move of the mail in ", directory,
                                       " has not come to its end: run the same 'hikyaku spool move' again"));
}

}  // namespace

Task<Result<std::unique_ptr<Storage>, StartError>> Storage::open(io::Loop& loop, log::MailLog& log,
                                                                 const config::Settings& settings) {
  return settings.spool.url.empty() ? LocalStorage::open(loop, log, settings)
                                    : SharedStorage::open(loop, log, settings);
}

Task<Result<std::unique_ptr<Storage>, StartError>> LocalStorage::open(io::Loop& loop, log::MailLog& log,
                                                                      const config::Settings& settings) {
  std::unique_ptr<LocalStorage> storage(new LocalStorage(loop, log, settings.spool));
  const std::string name = cat("spool ", settings.spool.directory, ": ");
  auto whole = hold_while_moving(settings.spool.directory);
  if (!whole) co_return std::unexpected(whole.error());
  auto disk = spool::open_disk(settings.spool.directory);
  if (!disk) co_return fail(Exit::cannot_create, cat(name, disk.error().text));
  storage->disk_ = std::move(*disk);
  auto spool = co_await spool::Spool::open(loop, *storage->disk_, spool_options(settings));
  if (!spool) co_return fail(exit_for(spool.error().kind), cat(name, spool.error().text));
  storage->spool_ = std::move(*spool);
  storage->report_from_here_on();
  co_return storage;
}

void LocalStorage::report_from_here_on() {
  if (forgetful_)
    log_.warning(cat("the spool is not durable: ", settings_.directory, " is on ", forgetful_->file_system,
                     ", ", forgetful_->why, "; put it on a disk, or mount a volume there"));
  for (const spool::DamageReport& damage : spool_->reports()) log_.warning(to_line(damage));
  spool_->set_on_damage([this](const spool::DamageReport& damage) { log_.warning(to_line(damage)); });
  spool_->set_on_trouble([this](const std::optional<spool::Trouble>& trouble) { report(trouble); });
}

// At the first refusal of new mail at the latest, not once for each.
void LocalStorage::report(const std::optional<spool::Trouble>& trouble) {
  std::vector<log::Field> fields = {{"path", settings_.directory}};
  if (trouble) {
    fields.push_back({"free", trouble->space.free_bytes});
    fields.push_back({"free_inodes", trouble->space.free_inodes});
    fields.push_back({"min_free", settings_.min_free.bytes});
    return log_.error(in_words(trouble), fields);
  }
  log_.info("the spool accepts new mail again", fields);
  on_recovery_();
}

std::string LocalStorage::in_words(const std::optional<spool::Trouble>& trouble) const {
  return trouble ? describe(*trouble, settings_.directory, settings_.min_free) : "";
}

Task<std::string> LocalStorage::trouble_now() {
  auto trouble = co_await spool_->trouble_now(loop_.within(kDiskTimeout));
  co_return in_words(trouble);
}

// ---- a database

namespace {

// A statement that runs for longer than `takeover` would come to its end among those of the node that has taken over.
postgresql::LinkOptions link_options(const config::SpoolSettings& settings) {
  return {.answer = 30s, .statement_timeout = settings.takeover};
}

// Whoever waits longer for a renewal has no lease any more.
postgresql::LinkOptions lease_link_options(const config::SpoolSettings& settings) {
  return {.answer = settings.lease, .statement_timeout = settings.takeover};
}

Exit exit_for(postgresql::SchemaErrorKind kind) {
  const bool is_away = kind == postgresql::SchemaErrorKind::unreachable;
  return is_away ? Exit::unavailable : Exit::configuration;
}

// Mail that the directory still has would stay there for ever.
Result<void, StartError> hold_directory(spool::Disk& disk, const std::string& directory) {
  auto view = spool::View::open(disk);
  if (!view || view->ids().empty()) return {};
  return fail(Exit::configuration,
              cat("spool.url is set, but ", directory, " still holds ", std::to_string(view->ids().size()),
                  " mails of its own: move them with 'hikyaku spool move ", directory,
                  " URL', or let the daemon deliver them without spool.url first"));
}

}  // namespace

SharedStorage::SharedStorage(io::Loop& loop, log::MailLog& log, config::SpoolSettings settings,
                             const postgresql::Libpq& pq, postgresql::Address address)
    : Storage(log, std::move(settings)),
      address_(std::move(address)),
      resolver_(loop),
      commits_(loop, pq, address_, resolver_, link_options(settings_)),
      reads_(loop, pq, address_, resolver_, link_options(settings_)),
      lease_(loop, pq, address_, resolver_, lease_link_options(settings_)),
      bell_(loop, pq, address_, resolver_, {.answer = 5s}) {}

Task<Result<std::unique_ptr<Storage>, StartError>> SharedStorage::open(io::Loop& loop, log::MailLog& log,
                                                                       const config::Settings& settings) {
  auto address = postgresql::Address::parse(settings.spool.url);
  if (!address) co_return fail(Exit::configuration, cat("spool.url: ", address.error()));
  const std::string name = cat("spool ", address->shown(), ": ");
  auto pq = postgresql::libpq();
  if (!pq) co_return fail(Exit::configuration, pq.error());
  std::unique_ptr<SharedStorage> storage(
      new SharedStorage(loop, log, settings.spool, **pq, std::move(*address)));
  auto held = co_await io::run_on_pool(loop, [&] { return storage->lock_directory(); });
  if (!held) co_return std::unexpected(held.error());
  auto spool = co_await postgresql::SharedSpool::open(
      loop, {storage->commits_, storage->reads_, storage->lease_, storage->bell_}, shared_options(settings));
  if (!spool) co_return fail(exit_for(spool.error().kind), cat(name, spool.error().text));
  storage->spool_ = std::move(*spool);
  storage->report_from_here_on();
  co_return storage;
}

Result<void, StartError> SharedStorage::lock_directory() {
  auto disk = spool::open_disk(settings_.directory);
  if (!disk) return fail(Exit::cannot_create, cat("spool ", settings_.directory, ": ", disk.error().text));
  disk_ = std::move(*disk);
  auto lock = spool::take_lock(*disk_);
  if (!lock)
    return fail(exit_for(lock.error().kind), cat("spool ", settings_.directory, ": ", lock.error().text));
  lock_ = std::move(*lock);
  auto whole = hold_while_moving(settings_.directory);
  return whole ? hold_directory(*disk_, settings_.directory) : whole;
}

void SharedStorage::report_from_here_on() {
  const std::vector<log::Field> fields = {{"url", address_.shown()}};
  for (const std::string& note : spool_->notes()) log_.warning(note, fields);
  spool_->set_on_trouble([this, fields](const std::optional<std::string>& trouble) {
    if (trouble) return log_.error(*trouble, fields);
    log_.info("the spool accepts new mail again", fields);
    on_recovery_();
  });
}

}  // namespace hikyaku::app
