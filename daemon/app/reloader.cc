// SPDX-License-Identifier: MIT
#include "daemon/app/reloader.h"

#include <algorithm>
#include <utility>

#include "daemon/app/alias_sink.h"
#include "daemon/app/control_access.h"
#include "daemon/app/sendmail_services.h"
#include "daemon/app/settings_mapping.h"
#include "daemon/app/setup_warnings.h"
#include "daemon/base/text.h"
#include "daemon/dns/client.h"
#include "daemon/io/work.h"
#include "daemon/mail/fleet.h"
#include "daemon/metrics/metrics.h"
#include "daemon/oauth/tokens.h"
#include "daemon/relay/relay.h"
#include "daemon/system/service_manager.h"
#include "smtpd/acceptor.h"

namespace hikyaku::app {
namespace {

constexpr Duration kLookUpTimeout = 10s;
constexpr std::string_view kUnchanged = "the aliases stay as they were";
constexpr std::size_t kMostInOneLine = 5;

void report(log::MailLog& log, const config::Problems& problems, std::string_view consequence) {
  for (const config::Problem& problem : problems) log.warning(config::to_text(problem));
  if (!problems.empty()) log.warning(consequence);
}

// What was wrong may be right now, also for the mail that is nobody's. (That of this node is due by itself.)
Task<void> make_all_due(mail::Fleet& fleet) { (void)co_await fleet.make_all_due(); }

// The first few; the log has them all.
std::string in_one_line(config::Problems problems) {
  const std::size_t count = problems.size();
  problems.resize(std::min(count, kMostInOneLine));
  const std::string first = config::to_text(problems, "; ");
  if (count <= kMostInOneLine) return first;
  return cat(first, "; and ", std::to_string(count - kMostInOneLine), " more; see the log");
}

}  // namespace

Reloader::Reloader(ReloaderParts parts, std::string config_file)
    : parts_(std::move(parts)), config_file_(std::move(config_file)), ended_(parts_.loop) {}

// The relay is the last: it begins to work at once.
Task<Result<void, config::Problems>> Reloader::start(system::Loaded first) {
  auto tls = open_door_tls(first.settings, parts_.log);
  if (!tls) co_return std::unexpected(std::move(tls.error()));
  door_tls_ = std::move(*tls);
  settings_ = std::move(first.settings);
  configure_dns(settings_);
  co_await configure_parts();
  co_await look_up_credentials(settings_, first.credentials);
  use_first_aliases(std::move(first.aliases));
  keys_ = std::move(first.signing_keys);
  auto configured = parts_.relay.configure(settings_, keys_);
  if (configured) configure_tokens();
  if (configured) check_setup();
  co_return configured;
}

Task<void> Reloader::begin() {
  while (is_reloading_) co_await ended_.wait({});
  is_reloading_ = true;
}

void Reloader::end() {
  is_reloading_ = false;
  ended_.notify();
}

Task<control::ReloadReport> Reloader::reload() {
  co_await begin();
  auto report = co_await reload_now();
  end();
  co_return report;
}

Task<Result<std::size_t, std::string>> Reloader::reload_aliases() {
  co_await begin();
  auto count = co_await reload_aliases_now();
  end();
  co_return count;
}

Task<control::ReloadReport> Reloader::reload_now() {
  parts_.manager.reloading();
  auto fresh = co_await io::run_on_pool(
      parts_.loop, [this] { return system::load_everything(config_file_, system::Purpose::run); });
  if (fresh) co_await look_up_credentials(fresh->settings, fresh->credentials);
  control::ReloadReport report{.problems = {"hikyakud is stopping"}, .kept = {}};
  if (stopping_.is_requested()) co_return report;
  if (fresh)
    report = co_await apply(std::move(*fresh));
  else
    report = refuse(fresh.error());
  parts_.manager.ready(parts_.status());
  co_return report;
}

// Only certificates and the relay can refuse settings, so they are asked before anything has changed but what
// the relay's lanes look up at once.
Task<control::ReloadReport> Reloader::apply(system::Loaded fresh) {
  control::ReloadReport report{.problems = {}, .kept = keep_until_restart(settings_, fresh.settings)};
  auto tls = open_door_tls(fresh.settings, parts_.log);
  if (!tls) co_return refuse(tls.error());
  configure_dns(fresh.settings);
  auto configured = parts_.relay.configure(fresh.settings, fresh.signing_keys);
  if (!configured) {
    configure_dns(settings_);
    co_return refuse(configured.error());
  }
  settings_ = std::move(fresh.settings);
  keys_ = std::move(fresh.signing_keys);
  configure_tokens();
  door_tls_ = std::move(*tls);
  replace_aliases(std::move(fresh.aliases));
  co_await configure_parts();
  if (parts_.fleet != nullptr) parts_.background.spawn(make_all_due(*parts_.fleet));
  trouble_.clear();
  parts_.log.reloaded();
  if (!report.kept.empty()) parts_.log.warning(cat("needs a restart to change: ", join(report.kept, ", ")));
  parts_.warnings.clear();
  check_setup();
  co_return report;
}

control::ReloadReport Reloader::refuse(const config::Problems& problems) {
  control::ReloadReport report{.problems = config::to_lines(problems), .kept = {}};
  parts_.log.reload_failed(report.problems);
  trouble_ = report.problems.front();
  return report;
}

// In the same turn as the relay: its new lanes have dialled at most.
void Reloader::configure_tokens() {
  parts_.tokens.configure(settings_.oauth_directory, settings_.smarthosts);
}

void Reloader::configure_dns(const config::Settings& settings) {
  parts_.dns.configure(settings.dns, settings.hostname);
}

// Everything but the relay, which may refuse.
Task<void> Reloader::configure_parts() {
  parts_.log.configure(log_options(settings_));
  parts_.sink.configure(recipient_rules(settings_));
  parts_.control.configure(settings_.control);
  parts_.metrics.configure(settings_.smarthosts, parts_.loop.now());
  auto acceptor = acceptor_options(settings_, parts_.token, &parts_.sendmail.submitters(), door_tls_);
  auto session = acceptor.session;
  parts_.acceptor.configure(std::move(acceptor));
  co_await parts_.sendmail.configure(settings_, std::move(session));
}

// A file that the configuration does not name may hold what was meant for another mail server (programs,
// files). That must not keep mail from flowing, so what is good is used.
void Reloader::use_first_aliases(config::LoadedAliases first) {
  parts_.sink.set_aliases(std::move(first.aliases));
  report(parts_.log, first.problems, "the other aliases are used");
}

bool Reloader::replace_aliases(config::LoadedAliases fresh) {
  report(parts_.log, fresh.problems, kUnchanged);
  if (!fresh.problems.empty()) return false;
  parts_.sink.set_aliases(std::move(fresh.aliases));
  return true;
}

Task<Result<std::size_t, std::string>> Reloader::reload_aliases_now() {
  auto fresh = co_await io::run_on_pool(parts_.loop,
                                        [file = settings_.aliases] { return config::load_aliases(file); });
  std::string problems = in_one_line(fresh.problems);
  if (!replace_aliases(std::move(fresh))) co_return std::unexpected(std::move(problems));
  parts_.log.info("aliases have been read again", {{"aliases", std::uint64_t{parts_.sink.size()}}});
  check_setup();
  co_return parts_.sink.size();
}

Task<Result<config::Authinfo, config::Problems>> Reloader::load_credentials() {
  auto entries = co_await io::run_on_pool(parts_.loop, [authinfo = settings_.authinfo] {
    return config::load_authinfo(authinfo, config::AuthinfoReader::this_process());
  });
  co_return entries;
}

// The entry for an address of the smarthost goes before the one for any host.
Task<void> Reloader::look_up_credentials(config::Settings& settings, const config::Authinfo& entries) {
  for (mail::Smarthost& smarthost : settings.smarthosts) {
    if (!config::depends_on_addresses(smarthost, entries)) continue;
    auto addresses =
        co_await parts_.resolver.resolve(smarthost.host, parts_.loop.within(kLookUpTimeout, &stopping_));
    if (addresses)
      config::attach_credentials(smarthost, entries, std::move(*addresses));
    else
      parts_.log.warning(cat("entries by address in ", settings.authinfo.path, " are not used for ",
                             smarthost.name, ": ", addresses.error().text));
  }
}

void Reloader::check_setup() {
  parts_.background.spawn(
      parts_.warnings.check(settings_, {.has_root_alias = parts_.sink.has_alias("root"),
                                        .signing_keys = keys_->warnings(),
                                        .door_keys = config::warnings_of_door_keys(settings_.listen)}));
}

}  // namespace hikyaku::app
