// SPDX-License-Identifier: MIT
#include "daemon/app/local_submitters.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "daemon/io/work.h"

namespace hikyaku::app {
namespace {

constexpr Duration kHolds = 1min;
constexpr std::size_t kMostKnown = 1000;

}  // namespace

LocalSubmitters::LocalSubmitters(io::Loop& loop, io::Nursery& nursery, system::FindLocalUser find)
    : loop_(loop), nursery_(nursery), find_(std::move(find)), answered_(loop) {}

void LocalSubmitters::configure(config::SubmitSettings settings) {
  settings_ = std::move(settings);
  known_.clear();
  ++round_;
}

Task<std::optional<smtpd::Submitter>> LocalSubmitters::find(std::uint32_t uid, io::Until until) {
  while (fresh(uid) == nullptr) {
    if (!is_asking_) {
      is_asking_ = true;
      nursery_.spawn(look_up(uid));
    }
    const io::Woken woken = co_await answered_.wait(until);
    if (woken != io::Woken::ready) break;  // an old answer is better than none
  }
  co_return judge(uid);
}

const LocalSubmitters::Known* LocalSubmitters::fresh(std::uint32_t uid) const {
  auto found = known_.find(uid);
  return found != known_.end() && loop_.now() < found->second.asked + kHolds ? &found->second : nullptr;
}

Task<void> LocalSubmitters::look_up(std::uint32_t uid) {
  const std::uint64_t round = round_;
  const bool by_groups = settings_.others != config::SubmitOthers::allow && !settings_.trusted.empty();
  const system::WithGroups groups = by_groups ? system::WithGroups::yes : system::WithGroups::no;
  system::LocalUser user =
      co_await io::run_on_pool(loop_, [this, uid, groups] { return find_(uid, groups); });
  if (round == round_) keep(uid, std::move(user));
  is_asking_ = false;
  answered_.notify();
}

void LocalSubmitters::keep(std::uint32_t uid, system::LocalUser user) {
  if (known_.size() >= kMostKnown) known_.clear();
  known_.insert_or_assign(uid, Known{std::move(user), loop_.now()});
}

std::optional<smtpd::Submitter> LocalSubmitters::judge(std::uint32_t uid) const {
  auto found = known_.find(uid);
  const bool all_may = settings_.others == config::SubmitOthers::allow;
  if (found == known_.end() && !all_may) return std::nullopt;
  const system::LocalUser user = found == known_.end() ? system::LocalUser() : found->second.user;
  return smtpd::Submitter{.name = user.name, .may_choose_sender = all_may || is_trusted(uid, user)};
}

bool LocalSubmitters::is_trusted(std::uint32_t uid, const system::LocalUser& user) const {
  auto is_named = [this](const std::string& name) {
    return std::ranges::find(settings_.trusted, name) != settings_.trusted.end();
  };
  const bool is_us = uid == ::geteuid() && uid != system::kNameless;
  return uid == 0 || is_us || is_named(user.name) || std::ranges::any_of(user.groups, is_named);
}

std::vector<std::string> unknown_trusted(const config::SubmitSettings& settings) {
  std::vector<std::string> unknown;
  for (const std::string& name : settings.trusted)
    if (!system::is_user_or_group(name)) unknown.push_back(name);
  return unknown;
}

}  // namespace hikyaku::app
