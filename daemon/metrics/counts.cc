// SPDX-License-Identifier: MIT
// What the spool, the SMTP server and the pickup have counted themselves: they add to plain numbers on the loop's
// thread, which costs a mail nothing, and the families are made when somebody asks.
#include <limits>
#include <utility>

#include "daemon/metrics/series.h"

namespace hikyaku::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

ClientMetric counted(double value, std::vector<ClientMetric::Label> labels = {}) {
  ClientMetric metric;
  metric.counter.value = value;
  metric.label = std::move(labels);
  return metric;
}

MetricFamily counter(std::string name, std::string help, std::vector<ClientMetric> metrics) {
  return {std::move(name), std::move(help), MetricType::Counter, std::move(metrics)};
}

MetricFamily counter(std::string name, std::string help, std::uint64_t value) {
  return counter(std::move(name), std::move(help), {counted(static_cast<double>(value))});
}

// Prometheus's buckets hold what the smaller ones hold, too.
MetricFamily flushes(const spool::FlushTimes& times) {
  ClientMetric metric;
  std::uint64_t up_to_here = 0;
  for (std::size_t i = 0; i < times.counts.size(); ++i) {
    up_to_here += times.counts[i];
    const bool is_last = i == times.kBounds.size();
    const double bound = is_last ? std::numeric_limits<double>::infinity() : seconds_in(times.kBounds[i]);
    metric.histogram.bucket.push_back({up_to_here, bound});
  }
  metric.histogram.sample_count = up_to_here;
  metric.histogram.sample_sum = seconds_in(times.sum);
  return {"hikyaku_spool_flush_seconds",
          "How long the spool took to write a batch of records and have the disk keep it.",
          MetricType::Histogram,
          {std::move(metric)}};
}

MetricFamily paused_time(const Snapshot& now, const PausedTimes& paused) {
  std::vector<ClientMetric> metrics;
  for (const auto& [name, time] : paused)
    metrics.push_back(counted(seconds_in(time.until(now.instant)), {{"smarthost", name}}));
  return counter("hikyaku_smarthost_paused_seconds_total",
                 "How long the smarthost has got no mail because of an error.", std::move(metrics));
}

}  // namespace

std::vector<MetricFamily> counts_of(const Snapshot& now, const Remembered& remembered) {
  const Counts& counts = now.counts;
  auto over = [](const char* name, std::uint64_t sessions) {
    return counted(static_cast<double>(sessions), {{"over", name}});
  };
  return {
      flushes(counts.flushes),
      paused_time(now, remembered.paused),
      counter("hikyaku_client_connections_total", "Connections of clients that were served.",
              {over("tcp", counts.over_tcp.begun), over("unix", counts.local.begun)}),
      counter("hikyaku_client_connections_refused_total",
              "Connections of clients that may not send, or came when there were too many.",
              counts.turned_away),
      counter("hikyaku_drops_taken_total", "Files of sendmail that have become mail.", counts.drops_taken),
      counter("hikyaku_drops_refused_total", "Files of sendmail that could not become mail.",
              counts.drops_refused)};
}

}  // namespace hikyaku::metrics
