// SPDX-License-Identifier: MIT
#include "daemon/listing/mail_brief.h"

#include <algorithm>
#include <array>
#include <limits>

namespace hikyaku::listing {
namespace {

constexpr std::uint32_t kMostAttempts = 4095;  // as the index has them
constexpr std::array<std::string_view, 5> kSortNames = {"time", "size", "age", "next", "attempts"};

std::int64_t next_key(const mail::MailState& state) {
  using Limits = std::numeric_limits<std::int64_t>;
  if (state.state == mail::QueueState::active) return Limits::min();
  if (state.state == mail::QueueState::held) return Limits::max();
  return state.next ? state.next->time_since_epoch().count() : Limits::max() - 1;
}

}  // namespace

MailBrief brief_of(const spool::ViewedMail& viewed) {
  const mail::Progress& progress = viewed.mail.progress;
  return {.id = viewed.mail.id,
          .size = viewed.mail.size,
          .arrival = std::chrono::floor<std::chrono::seconds>(viewed.mail.arrival),
          .written = viewed.written,
          .next_wait = progress.next_wait,
          .attempts = std::min(progress.attempts, kMostAttempts),
          .is_held = progress.held,
          .reason = mail::make_common_reason(progress.reason, progress.smarthost),
          .holder = viewed.holder};
}

std::optional<MailBrief> brief_of(spool::QueueView& view, const spool::Glance& glance) {
  auto reason = glance.has_facts() ? view.reason_of(glance) : nullptr;
  if (reason == nullptr) return std::nullopt;
  return MailBrief{.id = glance.id,
                   .size = glance.size,
                   .arrival = glance.facts.arrival,
                   .written = glance.facts.written,
                   .next_wait = glance.next_wait,
                   .attempts = glance.facts.attempts,
                   .is_held = glance.held,
                   .reason = std::move(reason)};
}

mail::MailState state_of(const MailBrief& brief, const mail::RouteState& route, bool is_operator) {
  return state_of(mail::Standing{.is_held = brief.is_held,
                                 .attempts = brief.attempts,
                                 .next_attempt = brief.written + brief.next_wait,
                                 .written = brief.written,
                                 .reason = brief.reason->text,
                                 .holder = brief.holder ? &*brief.holder : nullptr},
                  route, is_operator);
}

std::optional<SortBy> parse_sort_by(std::string_view name) {
  auto found = std::ranges::find(kSortNames, name);
  if (found == kSortNames.end()) return std::nullopt;
  return static_cast<SortBy>(found - kSortNames.begin());
}

std::int64_t sort_key(SortBy by, const MailBrief& brief, const mail::MailState& state) {
  switch (by) {
    case SortBy::time: return -brief.arrival.time_since_epoch().count();
    case SortBy::size: return -static_cast<std::int64_t>(brief.size);
    case SortBy::age: return brief.arrival.time_since_epoch().count();
    case SortBy::next: return next_key(state);
    case SortBy::attempts: return -std::int64_t{brief.attempts};
  }
  return 0;
}

}  // namespace hikyaku::listing
