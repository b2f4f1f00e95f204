// SPDX-License-Identifier: MIT
// The notation of netrc and of Emacs' .authinfo: pairs of words, an entry a line.
#include <algorithm>

#include "daemon/base/text.h"
#include "daemon/config/authinfo_notations.h"
#include "daemon/config/host.h"

namespace hikyaku::config {
namespace {

// Takes a quoted value off `rest`, which begins with the quote; inside double quotes a backslash escapes.
std::optional<std::string> take_quoted(std::string_view& rest) {
  char quote = rest.front();
  std::string value;
  for (std::size_t at = 1; at < rest.size(); ++at) {
    if (rest[at] == quote) {
      rest.remove_prefix(at + 1);
      return rest.empty() || is_blank(rest.front()) ? std::optional(value) : std::nullopt;
    }
    if (quote == '"' && rest[at] == '\\' && at + 1 < rest.size()) ++at;
    value += rest[at];
  }
  return std::nullopt;
}

std::string take_bare(std::string_view& rest) {
  std::size_t end = std::min(rest.find_first_of(" \t"), rest.size());
  std::string value(rest.substr(0, end));
  rest.remove_prefix(end);
  return value;
}

// Nothing where a quote does not end properly.
std::optional<std::string> take_word(std::string_view& rest) {
  rest = trim(rest);
  if (rest.starts_with('"') || rest.starts_with('\'')) return take_quoted(rest);
  return take_bare(rest);
}

std::string put_port(const std::string& value, AuthinfoEntry& entry) {
  entry.port = parse_port(value);
  return entry.port ? "" : "needs a number from 1 to 65535 after `port`, or smtp, submission or submissions";
}

// Nothing, or what is wrong.
std::string put_pair(std::string_view name, const std::string& value, AuthinfoEntry& entry) {
  if (name == "port") return put_port(value, entry);
  if (name == "login" || name == "user") {
    entry.credentials.user = value;
  } else if (name == "password") {
    entry.credentials.password = Secret(value);
  } else if (name != "account") {  // of netrc; nothing to us
    return "may only have port, login and password after the host, each with one value; a value with blanks "
           "needs "
           "quotes";
  }
  return {};
}

std::string parse_pairs(std::string_view rest, AuthinfoEntry& entry) {
  while (!(rest = trim(rest)).empty()) {
    std::string name = take_bare(rest);
    auto value = take_word(rest);
    if (!value) return "has a quote that does not end a value";
    if (value->empty())
      return "has a word without a value, or an empty value; a value with blanks needs quotes";
    std::string wrong = put_pair(name, *value, entry);
    if (!wrong.empty()) return wrong;
  }
  if (entry.credentials.user.empty()) return "needs `login USER` on the same line";
  return entry.credentials.password.empty() ? "needs `password PASSWORD` on the same line" : "";
}

}  // namespace

bool is_netrc_line(std::string_view line) {
  std::string_view first = line.substr(0, line.find_first_of(" \t"));
  return first == "machine" || first == "default";
}

Result<AuthinfoEntry, std::string> parse_netrc_line(std::string_view line) {
  AuthinfoEntry entry;
  if (take_bare(line) == "machine") {
    auto host = parse_host(take_word(line).value_or(""));
    if (!host)
      return std::unexpected("needs a host name or address after `machine`, and a port as `port PORT`");
    entry.host = *host;
  }
  std::string wrong = parse_pairs(line, entry);
  if (!wrong.empty()) return std::unexpected(wrong);
  return entry;
}

}  // namespace hikyaku::config
