// SPDX-License-Identifier: MIT
// How the environment's errors travel: std::expected with a closed kind of the layer and a text for people.
// Context is added once, where it is known. An SMTP outcome is not an error but a plain value; a bug is
// check().
#pragma once

#include <expected>
#include <source_location>
#include <string>
#include <utility>

namespace hikyaku {

template <class Kind>
struct [[nodiscard]] Error {
  Kind kind;
  std::string text;  // plain words, one line, no trailing full stop, no secrets
};

template <class T, class E>
using Result = std::expected<T, E>;

template <class Kind>
[[nodiscard]] std::unexpected<Error<Kind>> fail(Kind kind, std::string text) {
  return std::unexpected(Error<Kind>{kind, std::move(text)});
}

// "Permission denied" for EACCES; safe to call from any thread.
std::string os_error_text(int error_number);

// A bug aborts, in all builds: systemd restarts us and the spool is crash-safe. Never for bad input or for an
// error of the environment: those are values.

[[noreturn]] void check_failed(const char* what, std::source_location where);

inline void check(bool holds, const char* what,
                  std::source_location where = std::source_location::current()) {
  if (!holds) [[unlikely]]
    check_failed(what, where);
}

}  // namespace hikyaku
