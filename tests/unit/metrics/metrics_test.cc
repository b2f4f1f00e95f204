// SPDX-License-Identifier: MIT
#include "daemon/metrics/metrics.h"

#include <regex>
#include <set>
#include <sstream>

#include "daemon/base/text.h"
#include "tests/unit/relay/relay_rig.h"

using namespace hikyaku;
using namespace hikyaku::metrics;
using namespace hikyaku::test;

namespace {

// A relay in simulated time whose outcomes are counted.
struct MetricsRig : RelayRig {
  Metrics metrics;

  MetricsRig() {
    settings.queue.retry.first = 1h;
    settings.smarthosts.push_back(some_smarthost("spare"));
    metrics.configure(settings.smarthosts, loop.now());
    log.observe(&metrics);
  }
  ~MetricsRig() { log.observe(nullptr); }

  std::string text(const Snapshot& now = {}) const { return metrics.text(now); }
  Snapshot snapshot() const {
    Snapshot snapshot{.status = relay->report(),
                      .spool = spool->use(),
                      .oldest = {},
                      .now = loop.clock().wall(),
                      .instant = loop.now()};
    snapshot.counts.flushes = spool->counters().flush_times;
    return snapshot;
  }
};

// The value behind a series, as written; empty: there is no such series.
std::string value_of(const std::string& text, const std::string& series) {
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(cat(series, " "))) return line.substr(series.size() + 1);
  return "";
}

std::string of(std::string_view family, std::string_view labels) {
  return cat("hikyaku_", family, "{", labels, "}");
}

mail::SmarthostReport paused_smarthost() {
  mail::SmarthostReport report;
  report.name = "main";
  report.connections = 3;
  report.next_probe = WallTime();
  report.rate_used = 0.25;
  return report;
}

log::Accepted accepted_message() {
  log::Accepted accepted;
  accepted.to = {"b@example.net", "c@example.net"};
  accepted.size = 700;
  return accepted;
}

log::Outcome outcome_after(Duration delay) {
  log::Outcome outcome;
  outcome.smarthost = "main";
  outcome.delay = delay;
  return outcome;
}

constexpr const char* kMain = "smarthost=\"main\"";

std::string failed_connections(const std::string& text, std::string_view reason) {
  return value_of(text, of("smarthost_connections_failed_total", cat("reason=\"", reason, "\",", kMain)));
}

std::string logins(const std::string& text, std::string_view result) {
  return value_of(text, of("smarthost_logins_total", cat("result=\"", result, "\",", kMain)));
}

}  // namespace

TEST_CASE("metrics: every smarthost and reason is there from the start, at 0") {
  MetricsRig rig;
  const std::string text = rig.text();
  for (const char* smarthost : {"main", "spare"}) {
    const std::string label = cat("smarthost=\"", smarthost, "\"");
    CHECK(value_of(text, of("recipients_delivered_total", label)) == "0");
    for (const char* reason : {"recipient_refused", "auth_rejected", "lookup_failed", "other"})
      for (const char* family : {"recipients_deferred_total", "recipients_failed_total"})
        CHECK(value_of(text, of(family, cat("reason=\"", reason, "\",", label))) == "0");
  }
  for (const char* version : {"1.2", "1.3", "none"})
    CHECK(value_of(text, of("smarthost_tls_connections_total",
                            cat("smarthost=\"spare\",version=\"", version, "\""))) == "0");
  for (const char* result : {"ok", "refused"})
    CHECK(value_of(text, of("smarthost_logins_total", cat("result=\"", result, "\",", kMain))) == "0");
  CHECK(value_of(text, of("smarthost_connections_opened_total", kMain)) == "0");
  CHECK(failed_connections(text, "auth_rejected") == "0");
  CHECK(failed_connections(text, "recipient_refused").empty());  // of mail, not of connections
  CHECK(value_of(text, of("smarthost_pauses_total", kMain)) == "0");
  CHECK(value_of(text, of("smarthost_paused_seconds_total", kMain)) == "0");
  CHECK(value_of(text, of("client_connections_total", "over=\"unix\"")) == "0");
  CHECK(value_of(text, "hikyaku_drops_refused_total") == "0");
  CHECK(value_of(text, "hikyaku_spool_flush_seconds_count") == "0");
  CHECK(value_of(text, of("notices_total", "kind=\"failed\"")) == "0");
  CHECK(value_of(text, "hikyaku_accepted_messages_total") == "0");
  CHECK(value_of(text, "hikyaku_delivery_seconds_count") == "0");
}

TEST_CASE("metrics: what becomes of mail is counted by recipient, smarthost and reason, and bounces are") {
  MetricsRig rig;
  rig.main().answer = [](const std::string& command) {
    if (command.starts_with("RCPT TO:<later@")) return "450 4.2.0 later";
    return command.starts_with("RCPT TO:<nobody@") ? "550 5.1.1 nobody" : "";
  };
  rig.start_relay();
  rig.send({"one@example.net", "two@example.net"});
  rig.pass();
  rig.send({"later@example.net"});
  rig.send({"nobody@example.net"});
  rig.pass();
  const std::string text = rig.text();
  // The bounce goes the same way as all mail.
  CHECK(value_of(text, of("recipients_delivered_total", kMain)) == "3");
  CHECK(value_of(text, of("recipients_deferred_total", cat("reason=\"recipient_refused\",", kMain))) == "1");
  CHECK(value_of(text, of("recipients_failed_total", cat("reason=\"recipient_refused\",", kMain))) == "1");
  CHECK(value_of(text, of("recipients_delivered_total", "smarthost=\"spare\"")) == "0");
  CHECK(value_of(text, "hikyaku_delivery_seconds_count") == "3");
  rig.pass(75min);
  CHECK(value_of(rig.text(), of("recipients_deferred_total", cat("reason=\"recipient_refused\",", kMain))) ==
        "2");
}

TEST_CASE("metrics: the log's level does not matter, and other smarthosts' counts outlive a reload") {
  MetricsRig rig;
  rig.log.configure({.level = LogLevel::error});
  rig.log.accepted(accepted_message());
  rig.log.rejected({});
  rig.log.bounce({"2", "1", "a@example.com", "delayed", 1});
  rig.log.outcome(outcome_after(2s));
  rig.metrics.configure({some_smarthost("spare"), some_smarthost("new")}, rig.loop.now());
  const std::string text = rig.text();
  CHECK(rig.lines.empty());
  CHECK(value_of(text, "hikyaku_accepted_messages_total") == "1");
  CHECK(value_of(text, "hikyaku_accepted_recipients_total") == "2");
  CHECK(value_of(text, "hikyaku_accepted_bytes_total") == "700");
  CHECK(value_of(text, "hikyaku_rejected_commands_total") == "1");
  CHECK(value_of(text, of("notices_total", "kind=\"delayed\"")) == "1");
  CHECK(value_of(text, of("recipients_delivered_total", kMain)) == "1");
  CHECK(value_of(text, of("recipients_delivered_total", "smarthost=\"new\"")) == "0");
  CHECK(value_of(text, "hikyaku_delivery_seconds_sum") == "2");
  CHECK(value_of(text, of("delivery_seconds_bucket", "le=\"1\"")) == "0");
  CHECK(value_of(text, of("delivery_seconds_bucket", "le=\"3\"")) == "1");
}

TEST_CASE("metrics: the state of queue, smarthosts and spool") {
  MetricsRig rig;
  Snapshot now;
  now.now = WallTime(std::chrono::hours(1000));
  now.oldest = now.now - 90s;
  now.status.version = "1.2";
  now.status.deferred = 5;
  now.status.uptime = 60s;
  now.status.smarthosts = {paused_smarthost()};
  now.spool.segments = 2;
  now.spool.free_bytes = 4096;
  const std::string text = rig.text(now);
  CHECK(value_of(text, of("build_info", "version=\"1.2\"")) == "1");
  CHECK(value_of(text, "hikyaku_uptime_seconds") == "60");
  CHECK(value_of(text, of("queue_mails", "state=\"deferred\"")) == "5");
  CHECK(value_of(text, of("queue_mails", "state=\"held\"")) == "0");
  CHECK(value_of(text, "hikyaku_queue_oldest_seconds") == "90");
  CHECK(value_of(text, of("smarthost_paused", kMain)) == "1");
  CHECK(value_of(text, of("smarthost_proven", kMain)) == "0");
  CHECK(value_of(text, of("smarthost_connections", kMain)) == "3");
  CHECK(value_of(text, of("smarthost_rate_used_ratio", kMain)) == "0.25");
  CHECK(value_of(text, "hikyaku_spool_segments") == "2");
  CHECK(value_of(text, "hikyaku_spool_free_bytes") == "4096");
  CHECK(value_of(text, "hikyaku_spool_failing") == "0");
  CHECK(text.find("hikyaku_fleet") == text.npos);
  now.status.fleet = mail::FleetReport{
      .nodes = {{.name = "app1", .mails = 2, .held = 1}, {.name = "app1", .free_at = now.now, .mails = 3}},
      .free = 7,
      .oldest = {}};
  const std::string shared = rig.text(now);
  CHECK(value_of(shared, of("fleet_mails", "node=\"app1\"")) == "5");
  CHECK(value_of(shared, of("fleet_held_mails", "node=\"app1\"")) == "1");
  CHECK(value_of(shared, of("fleet_node_away", "node=\"app1\"")) == "1");
  CHECK(value_of(shared, "hikyaku_fleet_free_mails") == "7");
  now.status.spool_trouble = "the disk is full";
  CHECK(value_of(rig.text(now), "hikyaku_spool_failing") == "1");
}

TEST_CASE("metrics: how long a certificate holds is known once it has been seen, of configured hosts only") {
  MetricsRig rig;
  Snapshot now;
  now.now = WallTime(std::chrono::hours(1000));
  now.status.smarthosts = {paused_smarthost()};
  const std::string series = of("smarthost_certificate_left_seconds", kMain);
  CHECK(value_of(rig.text(now), series).empty());
  log::Outcome seen = outcome_after(1s);
  seen.tls = log::TlsInfo{"TLSv1.3", "x", "verified", now.now + 3h};
  rig.log.outcome(seen);
  CHECK(value_of(rig.text(now), series) == "10800");
  rig.metrics.configure(rig.settings.smarthosts, rig.loop.now());
  CHECK(value_of(rig.text(now), series) == "10800");
  rig.settings.smarthosts[0].direct = true;  // each domain shows another one
  rig.metrics.configure(rig.settings.smarthosts, rig.loop.now());
  rig.log.outcome(seen);
  CHECK(value_of(rig.text(now), series).empty());
}

TEST_CASE("metrics: connections and log-ins are counted by what came of them") {
  MetricsRig rig;
  rig.settings.smarthosts.resize(1);
  rig.settings.smarthosts[0].credentials = some_credentials();
  rig.main().is_down = true;
  rig.start_relay();
  rig.send();
  rig.pass();
  CHECK(failed_connections(rig.text(), "refused") == "1");
  CHECK(logins(rig.text(), "refused") == "0");
  rig.main().is_down = false;
  rig.main().answer = [](const std::string& command) {
    return command.starts_with("AUTH") ? "535 5.7.8 no" : "";
  };
  rig.relay->probe_paused();
  rig.pass();
  CHECK(failed_connections(rig.text(), "auth_rejected") == "1");
  CHECK(logins(rig.text(), "refused") == "1");
  CHECK(value_of(rig.text(), of("smarthost_connections_opened_total", kMain)) == "0");
  rig.main().answer = [](const std::string&) { return ""; };
  rig.relay->probe_paused();
  rig.pass();
  const std::string text = rig.text();
  CHECK(value_of(text, of("smarthost_connections_opened_total", kMain)) == "1");
  CHECK(value_of(text, of("smarthost_tls_connections_total", cat(kMain, ",version=\"none\""))) == "1");
  CHECK(logins(text, "ok") == "1");
  CHECK(logins(text, "refused") == "1");
}

TEST_CASE("metrics: each version of TLS has its count, and log-ins that were not needed have none") {
  MetricsRig rig;
  for (const char* version : {"TLSv1.3", "TLSv1.3", "TLSv1.2", "TLSv1", "TLSv9"})
    rig.log.connection({"main", {}, log::TlsInfo{version, "x", "verified"}, ""});
  const std::string text = rig.text();
  auto count = [&](std::string_view version) {
    return value_of(text, of("smarthost_tls_connections_total", cat(kMain, ",version=\"", version, "\"")));
  };
  CHECK(count("1.3") == "2");
  CHECK(count("1.2") == "1");
  CHECK(count("1.0") == "1");
  CHECK(count("other") == "1");
  CHECK(logins(text, "ok") == "0");
}

TEST_CASE("metrics: a pause is counted once, however often the log tells of it, and so is its time") {
  MetricsRig rig;
  rig.settings.smarthosts.resize(1);
  rig.main().is_down = true;
  rig.start_relay();
  rig.send();
  auto pauses = [&] { return value_of(rig.text(), of("smarthost_pauses_total", kMain)); };
  auto seconds = [&] {
    return std::stod(value_of(rig.text(rig.snapshot()), of("smarthost_paused_seconds_total", kMain)));
  };
  rig.pass(30h);  // long enough for a reminder
  CHECK(rig.lines_with("smarthost paused") >= 2);
  CHECK(pauses() == "1");
  CHECK(seconds() == doctest::Approx(30 * 3600).epsilon(0.001));
  rig.main().is_down = false;
  rig.relay->probe_paused();
  rig.pass();
  const double before = seconds();
  rig.pass(1h);
  CHECK(seconds() == before);
  rig.main().is_down = true;
  rig.send();
  rig.pass(1h);
  CHECK(pauses() == "2");
  CHECK(seconds() == doctest::Approx(before + 3600).epsilon(0.001));
  rig.main().is_down = false;
  rig.reload();
  rig.metrics.configure(rig.settings.smarthosts, rig.loop.now());
  const double after = seconds();
  rig.pass(1h);
  CHECK(seconds() == after);
  CHECK(pauses() == "2");
}

TEST_CASE("metrics: flushes are told as Prometheus wants histograms, each bucket with the smaller ones") {
  MetricsRig rig;
  Snapshot now;
  for (Duration took : {Duration(40us), Duration(100us), Duration(3ms), Duration(7s)})
    now.counts.flushes.add(took);
  const std::string text = rig.text(now);
  auto up_to = [&](std::string_view bound) {
    return value_of(text, of("spool_flush_seconds_bucket", cat("le=\"", bound, "\"")));
  };
  CHECK(up_to("0.0001") == "2");
  CHECK(up_to("0.002") == "2");
  CHECK(up_to("0.005") == "3");
  CHECK(up_to("5") == "3");
  CHECK(up_to("+Inf") == "4");
  CHECK(value_of(text, "hikyaku_spool_flush_seconds_count") == "4");
  CHECK(std::stod(value_of(text, "hikyaku_spool_flush_seconds_sum")) == doctest::Approx(7.00314));
}

TEST_CASE("metrics: clients and drops are told as their parts have counted them") {
  MetricsRig rig;
  Snapshot now;
  now.counts = {.flushes = {},
                .over_tcp = {2, 40},
                .local = {1, 7},
                .turned_away = 3,
                .drops_waiting = 5,
                .drops_taken = 11,
                .drops_refused = 1};
  const std::string text = rig.text(now);
  CHECK(value_of(text, of("client_connections", "over=\"tcp\"")) == "2");
  CHECK(value_of(text, of("client_connections", "over=\"unix\"")) == "1");
  CHECK(value_of(text, of("client_connections_total", "over=\"tcp\"")) == "40");
  CHECK(value_of(text, of("client_connections_total", "over=\"unix\"")) == "7");
  CHECK(value_of(text, "hikyaku_client_connections_refused_total") == "3");
  CHECK(value_of(text, "hikyaku_drops_waiting") == "5");
  CHECK(value_of(text, "hikyaku_drops_taken_total") == "11");
  CHECK(value_of(text, "hikyaku_drops_refused_total") == "1");
}

TEST_CASE("metrics: the relay and the spool tell how much they have") {
  MetricsRig rig;
  rig.settings.smarthosts.resize(1);
  rig.settings.smarthosts[0].rates = {mail::Rate{.count = 4, .unit = mail::RateUnit::day}};
  rig.start_relay();
  rig.send();
  rig.pass();
  rig.main().answer = [](const std::string& command) {
    return command.starts_with("RCPT") ? "450 4.2.0 no" : "";
  };
  const mail::MailId waits = rig.send();
  rig.pass();
  const Snapshot now = rig.snapshot();
  CHECK(now.spool.oldest == waits);
  CHECK(now.spool.live_bytes > 0);
  CHECK(now.spool.bytes >= now.spool.live_bytes);
  CHECK(now.spool.segments >= 1);
  CHECK(now.spool.free_bytes > 0);
  const std::string text = rig.text(now);
  CHECK(value_of(text, of("smarthost_rate_used_ratio", kMain)) == "0.5");
  CHECK(value_of(text, of("smarthost_proven", kMain)) == "1");
  CHECK(value_of(text, "hikyaku_spool_flush_seconds_count") == std::to_string(rig.spool->counters().flushes));
  CHECK(rig.spool->counters().flushes > 3);
  CHECK(value_of(text, of("queue_mails", "state=\"deferred\"")) == "1");
}

// The grammar of Prometheus's text format, as far as we use it: each family is told once, with its type, before its
// series, and no series comes twice.
TEST_CASE("metrics: the text is what Prometheus reads, and names nobody") {
  MetricsRig rig;
  rig.start_relay();
  rig.send({"secret.person@example.net"}, "other.person@example.com");
  rig.pass();
  const std::regex series(
      R"re((hikyaku_[a-z_]+)(\{[a-z]+="[^"\\]*"(,[a-z]+="[^"\\]*")*\})? ([0-9.e+-]+|\+Inf))re");
  const std::regex type(R"(# TYPE (hikyaku_[a-z_]+) (counter|gauge|histogram))");
  std::set<std::string> told;
  std::set<std::string> all;
  const std::string text = rig.text(rig.snapshot());
  std::istringstream in(text);
  std::string family;
  for (std::string line; std::getline(in, line);) {
    CAPTURE(line);
    std::smatch found;
    if (line.starts_with("# HELP ")) continue;
    if (line.starts_with("# ")) {
      REQUIRE(std::regex_match(line, found, type));
      family = found[1];
      CHECK(told.insert(family).second);
      if (found[2] == "counter") CHECK(family.ends_with("_total"));
      continue;
    }
    REQUIRE(std::regex_match(line, found, series));
    CHECK(found[1].str().starts_with(family));
    CHECK(all.insert(cat(found[1].str(), found[2].str())).second);
  }
  CHECK(told.size() > 20);
  CHECK(text.ends_with("\n"));
  CHECK(text.find("person") == std::string::npos);
}
