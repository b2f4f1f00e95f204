// SPDX-License-Identifier: MIT
#include "daemon/listing/queue_overview.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "daemon/base/bytes.h"
#include "daemon/base/columns.h"
#include "daemon/base/text.h"
#include "daemon/listing/queue_listing.h"

namespace hikyaku::listing {
namespace {

constexpr std::size_t kRows = 5;         // oldest ones, and as many newest
constexpr std::size_t kMostCauses = 20;  // further reasons share one line
constexpr std::size_t kLongestCause = 4096;
constexpr std::string_view kOtherReasons = "further reasons: `hikyaku queue --all` has each";

std::string counted(std::size_t count, std::string_view what) {
  return cat(std::to_string(count), " ", what, count == 1 ? "" : "s");
}

// "284", "1.6K", "12M".
std::string short_size(std::uint64_t bytes) {
  constexpr std::array kUnits = {"", "K", "M", "G"};
  std::size_t unit = 0;
  double value = static_cast<double>(bytes);
  for (; value >= 1000 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  char text[32];
  const int length =
      std::snprintf(text, sizeof text, unit > 0 && value < 10 ? "%.1f%s" : "%.0f%s", value, kUnits[unit]);
  return {text, static_cast<std::size_t>(length)};
}

std::string line_of(const std::array<std::string, 6>& columns, std::optional<std::size_t> width) {
  const std::string line =
      cat(left_aligned(columns[0], 14), left_aligned(columns[1], 8), left_aligned(columns[2], 13),
          right_aligned(columns[3], 6), " ", right_aligned(columns[4], 5), "  ", columns[5]);
  return width ? cut_to(line, *width) : line;
}

// Nodes have a column on a shared spool only.
std::string state_column(std::string_view state, std::string_view node, bool has_nodes) {
  return has_nodes ? cat(left_aligned(std::string(state), 8), left_aligned(std::string(node), 9))
                   : std::string(state);
}

std::string in_time(WallTime when, WallTime now) {
  return when <= now ? " now" : cat(" in ", rough(when - now));
}

std::string what_waits(mail::QueueState state, mail::WaitsFor waits_for) {
  if (state == mail::QueueState::held) return "held";
  switch (waits_for) {
    case mail::WaitsFor::nobody: return "";
    case mail::WaitsFor::time: return "waiting for the next attempt";
    case mail::WaitsFor::smarthost: return "waiting for the smarthost";
    case mail::WaitsFor::rate: return "waiting because of the rate limit";
    case mail::WaitsFor::daemon: return "waiting for the daemon";
    case mail::WaitsFor::node: return "waiting for a node";
  }
  return "";
}

}  // namespace

std::string rough(Duration duration) {
  struct Unit {
    Duration length;
    std::string_view name;
  };
  constexpr std::array kUnits = {Unit{24h, " d"}, Unit{1h, " h"}, Unit{1min, " min"}};
  for (const Unit& unit : kUnits)
    if (duration >= 2 * unit.length) return cat(std::to_string(duration / unit.length), unit.name);
  return cat(std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()), " s");
}

void QueueOverview::add(const MailBrief& mail, const mail::MailState& state) {
  ++mails_;
  ++states_[state.state];
  first_ = std::min(first_, mail.arrival);
  is_shared_ = is_shared_ || mail.holder.has_value();
  count_cause(state);
  Row row{.id = mail.id,
          .state = mail::to_word(state.state),
          .node = mail.holder ? node_name(*mail.holder) : "",
          .arrival = mail.arrival,
          .size = mail.size,
          .addresses = {}};
  if (oldest_.size() < kRows) return oldest_.push_back(std::move(row));
  newest_.push_back(std::move(row));
  if (newest_.size() > kRows) newest_.pop_front();
}

std::vector<mail::MailId> QueueOverview::listed() const {
  std::vector<mail::MailId> ids;
  for (const Row& row : oldest_) ids.push_back(row.id);
  for (const Row& row : newest_) ids.push_back(row.id);
  return ids;
}

void QueueOverview::describe(const spool::ViewedMail& mail) {
  const auto& recipients = mail.mail.envelope.recipients;
  std::string addresses = cat(shown_address(mail.mail.envelope.sender), " -> ",
                              recipients.empty() ? "nobody" : shown_address(recipients.front().address));
  if (recipients.size() > 1) addresses += cat(" +", std::to_string(recipients.size() - 1));
  for (Row& row : oldest_)
    if (row.id == mail.mail.id) row.addresses = addresses;
  for (Row& row : newest_)
    if (row.id == mail.mail.id) row.addresses = addresses;
}

void QueueOverview::count_cause(const mail::MailState& state) {
  if (state.state == mail::QueueState::active) return;
  Cause cause{state.state, state.waits_for, state.reason};
  if (!causes_.contains(cause) && causes_.size() >= kMostCauses) cause.reason = kOtherReasons;
  Waiting& waiting = causes_[cause];
  ++waiting.mails;
  if (state.next && (!waiting.next || *state.next < *waiting.next)) waiting.next = state.next;
}

std::string QueueOverview::text(WallTime now, std::optional<std::size_t> width, bool has_bold) const {
  if (mails_ == 0) return "the queue is empty\n";
  const std::string heading =
      line_of({"ID", state_column("STATE", "NODE", is_shared_), "SINCE", "AGE", "SIZE", "FROM -> TO"}, width);
  return cat(summary(now), causes(now), "\n", has_bold ? bold(heading) : heading, "\n", rows(now, width));
}

std::string QueueOverview::summary(WallTime now) const {
  std::vector<std::string> states;
  for (const auto& [state, count] : states_)
    states.push_back(cat(std::to_string(count), " ", mail::to_word(state)));
  return cat(counted(mails_, "mail"), ": ", join(states, ", "), "; the oldest came ", rough(now - first_),
             " ago\n");
}

// What most mails wait for comes first.
std::string QueueOverview::causes(WallTime now) const {
  std::vector<std::pair<Cause, Waiting>> sorted(causes_.begin(), causes_.end());
  std::ranges::sort(sorted, [](const auto& a, const auto& b) {
    return std::tie(b.second.mails, a.first) < std::tie(a.second.mails, b.first);
  });
  std::string text;
  for (const auto& [cause, waiting] : sorted)
    text += cat(std::to_string(waiting.mails), " ", what_waits(cause.state, cause.waits_for),
                waiting.next ? cat(", next try", in_time(*waiting.next, now)) : "",
                cause.reason.empty() ? "" : cat(": ", shown(cause.reason, kLongestCause)), "\n");
  return text;
}

std::string QueueOverview::rows(WallTime now, std::optional<std::size_t> width) const {
  auto line = [&](const Row& row) {
    return cat(line_of({to_text(row.id), state_column(row.state, row.node, is_shared_),
                        local_time(row.arrival, "%b %e %H:%M"), rough(now - row.arrival),
                        short_size(row.size), row.addresses},
                       width),
               "\n");
  };
  std::string text;
  for (const Row& row : oldest_) text += line(row);
  const std::size_t hidden = mails_ - oldest_.size() - newest_.size();
  if (hidden > 0) text += cat("... ", counted(hidden, "more mail"), ": `hikyaku queue --all` lists each\n");
  for (const Row& row : newest_) text += line(row);
  return text;
}

}  // namespace hikyaku::listing
