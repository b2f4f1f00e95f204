// SPDX-License-Identifier: MIT
#include "daemon/app/storage.h"

#include <utility>

#include "daemon/app/settings_mapping.h"
#include "daemon/base/text.h"

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

}  // namespace

Storage::Storage(io::Loop& loop, log::MailLog& log, config::SpoolSettings settings)
    : loop_(loop),
      log_(log),
      settings_(std::move(settings)),
      forgetful_(system::forgetful_file_system(settings_.directory)) {}

Task<Result<std::unique_ptr<Storage>, StartError>> Storage::open(io::Loop& loop, log::MailLog& log,
                                                                 const config::Settings& settings) {
  std::unique_ptr<Storage> storage(new Storage(loop, log, settings.spool));
  const std::string name = cat("spool ", settings.spool.directory, ": ");
  auto disk = spool::open_disk(settings.spool.directory);
  if (!disk) co_return fail(Exit::cannot_create, cat(name, disk.error().text));
  storage->disk_ = std::move(*disk);
  auto spool = co_await spool::Spool::open(loop, *storage->disk_, spool_options(settings));
  if (!spool) co_return fail(exit_for(spool.error().kind), cat(name, spool.error().text));
  storage->spool_ = std::move(*spool);
  storage->report_from_here_on();
  co_return storage;
}

void Storage::report_from_here_on() {
  if (forgetful_)
    log_.warning(cat("the spool is not durable: ", settings_.directory, " is on ", forgetful_->file_system,
                     ", ", forgetful_->why, "; put it on a disk, or mount a volume there"));
  for (const spool::DamageReport& damage : spool_->reports()) log_.warning(to_line(damage));
  spool_->set_on_damage([this](const spool::DamageReport& damage) { log_.warning(to_line(damage)); });
  spool_->set_on_trouble([this](const std::optional<spool::Trouble>& trouble) { report(trouble); });
}

// At the first refusal of new mail at the latest, not once for each.
void Storage::report(const std::optional<spool::Trouble>& trouble) {
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

std::string Storage::in_words(const std::optional<spool::Trouble>& trouble) const {
  return trouble ? describe(*trouble, settings_.directory, settings_.min_free) : "";
}

Task<std::string> Storage::trouble_now() {
  auto trouble = co_await spool_->trouble_now(loop_.within(kDiskTimeout));
  co_return in_words(trouble);
}

}  // namespace hikyaku::app
