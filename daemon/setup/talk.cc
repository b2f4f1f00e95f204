// SPDX-License-Identifier: MIT
#include "daemon/setup/talk.h"

#include "daemon/base/text.h"

namespace hikyaku::setup {
namespace {

constexpr std::string_view kNone = "-";

std::unexpected<StartError> no_answer(std::string_view question, std::string_view option) {
  return fail(Exit::usage,
              cat("there is no answer to '", question, "'; give it with ", option, ", or type it"));
}

std::unexpected<StartError> no_more_answers() {
  return fail(Exit::usage, "there are no more answers, so nothing was written");
}

std::string prompt(std::string_view question, std::string_view proposal) {
  return cat(question, proposal.empty() ? "" : cat(" [", proposal, "]"), ": ");
}

}  // namespace

Result<std::string, StartError> Questions::ask(std::string_view question, const std::string& proposal,
                                               const std::optional<std::string>& given,
                                               std::string_view option) {
  auto answer = ask_optional(question, proposal, given);
  if (answer && answer->empty()) return no_answer(question, option);
  return answer;
}

Result<std::string, StartError> Questions::ask_optional(std::string_view question,
                                                        const std::string& proposal,
                                                        const std::optional<std::string>& given) {
  if (given) return *given == kNone ? std::string() : *given;
  if (yes_) return proposal;
  auto typed = talk_.ask(prompt(question, proposal));
  if (!typed) return no_more_answers();
  const std::string answer(trim(*typed));
  if (answer == kNone) return std::string();
  return answer.empty() ? proposal : answer;
}

Result<Secret, StartError> Questions::ask_secret(std::string_view question,
                                                 const std::optional<Secret>& proposal,
                                                 const std::optional<Secret>& given,
                                                 std::string_view option) {
  if (given) return *given;
  if (yes_ && proposal) return *proposal;
  if (yes_) return no_answer(question, option);
  auto typed = talk_.ask_secret(prompt(question, proposal ? "as it is" : ""));
  if (!typed) return no_more_answers();
  if (!typed->empty()) return std::move(*typed);
  if (proposal) return *proposal;
  return no_answer(question, option);
}

Result<bool, StartError> Questions::confirm(std::string_view question) {
  if (yes_) return true;
  for (;;) {
    auto typed = talk_.ask(prompt(question, "Y/n"));
    if (!typed) return no_more_answers();
    const std::string answer = to_lower(trim(*typed));
    if (answer.empty() || answer == "y" || answer == "yes") return true;
    if (answer == "n" || answer == "no") return false;
    talk_.say("Please answer y or n.\n");
  }
}

}  // namespace hikyaku::setup
