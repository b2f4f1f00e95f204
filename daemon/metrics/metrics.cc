// SPDX-License-Identifier: MIT
#include "daemon/metrics/metrics.h"

#include <prometheus/histogram.h>
#include <prometheus/text_serializer.h>

#include "daemon/mail/failure.h"
#include "daemon/metrics/series.h"

namespace hikyaku::metrics {
namespace {

// A relay on the same machine takes milliseconds; a mail that is tried until its lifetime ends, days.
const prometheus::Histogram::BucketBoundaries kDelays{0.01, 0.03, 0.1,   0.3,   1,      3,      10,     30,
                                                      60,   300,  1'800, 3'600, 14'400, 86'400, 432'000};
constexpr const char* kNotices[] = {"failed", "delayed", "relayed", "postmaster"};
const std::string kNoSmarthost = "none";  // no connection was made

prometheus::Counter& counter(prometheus::Registry& registry, const std::string& name,
                             const std::string& help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

double seconds_in(Duration duration) { return std::chrono::duration<double>(duration).count(); }

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
  // Of the configured smarthosts that are hosts; nullopt until a certificate has been seen.
  Certificates certificates GUARDED_BY(mutex);
};

Metrics::Metrics() : series_(std::make_unique<Series>()) {
  for (const char* kind : kNotices) series_->notices.Add({{"kind", kind}});
}

Metrics::~Metrics() = default;

void Metrics::configure(const std::vector<mail::Smarthost>& smarthosts) {
  for (const mail::Smarthost& smarthost : smarthosts) {
    series_->delivered.of(smarthost.name);
    for (std::size_t kind = 0; kind <= static_cast<std::size_t>(mail::FailureKind::other); ++kind) {
      const std::string_view reason = mail::to_text(static_cast<mail::FailureKind>(kind));
      series_->deferred.of(smarthost.name, reason);
      series_->failed.of(smarthost.name, reason);
    }
  }
  Certificates certificates;
  Lock lock(series_->mutex);
  for (const mail::Smarthost& smarthost : smarthosts)
    if (!smarthost.direct) certificates[smarthost.name] = series_->certificates[smarthost.name];
  series_->certificates = std::move(certificates);
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
  auto known = series_->certificates.find(smarthost);
  if (known != series_->certificates.end()) known->second = outcome.tls->certificate_ends;
}

void Metrics::bounce(const log::Bounce& bounce) { series_->notices.Add({{"kind", bounce.kind}}).Increment(); }

void Metrics::rejected(const log::Rejected& /*rejected*/) { series_->rejected.Increment(); }

std::string Metrics::text(const Snapshot& now) const {
  Certificates certificates;
  {
    Lock lock(series_->mutex);
    certificates = series_->certificates;
  }
  std::vector<prometheus::MetricFamily> all = series_->registry.Collect();
  for (prometheus::MetricFamily& gauge : gauges_of(now, certificates)) all.push_back(std::move(gauge));
  return prometheus::TextSerializer().Serialize(all);
}

}  // namespace hikyaku::metrics
