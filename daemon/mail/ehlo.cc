// SPDX-License-Identifier: MIT
#include "daemon/mail/ehlo.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::mail {

namespace {

constexpr std::size_t kMaxMechanisms = 64;
constexpr std::size_t kMaxMechanismLength = 20;  // RFC 4422 3.1
constexpr std::size_t kMaxName = 255;

constexpr std::pair<std::string_view, bool Capabilities::*> kFlags[] = {
    {"PIPELINING", &Capabilities::pipelining}, {"8BITMIME", &Capabilities::eight_bit_mime},
    {"SMTPUTF8", &Capabilities::smtputf8},     {"ENHANCEDSTATUSCODES", &Capabilities::enhanced_status_codes},
    {"CHUNKING", &Capabilities::chunking},     {"DSN", &Capabilities::dsn},
    {"STARTTLS", &Capabilities::starttls},     {"SIZE", &Capabilities::size},
};

bool is_mechanism_name(std::string_view word) {
  const auto is_allowed = [](char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '_'; };
  return !word.empty() && word.size() <= kMaxMechanismLength && std::ranges::all_of(word, is_allowed);
}

void add_mechanism(Capabilities& capabilities, std::string_view word) {
  const std::string name = to_upper(word);
  const bool has_room = capabilities.mechanisms.size() < kMaxMechanisms;
  if (has_room && is_mechanism_name(word) && !capabilities.offers(name))
    capabilities.mechanisms.push_back(name);
}

// "AUTH=LOGIN PLAIN" is the form of a draft that old clients want; servers send it beside or instead of the
// other.
void apply(Capabilities& capabilities, std::string_view line) {
  const auto end = std::min(line.find_first_of(" \t="), line.size());
  const std::string keyword = to_upper(line.substr(0, end));
  const auto parameters = words(line.substr(std::min(end + 1, line.size())));
  for (const auto& [name, flag] : kFlags)
    if (keyword == name) capabilities.*flag = true;
  if (keyword == "SIZE" && !parameters.empty())
    capabilities.max_size = parse_number(parameters.front()).value_or(0);
  if (keyword == "AUTH")
    for (const std::string_view word : parameters) add_mechanism(capabilities, word);
}

}  // namespace

bool Capabilities::offers(std::string_view mechanism) const {
  return std::ranges::find(mechanisms, mechanism) != mechanisms.end();
}

Capabilities parse_ehlo(const Reply& reply) {
  Capabilities capabilities;
  if (reply.lines.empty()) return capabilities;
  const auto greeting = words(reply.lines.front());
  if (!greeting.empty()) capabilities.name = printable(greeting.front(), kMaxName);
  for (std::size_t i = 1; i < reply.lines.size(); ++i) apply(capabilities, trim(reply.lines[i]));
  return capabilities;
}

}  // namespace hikyaku::mail
