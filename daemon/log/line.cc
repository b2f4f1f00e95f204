// SPDX-License-Identifier: MIT
#include "daemon/log/line.h"

#include <algorithm>

#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/log/address_mask.h"

namespace hikyaku::log {
namespace {

// Bytes of one value: a line stays readable and bounded whatever a peer sends.
constexpr std::size_t kLongest = 1024;

constexpr std::string_view kSpecial = " \"<>=";

std::string_view name_of(LogLevel level) {
  static constexpr std::string_view kNames[] = {"error", "warning", "info", "debug"};
  return kNames[static_cast<std::size_t>(level)];
}

// A reply's lines are joined by LF, which is no attack; it reads as a blank.
std::string in_one_line(std::string_view text) {
  std::string one_line(text);
  std::ranges::replace(one_line, '\n', ' ');
  return one_line;
}

// No backslash stands alone before a quote in a printable text, so \" is unambiguous.
std::string in_quotes(std::string_view clean_text) {
  std::string quoted = "\"";
  for (char c : clean_text) quoted += c == '"' ? std::string("\\\"") : std::string(1, c);
  return quoted + '"';
}

std::string quoted_where_needed(const std::string& clean_text, std::string_view special) {
  bool is_plain = !clean_text.empty() && clean_text.find_first_of(special) == std::string::npos;
  return is_plain ? clean_text : in_quotes(clean_text);
}

std::string address_text(const Address& address) {
  std::string shown = clean(address.text);
  bool is_plain = shown.find_first_of(" \"<>,=") == std::string::npos;
  return is_plain ? cat("<", shown, ">") : in_quotes(cat("<", shown, ">"));
}

std::string more_text(std::size_t count) {
  return count > kMostAddresses ? cat(",+", std::to_string(count - kMostAddresses)) : "";
}

struct TextValue {
  std::string operator()(const std::string& text) const { return quoted_where_needed(clean(text), kSpecial); }
  std::string operator()(const Sentence& text) const { return quoted_where_needed(clean(text), kSpecial); }
  std::string operator()(std::uint64_t number) const { return std::to_string(number); }
  std::string operator()(const Address& address) const { return address_text(address); }
  std::string operator()(const std::vector<Address>& list) const {
    std::vector<std::string> shown;
    for (const Address& address : list)
      if (shown.size() < kMostAddresses) shown.push_back(address_text(address));
    return join(shown, ",") + more_text(list.size());
  }
};

std::string json_value(const std::string& text) { return clean(text); }
std::string json_value(const Sentence& text) { return clean(text); }
std::uint64_t json_value(std::uint64_t number) { return number; }
std::string json_value(const Address& address) { return clean(address.text); }
JsonList json_value(const std::vector<Address>& list) {
  JsonList shown;
  for (const Address& address : list)
    if (shown.count() < kMostAddresses) shown.add(clean(address.text));
  return shown;
}

struct Masking {
  void operator()(std::string& text) const { text = mask_addresses(text); }
  void operator()(Sentence& sentence) const { sentence.text = mask_addresses(sentence.text); }
  void operator()(std::uint64_t&) const {}
  void operator()(Address& address) const { address.text = mask_address(address.text); }
  void operator()(std::vector<Address>& list) const {
    for (Address& address : list) (*this)(address);
  }
};

}  // namespace

std::string clean(std::string_view foreign) { return printable(in_one_line(foreign), kLongest); }
std::string clean(const Sentence& ours) { return still_printable(in_one_line(ours.text), kLongest); }

void mask_addresses(Line& line) {
  line.text = mask_addresses(line.text);
  for (Field& field : line.fields) std::visit(Masking{}, field.value);
}

std::string to_text(const Line& line) {
  std::string text(name_of(line.level));
  if (!line.event.empty()) text += cat(" ", line.event);
  // A sentence reads best bare, but must not look like fields.
  if (!line.text.empty())
    text += cat(line.event.empty() ? " " : ": ", quoted_where_needed(clean(Sentence{line.text}), "="));
  for (const Field& field : line.fields)
    text += cat(" ", field.name, "=", std::visit(TextValue{}, field.value));
  return text;
}

std::string to_json(const Line& line, std::string_view time) {
  JsonObject json;
  if (!time.empty()) json.add("time", time);
  json.add("level", name_of(line.level));
  if (!line.event.empty()) json.add("event", line.event);
  if (!line.text.empty()) json.add("text", clean(Sentence{line.text}));
  for (const auto& [name, value] : line.fields)
    std::visit([&](const auto& plain) { json.add(name, json_value(plain)); }, value);
  return json.text();
}

}  // namespace hikyaku::log
