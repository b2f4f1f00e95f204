// SPDX-License-Identifier: MIT
#include "daemon/app/settings_mapping.h"

#include <algorithm>
#include <utility>

#include "daemon/relay/bouncer.h"
#include "daemon/relay/settlement.h"

namespace hikyaku::app {
namespace {

// For applications that insist on one; log and Received say only that there was one.
smtpd::AuthOptions any_login() {
  smtpd::AuthOptions auth;
  auth.mechanisms = {"PLAIN", "LOGIN"};
  auth.trusts_loopback = true;
  auth.takes_any = true;
  auth.user = "any";
  return auth;
}

// As sessions are anywhere, but for what the door offers.
std::vector<smtpd::Door> doors_of(const config::ListenSettings& listen, const smtpd::SessionOptions& usual,
                                  const DoorTls& tls) {
  std::vector<smtpd::Door> doors;
  for (const config::Door& door : listen.doors) {
    auto its_tls = doors.size() < tls.size() ? tls[doors.size()] : nullptr;
    smtpd::SessionOptions session = usual;
    if (door.takes_any_login) session.auth = any_login();
    if (door.tls == mail::TlsMode::starttls) session.starttls = its_tls;
    if (door.tls != mail::TlsMode::implicit) its_tls = nullptr;
    doors.push_back({door.at, std::make_shared<const smtpd::SessionOptions>(std::move(session)),
                     std::move(its_tls), door.proxies});
  }
  return doors;
}

}  // namespace

std::vector<std::string> keep_until_restart(const config::Settings& running, config::Settings& fresh) {
  std::vector<std::string> kept;
  auto keep = [&kept](const char* key, const auto& now, auto& wanted) {
    if (now == wanted) return;
    kept.emplace_back(key);
    wanted = now;
  };
  if (running.listen.endpoints != fresh.listen.endpoints) keep("listen", running.listen, fresh.listen);
  keep("user", running.user, fresh.user);
  keep("runtime_directory", running.runtime_directory, fresh.runtime_directory);
  keep("oauth_directory", running.oauth_directory, fresh.oauth_directory);
  keep("spool.directory", running.spool.directory, fresh.spool.directory);
  keep("spool.segment_size", running.spool.segment_size, fresh.spool.segment_size);
  keep("spool.min_free", running.spool.min_free, fresh.spool.min_free);
  keep("spool.url", running.spool.url, fresh.spool.url);
  keep("spool.lease", running.spool.lease, fresh.spool.lease);
  keep("spool.takeover", running.spool.takeover, fresh.spool.takeover);
  keep("node", running.node, fresh.node);
  keep("memory", running.memory, fresh.memory);
  keep("metrics", running.metrics, fresh.metrics);
  return kept;
}

smtpd::AcceptorOptions acceptor_options(const config::Settings& settings, const std::string& token,
                                        smtpd::Submitters* submitters, const DoorTls& tls) {
  smtpd::SessionOptions session;
  session.hostname = settings.hostname;
  session.domain = settings.domain;
  session.token = token;
  session.submitters = submitters;
  session.senders = settings.senders;
  session.peers = settings.peers;
  session.masquerade = {.hosts = settings.masquerade, .domain = settings.domain};
  session.limits.max_size = settings.message.max_size.bytes;
  session.limits.max_recipients = settings.message.max_recipients;
  session.limits.max_hops = settings.message.max_hops;
  smtpd::AcceptorOptions options;
  options.policy = {.allow = settings.allow,
                    .connections = settings.limits.connections,
                    .per_client = settings.limits.per_client,
                    .local = std::max<std::size_t>(2, settings.limits.connections / 2),
                    .per_user = std::max<std::size_t>(1, settings.limits.connections / 4)};
  options.doors = doors_of(settings.listen, session, tls);
  options.session = std::make_shared<const smtpd::SessionOptions>(std::move(session));
  return options;
}

pickup::PickupOptions pickup_options(const config::Settings& settings, smtpd::SessionOptionsPtr session) {
  return {.session = std::move(session), .bounce = relay::bounce_policy(settings)};
}

RecipientRules recipient_rules(const config::Settings& settings) {
  return {.domain = settings.domain,
          .hostname = settings.hostname,
          .local_mail = settings.local_mail,
          .copy_to = settings.copy_to};
}

spool::SpoolOptions spool_options(const config::Settings& settings) {
  return {.min_free = settings.spool.min_free,
          .segment_size = settings.spool.segment_size,
          .memory = settings.memory,
          .committer = spool::CommitterMode::thread};
}

postgresql::SharedOptions shared_options(const config::Settings& settings) {
  return {.lease = {.node = settings.node_name(),
                    .lease = settings.spool.lease,
                    .takeover = settings.spool.takeover},
          .memory = settings.memory};
}

std::optional<postgresql::SharedPlace> fleet_of(const config::Settings& settings) {
  if (settings.spool.url.empty()) return std::nullopt;
  return postgresql::SharedPlace{.url = settings.spool.url,
                                 .node = settings.node_name(),
                                 .lease = settings.spool.lease,
                                 .takeover = settings.spool.takeover};
}

log::Options log_options(const config::Settings& settings) {
  return {.level = settings.log.level,
          .format = settings.log.format,
          .journal = log::is_journal(),
          .journal_socket = log::kJournalSocket,
          .addresses = settings.log.addresses};
}

}  // namespace hikyaku::app
