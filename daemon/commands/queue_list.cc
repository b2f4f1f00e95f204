// SPDX-License-Identifier: MIT
#include "daemon/commands/queue_list.h"

#include <algorithm>

#include "daemon/base/text.h"
#include "daemon/commands/queue_mail.h"
#include "daemon/listing/queue_listing.h"
#include "daemon/listing/queue_reader.h"

namespace hikyaku::commands {
namespace {

using mail::SourceErrorKind;

constexpr std::size_t kGlancesAtOnce = 256;

}  // namespace

QueueList::QueueList(const ListOptions& options, spool::QueueView& view, const mail::RouteState& route,
                     Output& output)
    : options_(options),
      view_(view),
      route_(route),
      output_(output),
      now_(SystemClock().wall()),
      sort_(listing::parse_sort_by(options.sort)) {
  if (auto by = listing::parse_group_by(options.by)) groups_.emplace(*by);
}

Exit QueueList::print(const std::string& drops) {
  if (auto understood = understand(); !understood) return report(kQueueCommand, understood.error());
  walk();
  if (is_cut_short_) return exit_;
  print_sorted();
  finish(drops);
  return exit_;
}

Result<void, StartError> QueueList::understand() {
  for (const auto& [name, value] : options_.filters)
    if (auto set = listing::set_filter(filter_, name, value, now_); !set)
      return fail(Exit::usage, set.error());
  return {};
}

void QueueList::walk() {
  mail::MailId after;
  const bool prints_as_it_goes = needs_record() && !groups_;
  if (!prints_as_it_goes) progress_.emplace("reading the queue");
  if (progress_ && view_.expected_mails()) progress_->expect(*view_.expected_mails());
  while (!is_done_) {
    auto next = view_.page_after(after, kGlancesAtOnce);
    if (!next) return give_up(next.error());
    if (next->empty()) break;
    for (const spool::Glance& glance : *next) {
      if (progress_) progress_->count_one();
      if (!is_done_) look_at(glance);
    }
    after = next->back().id;
    if (needs_record()) output_.flush();
  }
  progress_.reset();
}

void QueueList::give_up(const spool::ViewError& error) {
  progress_.reset();  // the error has a line of its own
  exit_ = report(kQueueCommand, listing::explain(error, ""));
  is_cut_short_ = true;
}

void QueueList::look_at(const spool::Glance& glance) {
  const auto brief = listing::brief_of(view_, glance);
  const auto verdict = brief ? filter_.judge(*brief, route_, true) : std::nullopt;
  if (verdict == false) return;
  if (verdict == true && !needs_record()) return take(*brief, nullptr);
  const auto mail = load(glance.id);
  if (mail && filter_.matches(*mail, route_, true)) take(listing::brief_of(*mail), &*mail);
}

bool QueueList::needs_record() const {
  if (groups_) return groups_->needs_records();
  return !options_.count && !options_.is_overview() && !sort_;
}

void QueueList::take(const listing::MailBrief& brief, const spool::ViewedMail* mail) {
  ++mails_;
  if (options_.count) return;
  if (groups_ && groups_->needs_records()) return groups_->add(*mail);
  if (needs_record()) return print_line(*mail);
  const mail::MailState state = listing::state_of(brief, route_, true);
  if (groups_) return groups_->add(brief, state, now_);
  if (sort_) return sorted_.emplace_back(listing::sort_key(*sort_, brief, state), brief.id), void();
  overview_.add(brief, state);
}

// What is folded stands below the mail's state, so that the ids can be seen at a glance.
void QueueList::print_line(const spool::ViewedMail& mail) {
  constexpr std::size_t kBelowState = 14;
  const mail::MailState state = listing::state_of(mail, route_, true);
  const bool is_printed = options_.json
                              ? output_.print(cat(listing::queue_json(mail, state).text(), "\n"))
                              : output_.print_lines(cat(listing::queue_line(mail, state), "\n"), kBelowState);
  is_done_ = !is_printed || mails_ == options_.limit;
}

// Equal ones stay in the spool's order.
void QueueList::print_sorted() {
  const bool is_wanted = sort_ && !groups_ && !options_.count;
  if (!is_wanted) return;
  std::ranges::sort(sorted_);
  mails_ = 0;
  for (const auto& [key, id] : sorted_) {
    const auto mail = load(id);
    if (!mail) continue;
    ++mails_;
    print_line(*mail);
    if (is_done_) return;
  }
}

void QueueList::describe_listed() {
  for (mail::MailId id : overview_.listed())
    if (const auto mail = load(id)) overview_.describe(*mail);
}

void QueueList::finish(const std::string& drops) {
  const bool is_for_people = !options_.json && !options_.count && !groups_;
  const bool is_list = is_for_people && !options_.is_overview();
  if (is_list && mails_ == 0 && terminal_width()) output_.print("no queued mail is like that\n");
  if (options_.count) output_.print(cat(std::to_string(mails_), "\n"));
  if (groups_ && !options_.count && options_.json) output_.print(cat(groups_->json(), "\n"));
  if (groups_ && !options_.count && !options_.json) output_.print_lines(groups_->text());
  if (options_.is_overview() && (mails_ > 0 || drops.empty())) {
    describe_listed();
    output_.print_lines(overview_.text(now_, terminal_width(), may_use_bold()));
  }
  if (!drops.empty() && is_for_people) output_.print_lines(cat(drops, "\n"));
}

std::optional<spool::ViewedMail> QueueList::load(mail::MailId id) {
  auto mail = view_.load(id);
  if (mail) return std::move(*mail);
  if (mail.error().kind == SourceErrorKind::unknown_mail) return std::nullopt;
  progress_.reset();  // the error has a line of its own
  exit_ = report(kQueueCommand, to_start_error(mail.error()));
  return std::nullopt;
}

}  // namespace hikyaku::commands
