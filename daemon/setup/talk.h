// SPDX-License-Identifier: MIT
// How setup asks and tells: by a terminal, a pipe, or a test; and what has been answered beforehand by
// options. Who asks says what counts where nothing is answered. Pure but for the Talk.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/exit.h"
#include "daemon/base/secret.h"

namespace hikyaku::setup {

class Talk {
 public:
  virtual ~Talk() = default;
  virtual void say(std::string_view text) = 0;
  // nullopt: nobody answers any more.
  virtual std::optional<std::string> ask(std::string_view question) = 0;
  virtual std::optional<Secret> ask_secret(std::string_view question) = 0;
};

// Answers that options have given; nullopt: to be asked.
struct Given {
  std::optional<std::string> target{};
  std::optional<std::string> user{};
  std::optional<Secret> password{};
  std::optional<std::string> client_id{};
  std::optional<std::string> from{};
  std::optional<std::string> root_mail{};
  std::optional<std::string> test_to{};
  bool yes = false;  // nothing is asked: what is not given is as proposed
};

class Questions {
 public:
  Questions(Talk& talk, bool yes) : talk_(talk), yes_(yes) {}

  // What was given, typed, or proposed, in this order; asks until there is an answer. Errors: usage (nobody
  // answers; `option` says how to give one).
  Result<std::string, StartError> ask(std::string_view question, const std::string& proposal,
                                      const std::optional<std::string>& given, std::string_view option);
  // The same, where "-" says that there is to be none: empty.
  Result<std::string, StartError> ask_or_none(std::string_view question, const std::string& proposal,
                                              const std::optional<std::string>& given,
                                              std::string_view option);
  // The same, where an empty answer says that too if nothing is proposed.
  Result<std::string, StartError> ask_optional(std::string_view question, const std::string& proposal,
                                               const std::optional<std::string>& given);
  // `proposal` counts if nothing is typed.
  Result<Secret, StartError> ask_secret(std::string_view question, const std::optional<Secret>& proposal,
                                        const std::optional<Secret>& given, std::string_view option);
  // Yes, unless no is typed.
  Result<bool, StartError> confirm(std::string_view question);
  void say(std::string_view text) { talk_.say(text); }
  bool is_asking() const { return !yes_; }

 private:
  // nullopt: nothing was typed, and nothing is proposed.
  Result<std::optional<std::string>, StartError> answer(std::string_view question,
                                                        const std::string& proposal,
                                                        const std::optional<std::string>& given);
  // Whether to ask once more; says that an answer is needed.
  bool ask_again();

  Talk& talk_;
  bool yes_;
};

}  // namespace hikyaku::setup
