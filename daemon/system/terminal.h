// SPDX-License-Identifier: MIT
// Questions and answers, at a terminal or over a pipe: a line each. A secret is not echoed, and the terminal is as
// it was before whatever ends the question, a signal included. Blocks. One at a time in a process.
#pragma once

#include <csignal>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/secret.h"

namespace hikyaku::system {

class Terminal {
 public:
  // Owns neither descriptor.
  Terminal(int in, int out) : in_(in), out_(out) {}
  Terminal(const Terminal&) = delete;
  ~Terminal();

  bool is_interactive() const;  // somebody types
  void say(std::string_view text) const;
  // The line without its end; nullopt if there is no more input.
  std::optional<std::string> ask(std::string_view question);
  std::optional<Secret> ask_secret(std::string_view question);

 private:
  // `mask`: the signals that are blocked while it waits; nullptr: the same as before.
  std::optional<std::string> read_line(const sigset_t* mask = nullptr);
  void fill(const sigset_t* mask);

  int in_;
  int out_;
  bool has_ended_ = false;
  std::string ahead_{};  // read, and not yet asked for
};

}  // namespace hikyaku::system
