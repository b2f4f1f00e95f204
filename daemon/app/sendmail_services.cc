// SPDX-License-Identifier: MIT
#include "daemon/app/sendmail_services.h"

#include <utility>

#include "daemon/app/settings_mapping.h"
#include "daemon/base/text.h"
#include "daemon/io/work.h"
#include "daemon/system/directories.h"
#include "daemon/system/files.h"

namespace hikyaku::app {
namespace {

constexpr mode_t kReadableByAll = 0644;

std::string line(std::string_view key, std::string_view value) {
  return value.empty() ? std::string() : cat(key, " ", value, "\n");
}

std::string reachable(const Endpoint& listening) {
  Endpoint at = listening;
  if (at.address == IpAddress::parse("0.0.0.0")) at.address = *IpAddress::parse("127.0.0.1");
  if (at.address == IpAddress::parse("::")) at.address = *IpAddress::parse("::1");
  return at.to_text();
}

}  // namespace

SendmailServices::SendmailServices(io::Loop& loop, log::MailLog& log, io::Nursery& background,
                                   std::optional<Endpoint> listening)
    : loop_(loop), log_(log), background_(background), listening_(listening), submitters_(loop, background) {}

// Without the directory the daemon serves all the same: sendmail(1) has the socket.
Task<void> SendmailServices::open(const config::Settings& settings, mail::MailSource& spool) {
  auto opened =
      co_await io::run_on_pool(loop_, [&] { return pickup::DropDirectory::open(settings.spool.directory); });
  if (opened) {
    drop_ = std::move(*opened);
    co_await pickup::settle_taken(loop_, *drop_, spool, log_);
  } else if (opened.error().kind != pickup::DropFault::gone) {
    log_.warning(cat(opened.error().text, "; mail that sendmail leaves there is not picked up"));
  }
}

Task<void> SendmailServices::configure(const config::Settings& settings, smtpd::SessionOptionsPtr session) {
  submitters_.configure(settings.submit);
  options_ = pickup_options(settings, std::move(session));
  if (pickup_) pickup_->configure(options_);
  co_await write_conf(settings);
}

// Without the file sendmail uses its built-in paths.
Task<void> SendmailServices::write_conf(const config::Settings& settings) {
  const std::string path = sendmail_conf_path(settings);
  const std::string text = sendmail_conf(settings, listening_);
  auto written =
      co_await io::run_on_pool(loop_, [&] { return system::replace_file(path, text, kReadableByAll); });
  if (!written) log_.warning(cat(written.error().text, "; sendmail keeps using the old settings"));
}

void SendmailServices::start(mail::MailSink& sink, smtpd::Observer& observer,
                             std::function<void(const mail::QueueEntry&)> on_arrival) {
  if (!drop_) return;
  pickup_.emplace(pickup::PickupParts{.loop = loop_,
                                      .sink = sink,
                                      .observer = observer,
                                      .log = log_,
                                      .on_arrival = std::move(on_arrival)},
                  std::move(*drop_), options_);
  background_.spawn(pickup_->run());
}

Task<void> SendmailServices::stop(Duration grace) {
  if (pickup_) co_await pickup_->stop(grace);
}

std::string sendmail_conf_path(const config::Settings& settings) {
  return cat(settings.spool.directory, "/sendmail.conf");
}

std::string sendmail_conf(const config::Settings& settings, const std::optional<Endpoint>& listening) {
  return cat("hikyaku-sendmail 1\n",
             line("submit_socket", system::submit_socket_in(settings.runtime_directory)),
             line("control_socket", system::control_socket_in(settings.runtime_directory)),
             line("drop", cat(settings.spool.directory, "/drop")),
             line("listen", listening ? reachable(*listening) : ""), line("hostname", settings.hostname),
             line("domain", settings.domain), line("aliases", settings.aliases.path),
             line("local_mail", settings.local_mail),
             line("max_size", std::to_string(settings.message.max_size.bytes)),
             line("max_recipients", std::to_string(settings.message.max_recipients)),
             line("min_free", std::to_string(settings.spool.min_free.bytes)));
}

}  // namespace hikyaku::app
