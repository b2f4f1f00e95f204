// SPDX-License-Identifier: MIT
// sendmail's notation, from its access map: AuthInfo:HOST and fields "TDvalue" in double quotes, where T is
// U, I, P, R or M, and D is : for plain text or = for Base64.
#include <algorithm>
#include <utility>

#include "daemon/base/base64.h"
#include "daemon/base/text.h"
#include "daemon/config/authinfo_notations.h"
#include "daemon/config/host.h"

namespace hikyaku::config {
namespace {

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

// Nothing, or what is wrong.
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

// sendmail takes a missing one of U and I from the other. An authorization id that only repeats the user is
// left out, which means the same (RFC 4616 2) and is not refused by servers that know no such id.
Result<mail::Credentials, std::string> complete(mail::Credentials credentials) {
  if (credentials.user.empty()) credentials.user = credentials.authzid;
  if (credentials.authzid == credentials.user) credentials.authzid.clear();
  if (credentials.user.empty()) return std::unexpected("needs the user, as \"I:user\" or \"U:user\"");
  if (credentials.password.empty())
    return std::unexpected("needs the password, as \"P:password\" or \"P=Base64\"");
  return credentials;
}

}  // namespace

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
  return AuthinfoEntry{*host, {}, std::move(*credentials)};
}

}  // namespace hikyaku::config
