// SPDX-License-Identifier: MIT
#include "daemon/setup/talk.h"

#include <utility>

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

Result<std::optional<std::string>, StartError> Questions::answer(std::string_view question,
                                                                 const std::string& proposal,
                                                                 const std::optional<std::string>& given) {
  const auto unless_nothing = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
  };
  if (given) return unless_nothing(*given);
  if (yes_) return unless_nothing(proposal);
  auto typed = talk_.ask(prompt(question, proposal));
  if (!typed) return no_more_answers();
  const std::string text(trim(*typed));
  return unless_nothing(text.empty() ? proposal : text);
}

bool Questions::ask_again() {
  if (!yes_) talk_.say("This needs an answer.\n");
  return !yes_;
}

Result<std::string, StartError> Questions::ask(std::string_view question, const std::string& proposal,
                                               const std::optional<std::string>& given,
                                               std::string_view option) {
  for (;;) {
    auto text = ask_or_none(question, proposal, given, option);
    if (!text || !text->empty()) return text;
    if (given || !ask_again()) return no_answer(question, option);
  }
}

Result<std::string, StartError> Questions::ask_or_none(std::string_view question, const std::string& proposal,
                                                       const std::optional<std::string>& given,
                                                       std::string_view option) {
  for (;;) {
    auto text = answer(question, proposal, given);
    if (!text) return std::unexpected(std::move(text.error()));
    if (*text) return **text == kNone ? std::string() : **text;
    if (given || !ask_again()) return no_answer(question, option);
  }
}

Result<std::string, StartError> Questions::ask_optional(std::string_view question,
                                                        const std::string& proposal,
                                                        const std::optional<std::string>& given) {
  auto text = answer(question, proposal, given);
  if (!text) return std::unexpected(std::move(text.error()));
  return *text && **text != kNone ? **text : std::string();
}

Result<Secret, StartError> Questions::ask_secret(std::string_view question,
                                                 const std::optional<Secret>& proposal,
                                                 const std::optional<Secret>& given,
                                                 std::string_view option) {
  if (given) return *given;
  while (!yes_) {
    auto typed = talk_.ask_secret(prompt(question, proposal ? "as it is" : ""));
    if (!typed) return no_more_answers();
    if (!typed->empty()) return std::move(*typed);
    if (proposal) break;
    ask_again();
  }
  return proposal ? Result<Secret, StartError>(*proposal) : no_answer(question, option);
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
