// SPDX-License-Identifier: MIT
// How many connections to the control socket are served at a time: few for one user, not all places for all
// users together, so that whoever crowds it keeps out neither others nor the operator. Not safe for several
// threads by itself.
#pragma once

#include <cstddef>
#include <map>

#include "daemon/control/control_rights.h"

namespace hikyaku::control {

struct ControlLimits {
  std::size_t connections = 24;  // each has a thread
  std::size_t others = 16;       // of them for those who may not see everything
  std::size_t per_user = 4;      // of these
};

class ControlAdmission {
 public:
  explicit ControlAdmission(ControlLimits limits) : limits_(limits) {}

  // Whether there is a place; each that was given is given back with leave().
  bool enter(const Rights& rights) {
    if (all_ >= limits_.connections) return false;
    if (!rights.is_operator && (others_ >= limits_.others || of_user(rights.uid) >= limits_.per_user))
      return false;
    ++all_;
    if (!rights.is_operator) ++others_, ++users_[rights.uid];
    return true;
  }

  void leave(const Rights& rights) {
    --all_;
    if (rights.is_operator) return;
    --others_;
    if (--users_[rights.uid] == 0) users_.erase(rights.uid);
  }

  std::size_t size() const { return all_; }

 private:
  std::size_t of_user(std::uint32_t uid) const {
    auto found = users_.find(uid);
    return found == users_.end() ? 0 : found->second;
  }

  ControlLimits limits_;
  std::size_t all_ = 0;
  std::size_t others_ = 0;
  std::map<std::uint32_t, std::size_t> users_;
};

}  // namespace hikyaku::control
