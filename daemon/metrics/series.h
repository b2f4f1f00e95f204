// SPDX-License-Identifier: MIT
// What Metrics is made of, with the library's types: counters by smarthost and reason, which live as long as the
// daemon, and gauges, which are made anew for each answer, so that a smarthost that is no longer configured leaves
// none behind. No other folder may include this.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/mutex.h"
#include "daemon/metrics/metrics.h"

namespace hikyaku::metrics {

// A family of counters. Each is looked up in a map of our own: that costs a delivery less than the library's labels,
// which it makes and hashes anew each time. Counters are never taken away. Thread-safe.
class Tally {
 public:
  Tally(prometheus::Registry& registry, const std::string& name, const std::string& help)
      : family_(prometheus::BuildCounter().Name(name).Help(help).Register(registry)) {}

  // Makes the counter, at 0, where there is none. `reason` is a name that lasts: FailureKind's. Empty: no such label.
  prometheus::Counter& of(const std::string& smarthost, std::string_view reason = {}) {
    Lock lock(mutex_);
    prometheus::Counter*& counter = counters_[{smarthost, reason}];
    if (counter == nullptr) counter = &family_.Add(labels(smarthost, reason));
    return *counter;
  }

 private:
  static prometheus::Labels labels(const std::string& smarthost, std::string_view reason) {
    prometheus::Labels labels{{"smarthost", smarthost}};
    if (!reason.empty()) labels.emplace("reason", reason);
    return labels;
  }

  prometheus::Family<prometheus::Counter>& family_;
  Mutex mutex_;
  std::map<std::pair<std::string, std::string_view>, prometheus::Counter*> counters_ GUARDED_BY(mutex_);
};

// By smarthost, when the certificate ends that it showed last; nullopt: none was seen yet, or it has no TLS.
using Certificates = std::map<std::string, std::optional<WallTime>>;

// A smarthost's gauge is there only where its value is known. Pure.
std::vector<prometheus::MetricFamily> gauges_of(const Snapshot& now, const Certificates& certificates);

}  // namespace hikyaku::metrics
