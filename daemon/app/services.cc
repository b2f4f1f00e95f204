// SPDX-License-Identifier: MIT
#include "daemon/app/services.h"

#include <utility>

#include "daemon/app/control_access.h"
#include "daemon/app/settings_mapping.h"
#include "daemon/app/storage.h"
#include "daemon/base/random.h"
#include "daemon/base/text.h"

namespace hikyaku::app {
namespace {

constexpr std::size_t kTokenLength = 20;

// For sendmail(1), which speaks plain SMTP from the first byte there.
std::optional<Endpoint> first_endpoint(const std::vector<std::unique_ptr<io::Listener>>& listeners,
                                       const config::ListenSettings& settings) {
  auto is_plain = [&](const Endpoint& at) {
    const config::Door* door = settings.door_at(at);
    return door == nullptr || (door->tls != mail::TlsMode::implicit && door->proxies.empty());
  };
  for (const auto& listener : listeners)
    if (auto bound = listener->local(); bound && is_plain(*bound)) return bound;
  return std::nullopt;
}

}  // namespace

Services::Services(ServicesParts parts, const std::string& config_file, const system::Loaded& loaded,
                   std::vector<std::unique_ptr<io::Listener>> listeners)
    : parts_(parts),
      listeners_(std::move(listeners)),
      token_(random_token(kTokenLength)),
      observer_(parts.log),
      resolver_(parts.loop),
      dns_(parts.loop, {.hostname = loaded.settings.hostname, .has = is_ours()}),
      connector_(parts.loop, resolver_, dns_.destinations(), is_ours()),
      background_(parts.loop),
      local_users_(parts.loop, background_),
      sink_(parts.loop, parts.storage.spool(), parts.log, local_users_),
      tokens_({.loop = parts.loop,
               .log = parts.log,
               .endpoint = token_endpoint_,
               .on_token = [this] { relay_.probe_paused(); },
               .accounts = parts.storage.spool().accounts()}),
      relay_({.loop = parts.loop,
              .sink = sink_,
              .source = parts.storage.spool(),
              .connector = connector_,
              .log = parts.log,
              .token = token_,
              .proven_file = cat(loaded.settings.spool.directory, "/proven"),
              .rates_file = cat(loaded.settings.spool.directory, "/rates"),
              .tokens = &tokens_,
              .accounts = parts.storage.spool().accounts()},
             parts.storage.spool().downtime()),
      sendmail_(parts.loop, parts.log, background_, first_endpoint(listeners_, loaded.settings.listen)),
      acceptor_(parts.loop, sink_, observer_,
                acceptor_options(loaded.settings, token_, &sendmail_.submitters())),
      warnings_(parts.loop, parts.log, config_file, loaded.account.has_value()),
      reloader_({.loop = parts.loop,
                 .log = parts.log,
                 .background = background_,
                 .resolver = resolver_,
                 .dns = dns_,
                 .manager = parts.manager,
                 .status = [this] { return status(); },
                 .token = token_,
                 .sink = sink_,
                 .tokens = tokens_,
                 .relay = relay_,
                 .fleet = parts.storage.fleet(),
                 .acceptor = acceptor_,
                 .sendmail = sendmail_,
                 .control = parts.control,
                 .metrics = metrics_,
                 .warnings = warnings_},
                config_file),
      drain_({.loop = parts.loop,
              .log = parts.log,
              .relay = relay_,
              .acceptor = acceptor_,
              .sendmail = sendmail_,
              .credentials = [this] { return reloader_.load_credentials(); },
              .grace = [this] { return shutdown_grace(); }}) {
  parts_.log.observe(&metrics_);
  for (const auto& listener : listeners_)
    if (auto bound = listener->local()) own_endpoints_.add(*bound);
  parts_.storage.spool().set_on_arrival([this](const mail::QueueEntry& entry) {
    if (!sendmail_.keeps(entry)) relay_.arrived(entry);
  });
  parts_.storage.spool().set_claimant({.on_claimed = [this](const auto& mails) { relay_.claimed(mails); },
                                       .room = [this] { return drain_.is_closed() ? 0 : relay_.room(); }});
  parts_.storage.set_on_recovery([this] { relay_.storage_is_back(); });
}

Services::~Services() { parts_.log.observe(nullptr); }

std::function<bool(const Endpoint&)> Services::is_ours() {
  return [this](const Endpoint& to) { return own_endpoints_.contains(to); };
}

Task<Result<void, StartError>> Services::start(system::Loaded loaded) {
  const config::Settings settings = loaded.settings;
  co_await sendmail_.open(settings, parts_.storage.spool());
  auto configured = co_await reloader_.start(std::move(loaded));
  if (!configured) co_return fail(Exit::configuration, config::to_text(configured.error(), "; "));
  auto submit = co_await open_submit_socket(parts_.loop, parts_.log, settings);
  if (!submit) co_return std::unexpected(submit.error());
  if (*submit) listeners_.push_back(std::move(*submit));
  auto control = serve_control();
  if (!control) co_return control;
  accept();
  co_return {};
}

Result<void, StartError> Services::serve_control() {
  return parts_.control.serve({.loop = parts_.loop,
                               .relay = relay_,
                               .source = parts_.storage.spool(),
                               .log = parts_.log,
                               .spool_trouble = [this] { return parts_.storage.trouble_now(); },
                               .spool_use = [this] { return parts_.storage.spool().use(); },
                               .counts = [this] { return counts(); },
                               .warnings = [this] { return warnings_.now(); },
                               .metrics = metrics_,
                               .tokens = tokens_,
                               .reload = [this] { return reloader_.reload(); },
                               .reload_aliases = [this] { return reloader_.reload_aliases(); },
                               .drain = &drain_,
                               .fleet = parts_.storage.fleet()});
}

metrics::Counts Services::counts() const {
  const smtpd::AcceptorCounts& clients = acceptor_.counts();
  const pickup::PickupCounts drops = sendmail_.drops();
  return {.flushes = parts_.storage.spool().counters().flush_times,
          .over_tcp = {clients.over_tcp.now, clients.over_tcp.begun},
          .local = {clients.local.now, clients.local.begun},
          .turned_away = clients.turned_away,
          .drops_waiting = drops.waiting,
          .drops_taken = drops.taken,
          .drops_refused = drops.refused};
}

void Services::accept() {
  std::vector<std::string> names;
  for (auto& listener : listeners_) {
    names.push_back(listener->name());
    acceptor_.listen(std::move(listener));
  }
  listeners_.clear();
  parts_.log.started(HIKYAKU_VERSION, names, relay_.queued(), parts_.storage.durability());
  sendmail_.start(sink_, observer_, [this](const mail::QueueEntry& entry) { relay_.arrived(entry); });
}

std::string Services::status() const {
  const std::string storage = parts_.storage.trouble();
  const std::string& reload = reloader_.trouble();
  return parts_.log.shown(
      cat(drain_.is_closed() ? "no mail is taken, because of a drain; " : "", relay_.status(),
          storage.empty() ? "" : "; ", storage,
          reload.empty() ? "" : "; not reloaded, because the configuration is wrong: ", reload));
}

Task<void> Services::stop(Duration grace) {
  reloader_.stop();
  co_await drain_.stop();
  io::Nursery stopping(parts_.loop);
  stopping.spawn(acceptor_.stop(grace));
  stopping.spawn(relay_.stop(grace));
  stopping.spawn(sendmail_.stop(grace));
  co_await stopping.drained({});
  co_await tokens_.stop();  // behind the lanes, which ask for them
  co_await background_.drained({});
}

}  // namespace hikyaku::app
