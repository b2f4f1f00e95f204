// SPDX-License-Identifier: MIT
#include "daemon/app/local_users.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "daemon/io/work.h"

namespace hikyaku::app {
namespace {

constexpr Duration kUserHolds = 1min;
constexpr std::size_t kMostUsers = 10'000;  // several messages' recipients

}  // namespace

LocalUsers::LocalUsers(io::Loop& loop, io::Nursery& nursery, system::FindUserName find)
    : loop_(loop), nursery_(nursery), find_(std::move(find)), answered_(loop) {}

Task<bool> LocalUsers::learn(std::vector<std::string> names, io::Until until) {
  const std::uint64_t failures = failures_;
  auto unknown = without_fresh_answer(names);
  while (!unknown.empty() && failures_ == failures) {
    if (!is_asking_) {
      is_asking_ = true;
      nursery_.spawn(ask(std::move(unknown)));
    }
    const io::Woken woken = co_await answered_.wait(until);
    if (woken != io::Woken::ready) break;
    unknown = without_fresh_answer(names);
  }
  co_return knows(names);
}

bool LocalUsers::knows(const std::vector<std::string>& names) const {
  return std::ranges::all_of(names, [this](const std::string& name) { return known_.contains(name); });
}

bool LocalUsers::is_user(const std::string& name) const {
  auto found = known_.find(name);
  return found != known_.end() && found->second.is_user;
}

std::vector<std::string> LocalUsers::without_fresh_answer(const std::vector<std::string>& names) const {
  std::vector<std::string> unknown;
  for (const std::string& name : names) {
    auto found = known_.find(name);
    if (found == known_.end() || loop_.now() >= found->second.asked + kUserHolds) unknown.push_back(name);
  }
  return unknown;
}

Task<void> LocalUsers::ask(std::vector<std::string> names) {
  auto answers = co_await io::run_on_pool(loop_, [&] {
    std::vector<std::optional<bool>> found;
    for (const std::string& name : names) found.push_back(find_(name));
    return found;
  });
  if (known_.size() + names.size() > kMostUsers) known_.clear();
  for (std::size_t i = 0; i < names.size(); ++i)
    if (answers[i]) known_.insert_or_assign(names[i], Known{*answers[i], loop_.now()});
  if (!std::ranges::all_of(answers, [](const auto& answer) { return answer.has_value(); })) ++failures_;
  is_asking_ = false;
  answered_.notify();
}

}  // namespace hikyaku::app
