// SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>
#include <utility>

#include "daemon/metrics/series.h"

namespace hikyaku::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;

ClientMetric valued(double value, std::vector<ClientMetric::Label> labels = {}) {
  ClientMetric metric;
  metric.gauge.value = value;
  metric.label = std::move(labels);
  return metric;
}

MetricFamily gauge(std::string name, std::string help, std::vector<ClientMetric> metrics) {
  return {std::move(name), std::move(help), prometheus::MetricType::Gauge, std::move(metrics)};
}

MetricFamily gauge(std::string name, std::string help, std::uint64_t value) {
  return gauge(std::move(name), std::move(help), {valued(static_cast<double>(value))});
}

template <class Value>
MetricFamily by_smarthost(std::string name, std::string help, const relay::StatusReport& status,
                          Value value_of) {
  std::vector<ClientMetric> metrics;
  for (const mail::SmarthostReport& smarthost : status.smarthosts)
    if (std::optional<double> value = value_of(smarthost))
      metrics.push_back(valued(*value, {{"smarthost", smarthost.name}}));
  return gauge(std::move(name), std::move(help), std::move(metrics));
}

void add_queue(const Snapshot& now, std::vector<MetricFamily>& all) {
  const relay::StatusReport& status = now.status;
  auto state = [](const char* name, std::size_t mails) {
    return valued(static_cast<double>(mails), {{"state", name}});
  };
  all.push_back(gauge(
      "hikyaku_queue_mails", "Queued mails by state.",
      {state("active", status.active), state("deferred", status.deferred), state("held", status.held)}));
  const Duration age = now.oldest ? std::max(now.now - *now.oldest, Duration(0)) : Duration(0);
  all.push_back(gauge("hikyaku_queue_oldest_seconds",
                      "The age of the oldest queued mail; 0: the queue is empty.",
                      {valued(seconds_in(age))}));
}

// Nodes may have the same name; then they are told as one.
void add_fleet(const relay::StatusReport& status, std::vector<MetricFamily>& all) {
  if (!status.fleet) return;
  struct Sum {
    std::size_t mails = 0, held = 0;
    bool is_away = false;
  };
  std::map<std::string, Sum> nodes;
  for (const mail::NodeReport& node : status.fleet->nodes) {
    Sum& sum = nodes[node.name];
    sum = {sum.mails + node.mails, sum.held + node.held, sum.is_away || node.is_away()};
  }
  std::vector<ClientMetric> mails, held, away;
  for (const auto& [name, sum] : nodes) {
    mails.push_back(valued(static_cast<double>(sum.mails), {{"node", name}}));
    held.push_back(valued(static_cast<double>(sum.held), {{"node", name}}));
    away.push_back(valued(sum.is_away ? 1 : 0, {{"node", name}}));
  }
  all.push_back(gauge("hikyaku_fleet_mails",
                      "Mails of a shared spool that the node has; at most 100000 are counted.",
                      std::move(mails)));
  all.push_back(
      gauge("hikyaku_fleet_held_mails", "Held mails of a shared spool that the node has.", std::move(held)));
  all.push_back(gauge("hikyaku_fleet_node_away",
                      "1 while the node of a shared spool has not been heard of in time.", std::move(away)));
  all.push_back(gauge("hikyaku_fleet_free_mails",
                      "Mails of a shared spool that no node has; above 100000, about.",
                      std::uint64_t{status.fleet->free}));
}

void add_smarthosts(const relay::StatusReport& status, std::vector<MetricFamily>& all) {
  all.push_back(by_smarthost("hikyaku_smarthost_connections", "Connections to the smarthost.", status,
                             [](const auto& it) -> std::optional<double> { return it.connections; }));
  all.push_back(by_smarthost("hikyaku_smarthost_paused",
                             "1 while the smarthost gets no mail because of an error.", status,
                             [](const auto& it) -> std::optional<double> { return it.is_paused(); }));
  all.push_back(by_smarthost("hikyaku_smarthost_proven",
                             "1 once the smarthost has accepted a message with the present settings.", status,
                             [](const auto& it) -> std::optional<double> { return it.is_proven; }));
  all.push_back(by_smarthost("hikyaku_smarthost_rate_used_ratio",
                             "How much of `rate` is used up, of the quota that has the least left.", status,
                             [](const auto& it) { return it.rate_used; }));
}

void add_oauth(const Snapshot& now, std::vector<MetricFamily>& all) {
  all.push_back(
      by_smarthost("hikyaku_smarthost_oauth_refused",
                   "1 while no time will give a newer OAuth2 token: somebody has to consent, or correct.",
                   now.status, [](const auto& it) -> std::optional<double> {
                     return it.oauth ? std::optional<double>(it.oauth->needs_operator) : std::nullopt;
                   }));
  all.push_back(by_smarthost("hikyaku_smarthost_oauth_token_left_seconds",
                             "How long the OAuth2 access token still holds; negative: it has expired.",
                             now.status, [&](const auto& it) -> std::optional<double> {
                               if (!it.oauth || !it.oauth->expires) return std::nullopt;
                               return seconds_in(*it.oauth->expires - now.now);
                             }));
}

void add_certificates(const Snapshot& now, const Certificates& certificates, std::vector<MetricFamily>& all) {
  auto left = [&](const mail::SmarthostReport& smarthost) -> std::optional<double> {
    auto known = certificates.find(smarthost.name);
    if (known == certificates.end() || !known->second) return std::nullopt;
    return seconds_in(*known->second - now.now);
  };
  all.push_back(by_smarthost("hikyaku_smarthost_certificate_left_seconds",
                             "How long the certificate still holds that the smarthost showed last.",
                             now.status, left));
}

void add_spool(const Snapshot& now, std::vector<MetricFamily>& all) {
  const spool::SpoolUse& use = now.spool;
  all.push_back(gauge("hikyaku_spool_failing", "1 while the spool takes no new mail.",
                      std::uint64_t{!now.status.spool_trouble.empty()}));
  all.push_back(gauge("hikyaku_spool_segments", "The spool's segments that are in use.", use.segments));
  all.push_back(gauge("hikyaku_spool_bytes", "The size of the spool's segments.", use.bytes));
  all.push_back(gauge("hikyaku_spool_live_bytes", "What queued mail takes up of them.", use.live_bytes));
  all.push_back(gauge("hikyaku_spool_free_bytes", "Free space of the spool's disk.", use.free_bytes));
  all.push_back(gauge("hikyaku_memory_budget_used_bytes", "What is used of `memory`.", use.memory));
  all.push_back(gauge("hikyaku_memory_budget_bytes", "The configured `memory`.", use.memory_limit));
}

void add_clients(const Counts& counts, std::vector<MetricFamily>& all) {
  auto over = [](const char* name, std::uint64_t sessions) {
    return valued(static_cast<double>(sessions), {{"over", name}});
  };
  all.push_back(gauge("hikyaku_client_connections", "Clients that are connected.",
                      {over("tcp", counts.over_tcp.now), over("unix", counts.local.now)}));
  all.push_back(gauge("hikyaku_drops_waiting", "Mails that sendmail left as files and that wait to be taken.",
                      counts.drops_waiting));
}

}  // namespace

std::vector<MetricFamily> gauges_of(const Snapshot& now, const Remembered& remembered) {
  std::vector<MetricFamily> all;
  all.push_back(gauge("hikyaku_build_info", "1; the label has the version.",
                      {valued(1, {{"version", now.status.version}})}));
  all.push_back(gauge("hikyaku_uptime_seconds", "The time since the daemon's start.",
                      {valued(seconds_in(now.status.uptime))}));
  add_queue(now, all);
  add_fleet(now.status, all);
  add_smarthosts(now.status, all);
  add_oauth(now, all);
  add_certificates(now, remembered.certificates, all);
  add_spool(now, all);
  add_clients(now.counts, all);
  std::erase_if(all, [](const MetricFamily& family) { return family.metric.empty(); });
  return all;
}

}  // namespace hikyaku::metrics
