// SPDX-License-Identifier: MIT
#include "daemon/metrics/metrics.h"

#include <prometheus/histogram.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <iterator>

#include "daemon/mail/failure.h"
#include "daemon/metrics/series.h"

namespace hikyaku::metrics {
namespace {

// A relay on the same machine takes milliseconds; a mail that is tried until its lifetime ends, days.
const prometheus::Histogram::BucketBoundaries kDelays{0.01, 0.03, 0.1,   0.3,   1,      3,      10,     30,
                                                      60,   300,  1'800, 3'600, 14'400, 86'400, 432'000};
constexpr const char* kNotices[] = {"failed", "delayed", "relayed", "postmaster"};
constexpr std::string_view kVersions[] = {"1.2", "1.3", "none"};
const std::string kNoSmarthost = "none";  // no connection was made

prometheus::Counter& counter(prometheus::Registry& registry, const std::string& name,
                             const std::string& help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

// Of OpenSSL's names, which are few; "1.0" and "1.1" are there only where `tls_min_version` lets them.
std::string_view version_of(const std::optional<log::TlsInfo>& tls) {
  static constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"TLSv1.3", "1.3"}, {"TLSv1.2", "1.2"}, {"TLSv1.1", "1.1"}, {"TLSv1", "1.0"}};
  if (!tls) return "none";
  for (const auto& [name, version] : kNames)
    if (tls->version == name) return version;
  return "other";
}

// What can go wrong before a mail is under way.
bool is_of_connections(mail::FailureKind kind) {
  return kind < mail::FailureKind::sender_not_owned || kind == mail::FailureKind::other;
}

}  // namespace

struct Metrics::Series {
  prometheus::Registry registry;
  prometheus::Counter& accepted = counter(registry, "hikyaku_accepted_messages_total",
                                          "Messages that were taken and are on stable storage.");
  prometheus::Counter& accepted_bytes =
      counter(registry, "hikyaku_accepted_bytes_total", "Their size as they came.");
  prometheus::Counter& accepted_recipients =
      counter(registry, "hikyaku_accepted_recipients_total", "Their recipients.");
  prometheus::Counter& rejected = counter(registry, "hikyaku_rejected_commands_total",
                                          "Commands and messages of clients that were refused.");
  Tally delivered{registry, "hikyaku_recipients_delivered_total",
                  "Recipients whose mail a smarthost has taken."};
  Tally deferred{registry, "hikyaku_recipients_deferred_total",
                 "Attempts for a recipient that were refused for now, and will be made again."};
  Tally failed{registry, "hikyaku_recipients_failed_total", "Recipients whose mail was given up."};
  Tally connected{registry, "hikyaku_smarthost_connections_opened_total",
                  "Connections to the smarthost that were ready for mail."};
  Tally not_connected{registry, "hikyaku_smarthost_connections_failed_total",
                      "Connections to the smarthost that could not be opened, or not logged in."};
  Tally logins{registry, "hikyaku_smarthost_logins_total",
               "Log-ins at the smarthost: ok, or refused by its reply.", "result"};
  Tally tls{registry, "hikyaku_smarthost_tls_connections_total",
            "Connections that were ready for mail, by version of TLS.", "version"};
  Tally pauses{registry, "hikyaku_smarthost_pauses_total",
               "How often the smarthost began to get no mail because of an error."};
  prometheus::Family<prometheus::Counter>& notices =
      prometheus::BuildCounter()
          .Name("hikyaku_notices_total")
          .Help("Bounces (failed, and the postmaster's copies) and other notices to senders.")
          .Register(registry);
  prometheus::Histogram& delays =
      prometheus::BuildHistogram()
          .Name("hikyaku_delivery_seconds")
          .Help("The time from a message's arrival until a recipient's copy was taken.")
          .Register(registry)
          .Add({}, kDelays);
  Mutex mutex;
  Remembered remembered GUARDED_BY(mutex);

  // All that can be counted of the smarthost, at 0.
  void add(const std::string& smarthost) {
    for (Tally* tally : {&delivered, &connected, &pauses}) tally->of(smarthost);
    for (std::string_view result : {"ok", "refused"}) logins.of(smarthost, result);
    for (std::string_view version : kVersions) tls.of(smarthost, version);
    for (std::size_t i = 0; i <= static_cast<std::size_t>(mail::FailureKind::other); ++i) {
      const auto kind = static_cast<mail::FailureKind>(i);
      for (Tally* tally : {&deferred, &failed}) tally->of(smarthost, mail::to_text(kind));
      if (is_of_connections(kind)) not_connected.of(smarthost, mail::to_text(kind));
    }
  }
};

Metrics::Metrics() : series_(std::make_unique<Series>()) {
  for (const char* kind : kNotices) series_->notices.Add({{"kind", kind}});
}

Metrics::~Metrics() = default;

void Metrics::configure(const std::vector<mail::Smarthost>& smarthosts, Instant now) {
  Remembered fresh;
  Lock lock(series_->mutex);
  Remembered& before = series_->remembered;
  for (const mail::Smarthost& smarthost : smarthosts) {
    const std::string& name = smarthost.name;
    series_->add(name);
    if (!smarthost.direct) fresh.certificates[name] = before.certificates[name];
    fresh.paused[name] = before.paused[name];
    fresh.paused[name].end(now);
  }
  before = std::move(fresh);
}

void Metrics::accepted(const log::Accepted& accepted) {
  series_->accepted.Increment();
  series_->accepted_bytes.Increment(static_cast<double>(accepted.size));
  series_->accepted_recipients.Increment(static_cast<double>(accepted.to.size()));
}

void Metrics::outcome(const log::Outcome& outcome) {
  const std::string& smarthost = outcome.smarthost.empty() ? kNoSmarthost : outcome.smarthost;
  const std::string_view reason = outcome.reason.empty() ? to_text(mail::FailureKind::other) : outcome.reason;
  switch (outcome.status) {
    case log::Status::delivered:
      series_->delivered.of(smarthost).Increment();
      series_->delays.Observe(seconds_in(outcome.delay));
      break;
    case log::Status::deferred: series_->deferred.of(smarthost, reason).Increment(); break;
    case log::Status::failed: series_->failed.of(smarthost, reason).Increment(); break;
  }
  if (!outcome.tls || !outcome.tls->certificate_ends) return;
  Lock lock(series_->mutex);
  auto known = series_->remembered.certificates.find(smarthost);
  if (known != series_->remembered.certificates.end()) known->second = outcome.tls->certificate_ends;
}

void Metrics::smarthost(const log::SmarthostChange& change) {
  bool is_new = false;
  {
    Lock lock(series_->mutex);
    auto known = series_->remembered.paused.find(change.smarthost);
    if (known == series_->remembered.paused.end()) return;
    if (change.up) known->second.end(change.at);
    if (change.since) is_new = known->second.begin(*change.since);
  }
  if (is_new) series_->pauses.of(change.smarthost).Increment();
}

void Metrics::connection(const log::Connection& connection) {
  const std::string& smarthost = connection.smarthost;
  if (connection.login_refused) series_->logins.of(smarthost, "refused").Increment();
  if (!connection.reason.empty()) return series_->not_connected.of(smarthost, connection.reason).Increment();
  series_->connected.of(smarthost).Increment();
  series_->tls.of(smarthost, version_of(connection.tls)).Increment();
  if (!connection.mechanism.empty()) series_->logins.of(smarthost, "ok").Increment();
}

void Metrics::bounce(const log::Bounce& bounce) { series_->notices.Add({{"kind", bounce.kind}}).Increment(); }

void Metrics::rejected(const log::Rejected& /*rejected*/) { series_->rejected.Increment(); }

std::string Metrics::text(const Snapshot& now) const {
  Remembered remembered;
  {
    Lock lock(series_->mutex);
    remembered = series_->remembered;
  }
  std::vector<prometheus::MetricFamily> all = series_->registry.Collect();
  std::ranges::move(counts_of(now, remembered), std::back_inserter(all));
  std::ranges::move(gauges_of(now, remembered), std::back_inserter(all));
  return prometheus::TextSerializer().Serialize(all);
}

}  // namespace hikyaku::metrics
