// SPDX-License-Identifier: MIT
// How the environment's errors travel: std::expected with a closed kind of the layer and a text for people.
// Context is added once, where it is known. An SMTP outcome is not an error but a plain value; a bug is
// check().
#pragma once

#include <expected>
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

}  // namespace hikyaku
