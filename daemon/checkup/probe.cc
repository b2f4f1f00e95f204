// SPDX-License-Identifier: MIT
#include "daemon/checkup/probe.h"

#include <utility>

#include "daemon/config/hostname.h"
#include "daemon/config/load.h"
#include "daemon/dns/client.h"
#include "daemon/io/nursery.h"
#include "daemon/io/resolver.h"
#include "smtpc/login.h"
#include "smtpc/opening.h"
#include "smtpc/sasl_client.h"

namespace hikyaku::checkup {
namespace {

// What a server with only a hash of the password can do too comes first: there is one try, and the connection is
// encrypted.
const std::vector<std::string> kOrderOfOneTry{"PLAIN",       "LOGIN",    "SCRAM-SHA-256",
                                              "SCRAM-SHA-1", "CRAM-MD5", "DIGEST-MD5"};

Task<void> look_up(const ProbeContext& context, std::string name, dns::RecordType type, dns::Answer& into) {
  const ProbeDialling& with = context.dialling;
  into = co_await context.records.look_up(std::move(name), type,
                                          with.loop.within(with.times.look_up, with.cancel));
}

Task<DomainRecords> ask_about(const ProbeContext& context, const std::string& domain) {
  DomainRecords records;
  io::Nursery nursery(context.dialling.loop);
  nursery.spawn(look_up(context, submissions_name(domain), dns::RecordType::srv, records.submissions));
  nursery.spawn(look_up(context, submission_name(domain), dns::RecordType::srv, records.submission));
  nursery.spawn(look_up(context, domain, dns::RecordType::mx, records.mx));
  [[maybe_unused]] auto drained = co_await nursery.drained({});
  co_return records;
}

Task<void> look_at(const ProbeContext& context, const std::string& host, std::uint16_t port,
                   PortFinding& into) {
  into = co_await probe_port(context.dialling, host, port);
  if (!into.trouble) into.trouble = trouble_with_login(host, into, context.installed);
}

// All ports of all hosts at the same time.
Task<std::vector<HostFinding>> look_at_all(const ProbeContext& context, const std::vector<Place>& places) {
  std::vector<HostFinding> found;
  for (const Place& place : places) found.push_back({place, std::vector<PortFinding>(place.ports.size())});
  io::Nursery nursery(context.dialling.loop);
  for (HostFinding& host : found)
    for (std::size_t i = 0; i < host.ports.size(); ++i)
      nursery.spawn(look_at(context, host.place.host, host.place.ports[i], host.ports[i]));
  [[maybe_unused]] auto drained = co_await nursery.drained({});
  co_return found;
}

mail::Smarthost smarthost_of(const ProbeDialling& with, const Recommendation& choice,
                             mail::Credentials credentials) {
  mail::Smarthost smarthost = probed_smarthost(with, choice.host, choice.port);
  smarthost.tls.mode = choice.tls;
  smarthost.credentials = std::move(credentials);
  smarthost.credentials->mechanisms = kOrderOfOneTry;
  return smarthost;
}

// A new connection, which verifies as a relay's would.
class OneLogin {
 public:
  OneLogin(const ProbeDialling& with, const Recommendation& choice, mail::Credentials credentials)
      : with_(with), smarthost_(smarthost_of(with, choice, std::move(credentials))) {
    finding_.user = smarthost_.credentials->user;
    knowledge_.login.none_works = true;  // so that one mechanism is tried, and no other after it
  }

  Task<LoginFinding> run() {
    auto failure = co_await try_it();
    if (failure) finding_.mechanism = failure->mechanism;
    finding_.trouble = std::move(failure);
    co_return std::move(finding_);
  }

 private:
  Task<std::optional<mail::Failure>> try_it() {
    auto tls = smtpc::make_tls_client(smarthost_);
    if (!tls) co_return mail::make_failure(smarthost_, mail::Stage::tls, tls.error());
    auto stream =
        co_await with_.connector.dial(smarthost_, with_.loop.within(with_.times.dial, with_.cancel));
    if (!stream) co_return std::move(stream.error());
    smtpc::Session session(probing_context(with_, smarthost_, knowledge_, std::move(*tls)),
                           std::move(*stream));
    auto opened = co_await smtpc::open_session(session);
    if (!opened) co_return std::move(opened.error().failure);
    check(session.is_encrypted(), "a password would have left in clear text");
    auto logged_in = co_await smtpc::log_in(session);
    co_await say_farewell(session);
    if (!logged_in) co_return std::move(logged_in.error().failure);
    finding_.mechanism = session.mechanism;
    co_return std::nullopt;
  }

  const ProbeDialling& with_;
  mail::Smarthost smarthost_;
  smtpc::PeerKnowledge knowledge_;
  LoginFinding finding_;
};

bool may_log_in_at(const Recommendation& choice) {
  return choice.tls != mail::TlsMode::opportunistic && !choice.mechanisms.empty();
}

Task<LoginFinding> log_in_at(const ProbeDialling& with, const Recommendation& choice,
                             mail::Credentials credentials) {
  if (!may_log_in_at(choice)) {
    const mail::Smarthost smarthost = smarthost_of(with, choice, std::move(credentials));
    co_return LoginFinding{
        smarthost.credentials->user, "",
        mail::make_failure(smarthost, mail::Stage::auth, mail::FailureKind::auth_not_offered)};
  }
  OneLogin login(with, choice, std::move(credentials));
  auto finding = co_await login.run();
  co_return finding;
}

}  // namespace

Task<ProbeResult> probe(ProbeContext context, ProbeTarget target,
                        std::optional<mail::Credentials> credentials) {
  ProbeResult result{.target = std::move(target), .records = {}, .hosts = {}, .choice = {}, .login = {}};
  if (!result.target.domain.empty()) result.records = co_await ask_about(context, result.target.domain);
  for (const auto& group : places_for(result.target, result.records)) {
    auto found = co_await look_at_all(context, group);
    for (HostFinding& host : found) result.hosts.push_back(std::move(host));
    result.choice = choose(result.target, result.hosts, context.installed);
    if (result.choice.recommended) break;
  }
  if (credentials && result.choice.recommended)
    result.login = co_await log_in_at(context.dialling, *result.choice.recommended, std::move(*credentials));
  co_return result;
}

Standpoint standpoint_of(const std::string& config_file) {
  config::Settings settings = config::understandable_settings(config_file);
  const bool is_named = config::is_full_name(settings.hostname);
  return {.hostname = is_named ? std::move(settings.hostname) : config::default_hostname(),
          .dns = settings.dns};
}

Task<ProbeResult> probe_from_here(io::Loop& loop, Standpoint here, ProbeTarget target,
                                  std::optional<mail::Credentials> credentials) {
  io::SystemResolver names(loop);
  dns::Client dns(loop, {.hostname = here.hostname});
  dns.configure(here.dns, here.hostname);
  // Our own daemon may be looked at like any other: no mail is sent that could come back.
  smtpc::SystemConnector connector(loop, names, dns.destinations(), [](const Endpoint&) { return false; });
  ProbeContext context{.dialling = {.loop = loop, .connector = connector, .ehlo_name = here.hostname},
                       .records = dns.records(),
                       .installed = smtpc::available_mechanisms()};
  auto result = co_await probe(std::move(context), std::move(target), std::move(credentials));
  co_return result;
}

}  // namespace hikyaku::checkup
