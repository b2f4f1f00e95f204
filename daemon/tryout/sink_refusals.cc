// SPDX-License-Identifier: MIT
#include <utility>

#include "daemon/base/text.h"
#include "daemon/tryout/sink.h"

namespace hikyaku::tryout {
namespace {

std::optional<smtpd::Stage> parse_stage(std::string_view word) {
  using enum smtpd::Stage;
  constexpr std::pair<std::string_view, smtpd::Stage> kStages[] = {
      {"mail", mail}, {"rcpt", rcpt}, {"data", data}, {"message", message}};
  for (const auto& [name, stage] : kStages)
    if (equals_ignoring_case(word, name)) return stage;
  return std::nullopt;
}

// "550 5.1.1 no such user": 4yz or 5yz, an optional enhanced status of the same class, a text.
std::optional<smtpd::Reply> parse_reply(std::string_view text) {
  std::string_view digits = text.substr(0, 3);
  auto code = parse_number(digits);
  bool is_refusal = code && *code >= 400 && *code <= 599 && text.size() > 4 && text[3] == ' ';
  if (!is_refusal || text.find_first_of("\r\n") != text.npos) return std::nullopt;
  std::string_view words = text.substr(4);
  auto status = mail::parse_enhanced_status(words);
  if (!status) return smtpd::Reply(static_cast<int>(*code), {}, std::string(words));
  words.remove_prefix(std::min(words.size(), words.find(' ')));
  return smtpd::Reply(static_cast<int>(*code), *status, std::string(trim(words)));
}

}  // namespace

std::optional<SinkRefusal> parse_refusal(std::string_view text) {
  std::size_t equals = text.find('=');
  if (equals == text.npos) return std::nullopt;
  std::string_view place = text.substr(0, equals);
  std::size_t colon = std::min(place.find(':'), place.size());
  auto stage = parse_stage(place.substr(0, colon));
  auto reply = parse_reply(text.substr(equals + 1));
  if (!stage || !reply) return std::nullopt;
  std::string_view address = place.substr(std::min(colon + 1, place.size()));
  return SinkRefusal{*stage, std::string(address), std::move(*reply)};
}

std::function<std::optional<smtpd::Reply>(smtpd::Stage, std::string_view)> make_refuse(
    std::vector<SinkRefusal> refusals) {
  return [refusals = std::move(refusals)](smtpd::Stage stage,
                                          std::string_view subject) -> std::optional<smtpd::Reply> {
    for (const SinkRefusal& refusal : refusals) {
      bool is_meant = refusal.address.empty() || equals_ignoring_case(refusal.address, subject);
      if (refusal.stage == stage && is_meant) return refusal.reply;
    }
    return std::nullopt;
  };
}

}  // namespace hikyaku::tryout
