// SPDX-License-Identifier: MIT
// A bug aborts, in all builds: systemd restarts us and the spool is crash-safe. Never for bad input or for an
// error of the environment; those are values (error.h).
#pragma once

#include <source_location>

namespace hikyaku {

[[noreturn]] void check_failed(const char* what, std::source_location where);

inline void check(bool holds, const char* what,
                  std::source_location where = std::source_location::current()) {
  if (!holds) [[unlikely]]
    check_failed(what, where);
}

}  // namespace hikyaku
