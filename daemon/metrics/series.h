// SPDX-License-Identifier: MIT
// What Metrics is made of, with the library's types: counters by smarthost and one more label, which live as long as
// the daemon; and what is made anew for each answer: gauges, so that a smarthost that is no longer configured leaves
// none behind, and what other parts count. No other folder may include this.
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

// Prometheus's unit of time.
inline double seconds_in(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// A family of counters. Each is looked up in a map of our own: that costs a delivery less than the library's labels,
// which it makes and hashes anew each time. Counters are never taken away. Thread-safe.
class Tally {
 public:
  // `label`: the name of the second one.
  Tally(prometheus::Registry& registry, const std::string& name, const std::string& help,
        std::string label = "reason")
      : family_(prometheus::BuildCounter().Name(name).Help(help).Register(registry)),
        label_(std::move(label)) {}

  // Makes the counter, at 0, where there is none. `value` is of the second label, and lasts, as FailureKind's names
  // do. Empty: no such label.
  prometheus::Counter& of(const std::string& smarthost, std::string_view value = {}) {
    Lock lock(mutex_);
    prometheus::Counter*& counter = counters_[{smarthost, value}];
    if (counter == nullptr) counter = &family_.Add(labels(smarthost, value));
    return *counter;
  }

 private:
  prometheus::Labels labels(const std::string& smarthost, std::string_view value) const {
    prometheus::Labels labels{{"smarthost", smarthost}};
    if (!value.empty()) labels.emplace(label_, value);
    return labels;
  }

  prometheus::Family<prometheus::Counter>& family_;
  std::string label_;
  Mutex mutex_;
  std::map<std::pair<std::string, std::string_view>, prometheus::Counter*> counters_ GUARDED_BY(mutex_);
};

// By smarthost, when the certificate ends that it showed last; nullopt: none was seen yet, or it has no TLS.
using Certificates = std::map<std::string, std::optional<WallTime>>;

// How long a smarthost has been paused: not counting the time before the start, and the pause that a reload ends.
class PausedTime {
 public:
  // Whether this is another pause than the last one.
  bool begin(Instant since) {
    if (since == last_) return false;
    last_ = since_ = since;
    return true;
  }
  void end(Instant at) {
    total_ = until(at);
    since_.reset();
  }
  // A pause that began after `now` counts nothing yet.
  Duration until(Instant now) const {
    return total_ + (since_ && *since_ < now ? now - *since_ : Duration(0));
  }

 private:
  Duration total_{0};  // of the pauses that are over
  std::optional<Instant> since_;
  std::optional<Instant> last_;
};
using PausedTimes = std::map<std::string, PausedTime>;  // by smarthost

// What only Metrics remembers of smarthosts that are configured.
struct Remembered {
  Certificates certificates;  // of those that are hosts
  PausedTimes paused;
};

// A smarthost's gauge is there only where its value is known. Pure.
std::vector<prometheus::MetricFamily> gauges_of(const Snapshot& now, const Remembered& remembered);
// What other parts have counted. Pure.
std::vector<prometheus::MetricFamily> counts_of(const Snapshot& now, const Remembered& remembered);

}  // namespace hikyaku::metrics
