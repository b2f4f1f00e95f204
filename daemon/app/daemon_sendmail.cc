// SPDX-License-Identifier: MIT
// What the daemon does for sendmail(1) beside listening: it knows its callers, picks up what they leave, and
// tells them its settings.
#include <utility>

#include "daemon/app/daemon.h"
#include "daemon/app/reload.h"
#include "daemon/app/sendmail_conf.h"
#include "daemon/base/text.h"
#include "daemon/io/work.h"
#include "daemon/relay/bouncer.h"
#include "daemon/system/files.h"

namespace hikyaku::app {

void Daemon::take_over_submit() { submitters_.configure(settings_.submit); }

// Without it sendmail goes by its built-in paths.
Task<void> Daemon::tell_sendmail() {
  constexpr mode_t kForAll = 0644;
  std::string text = sendmail_conf(settings_, listening_);
  auto written = co_await io::run_on_pool(
      loop_, [&] { return system::replace_file(sendmail_conf_path(settings_), text, kForAll); });
  if (!written) log_.warning(cat(written.error().text, "; sendmail does not learn of changed settings"));
}

pickup::PickupOptions Daemon::pickup_options() {
  return {.session = acceptor_options(settings_, token_, &submitters_).session,
          .bounce = relay::bounce_policy(settings_)};
}

// Without it the daemon serves all the same: sendmail(1) has the socket.
Task<void> Daemon::open_drop_directory() {
  auto opened =
      co_await io::run_on_pool(loop_, [&] { return pickup::DropDirectory::open(settings_.spool.directory); });
  if (opened) {
    drop_ = std::move(*opened);
    co_await pickup::settle_taken(loop_, *drop_, *spool_, log_);
  } else if (opened.error().kind != pickup::DropFault::gone) {
    log_.warning(cat(opened.error().text, "; nothing that sendmail leaves there is picked up"));
  }
}

void Daemon::start_pickup() {
  if (!drop_) return;
  pickup_.emplace(pickup::PickupParts{.loop = loop_, .sink = *sink_, .observer = observer_, .log = log_},
                  std::move(*drop_), pickup_options());
  background_.spawn(pickup_->run());
}

}  // namespace hikyaku::app
