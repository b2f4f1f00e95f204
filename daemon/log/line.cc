// SPDX-License-Identifier: MIT
#include "daemon/log/line.h"

#include <algorithm>

#include "daemon/base/text.h"

namespace hikyaku::log {
namespace {

// Bytes of one value, and addresses of one list: a line stays readable and bounded whatever a peer sends.
constexpr std::size_t kLongest = 1024;
constexpr std::size_t kMostAddresses = 10;

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

std::string clean(std::string_view foreign) { return printable(in_one_line(foreign), kLongest); }
std::string clean(const Sentence& ours) { return still_printable(in_one_line(ours.text), kLongest); }

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

// After printable() there is nothing left that JSON needs escaped but the backslash and the quote.
std::string json_string(std::string_view clean_text) {
  std::string quoted = "\"";
  for (char c : clean_text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

struct JsonValue {
  std::string operator()(const std::string& text) const { return json_string(clean(text)); }
  std::string operator()(const Sentence& text) const { return json_string(clean(text)); }
  std::string operator()(std::uint64_t number) const { return std::to_string(number); }
  std::string operator()(const Address& address) const { return json_string(clean(address.text)); }
  std::string operator()(const std::vector<Address>& list) const {
    std::vector<std::string> shown;
    for (const Address& address : list)
      if (shown.size() < kMostAddresses) shown.push_back(json_string(clean(address.text)));
    return cat("[", join(shown, ","), "]");
  }
};

std::string json_member(std::string_view name, std::string_view value) {
  return cat(",\"", name, "\":", value);
}

}  // namespace

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
  std::string json = cat("{\"level\":\"", name_of(line.level), "\"");
  if (!time.empty())
    json = cat("{\"time\":\"", time, "\"", json_member("level", cat("\"", name_of(line.level), "\"")));
  if (!line.event.empty()) json += json_member("event", json_string(line.event));
  if (!line.text.empty()) json += json_member("text", json_string(clean(Sentence{line.text})));
  for (const Field& field : line.fields)
    json += json_member(field.name, std::visit(JsonValue{}, field.value));
  return json + "}";
}

}  // namespace hikyaku::log
