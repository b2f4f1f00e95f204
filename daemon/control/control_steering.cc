// SPDX-License-Identifier: MIT
#include <array>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/control/control_retry.h"

namespace hikyaku::control {
namespace {

using relay::Decided;
using relay::Decision;

constexpr std::size_t kMostListed = 1000;

struct DecisionRow {
  std::string_view path;
  Decision decision;
};
constexpr std::array kDecisions = {
    DecisionRow{"/v1/queue/hold", Decision::hold}, DecisionRow{"/v1/queue/release", Decision::release},
    DecisionRow{"/v1/queue/remove", Decision::remove}, DecisionRow{"/v1/queue/bounce", Decision::bounce}};

// The answers so far.
class Tally {
 public:
  void add(const std::vector<Decided>& answers) {
    for (const Decided& answer : answers) add(answer);
  }
  ControlAnswer answer() const {
    JsonObject json;
    const bool is_busy = done_ + unchanged_ + unknown_.size() + refused_count_ == 0 && !under_way_.empty();
    if (is_busy) json.add("error", "being sent now; try again when the attempt has ended");
    json.add("done", done_).add("unchanged", unchanged_);
    json.add("under_way", to_list(under_way_)).add("unknown", to_list(unknown_));
    ControlAnswer answer = control_json(json.add("refused", refused_).text());
    if (is_busy) answer.status = 409;
    return answer;
  }

 private:
  void add(const Decided& answer) {
    switch (answer.result) {
      case Decided::Result::done: ++done_; break;
      case Decided::Result::unchanged: ++unchanged_; break;
      case Decided::Result::under_way: list(under_way_, answer.id); break;
      case Decided::Result::unknown: list(unknown_, answer.id); break;
      case Decided::Result::refused:
        if (refused_count_++ < kMostListed)
          refused_.add(JsonObject().add("id", to_text(answer.id)).add("error", answer.why));
    }
  }
  static void list(std::vector<mail::MailId>& ids, mail::MailId id) {
    if (ids.size() < kMostListed) ids.push_back(id);
  }

  std::size_t done_ = 0;
  std::size_t unchanged_ = 0;
  std::vector<mail::MailId> under_way_;
  std::vector<mail::MailId> unknown_;
  JsonList refused_;
  std::size_t refused_count_ = 0;
};

bool is_for(Decision decision, bool is_held) {
  return decision == Decision::hold ? !is_held : decision == Decision::release ? is_held : true;
}

}  // namespace

std::optional<Decision> decision_of(std::string_view path) {
  for (const DecisionRow& row : kDecisions)
    if (row.path == path) return row.decision;
  return std::nullopt;
}

ControlAnswer answer_steering(const ControlRequest& request, Decision decision, listing::QueueReader& reader,
                              DaemonControl& daemon, Clock& clock) {
  const bool only_counts = request.parameters.contains("count");
  auto selection = parse_selection(request.body, clock.wall());
  if (!selection) return control_error(400, selection.error());
  const std::string by = name_of_user(request.rights.uid);
  Tally tally;
  bool answers = true;
  auto steer = [&](std::vector<mail::MailId> ids) {
    if (only_counts) return true;
    auto decided = daemon.steer(std::move(ids), {decision, by, request.rights});
    if (decided) tally.add(*decided);
    return answers = decided.has_value();
  };
  Result<std::size_t, StartError> count = 0U;
  if (auto* ids = std::get_if<std::vector<mail::MailId>>(&*selection)) {
    count = ids->size();
    steer(std::move(*ids));
  } else {
    const auto* fitting = std::get_if<Fitting>(&*selection);
    const Fitting wanted = fitting != nullptr ? *fitting : Fitting{};
    const mail::RouteState route = route_state_now(daemon, clock);
    auto fits = [&](const spool::ViewedMail& mail) {
      return request.rights.may_change(mail.mail.envelope.uid) && is_for(decision, mail.mail.progress.held) &&
             wanted.matches(mail, route, request.rights.is_operator);
    };
    auto rules_out = [&](const listing::MailBrief& mail) {
      return !is_for(decision, mail.is_held) || wanted.rules_out(mail, route, request.rights.is_operator);
    };
    count = for_all_fitting(request, reader, clock.now(), {fits, rules_out}, steer);
  }
  if (!answers) return no_answer();
  if (!count) return spool_trouble(count.error());
  return only_counts ? control_json(JsonObject().add("count", *count).text()) : tally.answer();
}

}  // namespace hikyaku::control
