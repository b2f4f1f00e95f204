// SPDX-License-Identifier: MIT
#include "daemon/config/authinfo_notations.h"

#include <algorithm>
#include <utility>

#include "daemon/base/base64.h"
#include "daemon/base/text.h"
#include "daemon/config/hostname.h"

namespace hikyaku::config {

std::optional<AuthinfoEntry> parse_postfix_line(std::string_view line) {
  std::size_t gap = line.find_first_of(" \t");
  if (gap == line.npos) return std::nullopt;
  auto target = parse_host_port(line.substr(0, gap));
  std::string_view login = trim(line.substr(gap));
  std::size_t colon = login.find(':');
  if (!target || colon == 0 || colon == login.npos || colon + 1 == login.size()) return std::nullopt;
  std::string_view user = login.substr(0, colon);
  if (user.find_first_of(" \t") != user.npos) return std::nullopt;
  AuthinfoEntry entry{target->host, target->port, {}, AuthinfoNotation::postfix};
  entry.credentials.user = user;
  entry.credentials.password = Secret(std::string(login.substr(colon + 1)));
  return entry;
}

std::optional<AuthinfoEntry> parse_clsmtpc_line(std::string_view line) {
  std::size_t first = line.find(':');
  std::size_t second = first == line.npos ? line.npos : line.find(':', first + 1);
  // "[2001:db8::1] …" is a host, not a user of the host "db8".
  if (first == 0 || second == line.npos || line.starts_with('[')) return std::nullopt;
  auto host = parse_host(line.substr(first + 1, second - first - 1));
  std::string_view password = trim(line.substr(second + 1));
  if (!host || password.empty()) return std::nullopt;
  AuthinfoEntry entry{*host, {}, {}, AuthinfoNotation::clsmtpc};
  entry.credentials.user = line.substr(0, first);
  entry.credentials.password = Secret(std::string(password));
  return entry;
}

namespace {

// The notation of netrc and of Emacs' .authinfo: pairs of words, an entry a line.

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

// nullopt if a quote does not end properly.
std::optional<std::string> take_word(std::string_view& rest) {
  rest = trim(rest);
  if (rest.starts_with('"') || rest.starts_with('\'')) return take_quoted(rest);
  return take_bare(rest);
}

std::string put_port(const std::string& value, AuthinfoEntry& entry) {
  entry.port = parse_port(value);
  return entry.port ? "" : "needs a number from 1 to 65535 after `port`, or smtp, submission or submissions";
}

// Returns what is wrong, or an empty string.
std::string put_pair(std::string_view name, const std::string& value, AuthinfoEntry& entry) {
  if (name == "port") return put_port(value, entry);
  if (name == "login" || name == "user") {
    entry.credentials.user = value;
  } else if (name == "password") {
    entry.credentials.password = Secret(value);
  } else if (name != "account") {  // of netrc; ignored
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

// sendmail's notation, from its access map: AuthInfo:HOST and fields "TDvalue" in double quotes, where T is
// U, I, P, R or M, and D is : for plain text or = for Base64.

constexpr std::string_view kPrefix = "AuthInfo:";

// Takes the next "field" off `rest`, without its quotes.
Result<std::string_view, std::string> take_field(std::string_view& rest) {
  if (!rest.starts_with('"')) return std::unexpected("is not in double quotes");
  std::size_t end = rest.find('"', 1);
  if (end == rest.npos) return std::unexpected("has no closing double quote");
  std::string_view field = rest.substr(1, end - 1);
  rest.remove_prefix(end + 1);
  if (!rest.empty() && !is_blank(rest.front()))
    return std::unexpected(
        "has a double quote inside; write its value in Base64, with = instead of the colon");
  rest = trim(rest);
  return field;
}

Result<std::string, std::string> value_of(std::string_view field) {
  if (field.size() < 2 || (field[1] != ':' && field[1] != '='))
    return std::unexpected("must be one of U, I, P, R, M, then : or =, then the value");
  std::string_view value = field.substr(2);
  if (field[1] == ':') return std::string(value);
  auto decoded = from_base64(value);
  if (!decoded) return std::unexpected("is not valid Base64 after the =");
  return *decoded;
}

std::vector<std::string> to_mechanisms(std::string_view value) {
  std::vector<std::string> mechanisms;
  for (std::string_view word : words(value)) mechanisms.push_back(to_upper(word));
  return mechanisms;
}

// Returns what is wrong, or an empty string.
std::string put_field(std::string_view field, mail::Credentials& into) {
  auto value = value_of(field);
  if (!value) return value.error();
  switch (to_upper(field[0])) {
    case 'U': into.authzid = *value; return {};
    case 'I': into.user = *value; return {};
    case 'P': into.password = Secret(std::move(*value)); return {};
    case 'R': into.realm = *value; return {};
    case 'M': into.mechanisms = to_mechanisms(*value); return {};
    default: return "must begin with U, I, P, R or M";
  }
}

Result<mail::Credentials, std::string> parse_fields(std::string_view rest) {
  mail::Credentials credentials;
  for (int number = 1; !rest.empty(); ++number) {
    auto field = take_field(rest);
    std::string wrong = field ? put_field(*field, credentials) : field.error();
    if (!wrong.empty())
      return std::unexpected(cat("field ", std::to_string(number), " after the host ", wrong));
  }
  return credentials;
}

// If one of U and I is missing, the other one is used, as sendmail does. An authorization id that only
// repeats the user is left out, which means the same (RFC 4616 2) and is not refused by servers that know
// no such id.
Result<mail::Credentials, std::string> complete(mail::Credentials credentials) {
  if (credentials.user.empty()) credentials.user = credentials.authzid;
  if (credentials.authzid == credentials.user) credentials.authzid.clear();
  if (credentials.user.empty()) return std::unexpected("needs the user, as \"I:user\" or \"U:user\"");
  if (credentials.password.empty())
    return std::unexpected("needs the password, as \"P:password\" or \"P=Base64\"");
  return credentials;
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

bool is_sendmail_line(std::string_view line) { return starts_with_ignoring_case(line, kPrefix); }

Result<AuthinfoEntry, std::string> parse_sendmail_line(std::string_view line) {
  line.remove_prefix(kPrefix.size());
  std::size_t end = std::min(line.find_first_of(" \t"), line.size());
  std::string_view name = line.substr(0, end);
  auto host = name.empty() ? std::optional<std::string>("") : parse_host(name);
  if (!host)
    return std::unexpected(
        "needs a host name or address after AuthInfo: (and no port: use netrc's notation)");
  auto credentials = parse_fields(trim(line.substr(end)));
  if (credentials) credentials = complete(std::move(*credentials));
  if (!credentials) return std::unexpected(credentials.error());
  return AuthinfoEntry{*host, {}, std::move(*credentials), AuthinfoNotation::sendmail};
}

}  // namespace hikyaku::config
