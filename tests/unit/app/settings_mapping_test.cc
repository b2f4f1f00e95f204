// SPDX-License-Identifier: MIT
#include "daemon/app/settings_mapping.h"

#include <doctest/doctest.h>

#include "daemon/app/sendmail_services.h"
#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/config/load.h"
#include "daemon/config/route_keys.h"
#include "daemon/relay/bouncer.h"
#include "daemon/relay/settlement.h"

using namespace hikyaku;
using namespace hikyaku::app;

namespace {

struct NoTls final : io::TlsServer {
  Task<Result<io::StreamPtr, IoError>> accept(io::StreamPtr, io::Until) override {
    co_return fail(IoErrorKind::tls_failed, "none");
  }
};

// A key of the schema, and a value that is not its default.
struct Changed {
  const char* key;
  const char* value;  // empty: no version has this key yet
};
constexpr Changed kChanged[] = {
    {"hostname", "other.example.com"},
    {"domain", "other.example.net"},
    {"node", "left"},
    {"listen", "[\"127.0.0.1:2525\"]"},
    {"allow", "[\"192.0.2.0/24\"]"},
    {"user", "relay"},
    {"authinfo", "/srv/authinfo"},
    {"authinfo_mode", "any"},
    {"oauth_directory", "/srv/oauth"},
    {"aliases", "/srv/aliases"},
    {"local_mail", "ops@example.net"},
    {"senders", "[\"*@example.net\"]"},
    {"masquerade", "[app1.example.com]"},
    {"copy_to", "archive@example.net"},
    {"runtime_directory", "/srv/run"},
    {"shutdown_grace", "11s"},
    {"from", "me@example.org"},
    {"smarthost", "smtps://other.example.com"},
    {"smarthosts", "[smtps://other.example.com]"},
    {"routes", "[{from: '*@a.example', via: [smtp.example.com]}, {via: [smtp.example.com]}]"},
    {"message.max_size", "1MiB"},
    {"message.max_recipients", "7"},
    {"message.max_hops", "7"},
    {"spool.directory", "/srv/spool"},
    {"spool.min_free", "1MiB"},
    {"spool.segment_size", "1MiB"},
    {"spool.url", "postgresql://db/mail"},
    {"spool.lease", "7s"},
    {"spool.takeover", "7s"},
    {"memory", "1MiB"},
    {"limits.connections", "7"},
    {"limits.per_client", "7"},
    {"submit.trusted", "[www-data]"},
    {"submit.others", "rewrite"},
    {"queue.lifetime", "1h"},
    {"queue.retry.first", "1s"},
    {"queue.retry.factor", "3"},
    {"queue.retry.max", "2h"},
    {"queue.delay_notice", "1h"},
    {"queue.bounce.postmaster", "postmaster@example.com"},
    {"queue.bounce.return", "full"},
    {"control.group", "staff"},
    {"log.level", "debug"},
    {"log.format", "json"},
    {"log.addresses", "masked"},
    {"dkim.directory", "/srv/dkim"},
    {"dkim.headers", "[From]"},
    {"dns", "192.0.2.53"},
    {"metrics", "127.0.0.1:9725"},
};

// "queue.retry.first", "1s": "queue: {retry: {first: 1s}}".
std::string as_yaml(std::string_view key, std::string_view value) {
  const std::size_t dot = key.find('.');
  if (dot == std::string_view::npos) return cat(key, ": ", value);
  return cat(key.substr(0, dot), ": {", as_yaml(key.substr(dot + 1), value), "}");
}

Result<config::Settings, config::Problems> settings_with(std::string_view line) {
  std::string text = cat(line, "\n");
  if (!line.starts_with("smarthost")) text += "smarthost: smtps://smtp.example.com\n";
  return config::load_text(text, "hikyaku.yaml", {"app1.example.com"});
}

// What the parts of a running daemon get of its settings: Reloader::configure_parts(), Relay::configure(),
// and what is read at each reload or at the stop.
struct HandedOn {
  std::vector<std::string> values;

  template <class T>
  void add(const T& value) {
    values.push_back(to_json(value));
  }
  void add(Duration value) { add(value.count()); }
  void add(double value) { values.push_back(std::to_string(value)); }

  explicit HandedOn(const config::Settings& settings) {
    add_server_side(settings);
    add_queue(settings);
    add(sendmail_conf(settings, std::nullopt));
    for (const std::string& name : settings.submit.trusted) add(name);
    add(static_cast<int>(settings.submit.others));
    add(settings.control.group);
    add(static_cast<int>(log_options(settings).level));
    add(static_cast<int>(log_options(settings).format));
    add(static_cast<int>(log_options(settings).addresses));
    add(recipient_rules(settings).domain);
    add(recipient_rules(settings).hostname);
    add(recipient_rules(settings).local_mail);
    add(recipient_rules(settings).copy_to);
    add(settings.authinfo.path);
    add(static_cast<int>(settings.authinfo.mode));
    add(settings.aliases.path);
    add(settings.dkim.directory);
    for (const std::string& name : settings.dkim.headers) add(name);
    add(settings.shutdown_grace);
    add(settings.dns ? settings.dns->to_text() : "");
  }
  void add_server_side(const config::Settings& settings) {
    auto acceptor = acceptor_options(settings, "token");
    auto pickup = pickup_options(settings, acceptor.session);
    add(pickup.session->hostname);
    add(pickup.session->domain);
    add(to_text(pickup.session->senders));
    for (const std::string& host : pickup.session->masquerade.hosts)
      add(cat(host, " ", pickup.session->masquerade.domain));
    add(pickup.session->limits.max_size);
    add(pickup.session->limits.max_recipients);
    add(pickup.session->limits.max_hops);
    add(acceptor.policy.connections);
    add(acceptor.policy.per_client);
    for (const Network& network : acceptor.policy.allow) add(network.to_text());
    for (const Network& network : pickup.session->peers) add(network.to_text());
  }
  void add_queue(const config::Settings& settings) {
    auto settlement = relay::settlement_policy(settings.queue);
    auto bounce = relay::bounce_policy(settings);
    add(settlement.lifetime);
    add(settlement.delay_notice);
    add(settlement.retry.first);
    add(settlement.retry.factor);
    add(settlement.retry.max);
    add(bounce.hostname);
    add(bounce.domain);
    add(bounce.full);
    add(bounce.postmaster);
    for (const config::RouteSettings& route : config::routes_of(settings))
      add(cat(mail::to_text(route.from), " ", mail::to_text(route.to), " ", route.via.front().front()));
    for (const mail::Smarthost& smarthost : settings.smarthosts) {
      add(smarthost.host);
      add(mail::fingerprint(smarthost.rewrite));
    }
  }
};

}  // namespace

TEST_CASE("app: a reload keeps what only a restart changes, and names it") {
  config::Settings running;
  running.listen = {{Endpoint::parse("127.0.0.1:25").value()}, true};
  running.spool.directory = "/var/spool/here";
  config::Settings fresh = running;
  fresh.listen = {{Endpoint::parse("127.0.0.1:26").value()}, true};
  fresh.user = "relay";
  fresh.runtime_directory = "/run/there";
  fresh.spool = {.directory = "/var/spool/there", .min_free = 1_MiB, .segment_size = 1_MiB};
  fresh.memory = 1_MiB;
  fresh.metrics = Endpoint::parse("127.0.0.1:9725");
  fresh.hostname = "new.example.com";
  auto kept = keep_until_restart(running, fresh);
  CHECK(kept == std::vector<std::string>{"listen", "user", "runtime_directory", "spool.directory",
                                         "spool.segment_size", "spool.min_free", "memory", "metrics"});
  CHECK(fresh.hostname == "new.example.com");
  fresh.hostname.clear();
  CHECK(fresh == running);
}

TEST_CASE("app: a reload of what can be changed names nothing") {
  config::Settings running;
  config::Settings fresh;
  fresh.queue.lifetime = 1h;
  fresh.limits.connections = 7;
  CHECK(keep_until_restart(running, fresh).empty());
  CHECK(fresh.limits.connections == 7);
}

TEST_CASE("app: the server side gets the configuration's names and limits") {
  config::Settings settings;
  settings.hostname = "app1.example.com";
  settings.domain = "example.com";
  settings.message = {.max_size = 2_MiB, .max_recipients = 3, .max_hops = 4};
  settings.limits = {.connections = 5, .per_client = 6};
  settings.allow = {Network::parse("192.0.2.0/24").value()};
  settings.peers = {Network::parse("192.0.2.2").value()};
  auto options = acceptor_options(settings, "token");
  CHECK(options.session->hostname == "app1.example.com");
  CHECK(options.session->domain == "example.com");
  CHECK(options.session->token == "token");
  CHECK(options.session->limits.max_size == (2_MiB).bytes);
  CHECK(options.session->limits.max_recipients == 3);
  CHECK(options.session->limits.max_hops == 4);
  CHECK(options.policy.connections == 5);
  CHECK(options.policy.per_client == 6);
  CHECK(options.policy.allow == settings.allow);
  CHECK(options.session->peers == settings.peers);
  CHECK(options.session->starttls == nullptr);
  CHECK_FALSE(options.session->auth);
}

TEST_CASE("app: a door is the usual session with what the door offers beside") {
  config::Settings settings;
  settings.hostname = "app1.example.com";
  const Endpoint plain = Endpoint::parse("127.0.0.1:25").value();
  const Endpoint one = Endpoint::parse("127.0.0.1:587").value();
  const Endpoint other = Endpoint::parse("127.0.0.1:465").value();
  settings.listen = {{plain, one, other}, true, {{.at = one, .tls = mail::TlsMode::starttls}, {.at = other}}};
  settings.listen.doors[1].tls = mail::TlsMode::implicit;
  settings.listen.doors[1].takes_any_login = true;
  const DoorTls tls = {std::make_shared<NoTls>(), std::make_shared<NoTls>()};
  const auto options = acceptor_options(settings, "token", nullptr, tls);
  REQUIRE(options.doors.size() == 2);
  CHECK(options.doors[0].at == one);
  CHECK(options.doors[0].session->hostname == "app1.example.com");
  CHECK(options.doors[0].session->starttls == tls[0]);
  CHECK(options.doors[0].implicit_tls == nullptr);
  CHECK_FALSE(options.doors[0].session->auth);
  CHECK(options.doors[1].session->starttls == nullptr);
  CHECK(options.doors[1].implicit_tls == tls[1]);
  REQUIRE(options.doors[1].session->auth);
  CHECK(options.doors[1].session->auth->takes_any);
  CHECK(options.doors[1].session->auth->needs_tls);
  CHECK(options.doors[1].session->auth->mechanisms == std::vector<std::string>{"PLAIN", "LOGIN"});
  CHECK_FALSE(options.session->auth);
  CHECK(options.session->starttls == nullptr);
}

TEST_CASE("app: doors follow a reload where the addresses are the same") {
  config::Settings running;
  running.listen = {{Endpoint::parse("127.0.0.1:25").value()}, true};
  config::Settings fresh = running;
  fresh.listen.doors.push_back({.at = fresh.listen.endpoints[0], .takes_any_login = true});
  CHECK(keep_until_restart(running, fresh).empty());
  CHECK(fresh.listen.doors.size() == 1);
  fresh.listen.endpoints.push_back(Endpoint::parse("127.0.0.1:26").value());
  CHECK(keep_until_restart(running, fresh) == std::vector<std::string>{"listen"});
  CHECK(fresh.listen == running.listen);
}

TEST_CASE("app: the spool gets its sizes") {
  config::Settings settings;
  settings.spool = {.directory = "", .min_free = 3_MiB, .segment_size = 1_MiB};
  settings.memory = 9_MiB;
  auto options = spool_options(settings);
  CHECK(options.min_free == 3_MiB);
  CHECK(options.segment_size == 1_MiB);
  CHECK(options.memory == 9_MiB);
}

TEST_CASE(
    "app: a reload hands each key of the configuration on, or names the key as one that needs a restart") {
  std::vector<std::string> keys;
  for (const Changed& changed : kChanged) keys.emplace_back(changed.key);
  CHECK(keys == config::setting_keys());  // a new key needs a value above, and then a way to its part
  auto running = settings_with("");
  REQUIRE(running);
  for (const Changed& changed : kChanged) {
    CAPTURE(std::string(changed.key));
    auto fresh = settings_with(as_yaml(changed.key, *changed.value == '\0' ? "x" : changed.value));
    CHECK(fresh.has_value() == (*changed.value != '\0'));
    if (!fresh) continue;
    CHECK(*fresh != *running);
    auto kept = keep_until_restart(*running, *fresh);
    if (kept.empty())
      CHECK_MESSAGE(HandedOn(*fresh).values != HandedOn(*running).values, "no part gets the new value");
    else
      CHECK((kept == std::vector<std::string>{changed.key} && *fresh == *running));
  }
}
