// SPDX-License-Identifier: MIT
#include "daemon/config/authinfo_edit.h"

#include <algorithm>
#include <utility>

#include "daemon/base/base64.h"
#include "daemon/base/text.h"

namespace hikyaku::config {
namespace {

using mail::Credentials;

bool is_for_the_same(const AuthinfoEntry& a, const AuthinfoEntry& b) {
  return a.host == b.host && a.port == b.port && a.credentials.user == b.credentials.user;
}

bool holds_controls(std::string_view value) {
  return std::ranges::any_of(value, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// A word of netrc's notation; inside double quotes everything but a line end and a NUL can stand.
std::string quoted_if_needed(std::string_view value) {
  const bool is_plain =
      !value.empty() && value.find_first_of(" \"'\\") == value.npos && !holds_controls(value);
  if (is_plain) return std::string(value);
  std::string quoted = "\"";
  for (char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string netrc_line(const AuthinfoEntry& entry) {
  return cat(entry.host.empty() ? "default" : cat("machine ", entry.host),
             entry.port ? cat(" port ", std::to_string(*entry.port)) : "", " login ",
             quoted_if_needed(entry.credentials.user), " password ",
             quoted_if_needed(entry.credentials.password.reveal()));
}

std::string field(char type, std::string_view value) {
  if (value.empty()) return {};
  const bool is_plain = value.find('"') == value.npos && !holds_controls(value);
  return is_plain ? cat(" \"", std::string(1, type), ":", value, "\"")
                  : cat(" \"", std::string(1, type), "=", to_base64(value), "\"");
}

std::string sendmail_line(const AuthinfoEntry& entry) {
  const Credentials& login = entry.credentials;
  return cat("AuthInfo:", entry.host, field('U', login.authzid), field('I', login.user),
             field('P', login.password.reveal()), field('R', login.realm),
             field('M', join(login.mechanisms, " ")));
}

// In the two notations in which the password ends the line, what stands before it stays as it is: host and
// user are the same.
std::string with_other_password(const AuthinfoEntry& entry, std::string_view old_line) {
  const bool is_postfix = entry.notation == AuthinfoNotation::postfix;
  const std::size_t blanks = old_line.find_first_not_of(" \t");
  const std::size_t login = is_postfix ? old_line.find_first_of(" \t", blanks) : old_line.find(':') + 1;
  const std::size_t end = old_line.find(':', login);
  return cat(old_line.substr(0, end + 1), entry.credentials.password.reveal());
}

std::string line_for(const AuthinfoEntry& entry, std::string_view old_line) {
  switch (entry.notation) {
    case AuthinfoNotation::sendmail: return sendmail_line(entry);
    case AuthinfoNotation::netrc: return netrc_line(entry);
    case AuthinfoNotation::postfix:
    case AuthinfoNotation::clsmtpc: break;
  }
  return with_other_password(entry, old_line);
}

// Whether the line is read as this entry, and as nothing else.
bool says(std::string_view line, const AuthinfoEntry& entry) {
  auto read = parse_authinfo(line, "");
  if (!read || read->size() != 1) return false;
  Credentials found = read->front().credentials;
  found.origin = entry.credentials.origin;
  return read->front().host == entry.host && read->front().port == entry.port && found == entry.credentials;
}

struct Written {
  Secret line;
  AuthinfoNotation notation;
};

// The first of the notations, the line's own before all, that can hold the entry.
Result<Written, std::string> write_line(AuthinfoEntry entry, std::string_view old_line) {
  for (AuthinfoNotation notation : {entry.notation, AuthinfoNotation::netrc, AuthinfoNotation::sendmail}) {
    entry.notation = notation;
    Secret line(line_for(entry, old_line));
    if (says(line.reveal(), entry)) return Written{std::move(line), notation};
  }
  return std::unexpected(
      "cannot be written down for one port of the host, because user or password hold a line end or a NUL "
      "byte; leave the port out, or correct them");
}

struct Place {
  std::size_t begin = 0;
  std::size_t end = 0;  // without the line end
};

Place place_of(std::string_view text, unsigned line) {
  Place place;
  for (; line > 1; --line) place.begin = text.find('\n', place.begin) + 1;
  place.end = std::min(text.find('\n', place.begin), text.size());
  if (place.end > place.begin && text[place.end - 1] == '\r') --place.end;
  return place;
}

Result<AuthinfoChange, std::string> replace_entry(std::string_view text, const AuthinfoEntry& old,
                                                  AuthinfoEntry entry) {
  entry.notation = old.notation;
  entry.credentials.authzid = old.credentials.authzid;
  entry.credentials.realm = old.credentials.realm;
  entry.credentials.mechanisms = old.credentials.mechanisms;
  const Place place = place_of(text, old.line);
  auto written = write_line(std::move(entry), text.substr(place.begin, place.end - place.begin));
  if (!written) return std::unexpected(std::move(written.error()));
  Secret changed(cat(text.substr(0, place.begin), written->line.reveal(), text.substr(place.end)));
  return AuthinfoChange{std::move(changed), old.line, written->notation, false};
}

Result<AuthinfoChange, std::string> append_entry(std::string_view text, AuthinfoEntry entry) {
  entry.notation = AuthinfoNotation::netrc;
  auto written = write_line(std::move(entry), "");
  if (!written) return std::unexpected(std::move(written.error()));
  const bool is_open = !text.empty() && !text.ends_with('\n');
  const auto ends = std::ranges::count(text, '\n') + (is_open ? 1 : 0);
  Secret changed(cat(text, is_open ? "\n" : "", written->line.reveal(), "\n"));
  return AuthinfoChange{std::move(changed), static_cast<unsigned>(ends) + 1, written->notation, true};
}

}  // namespace

Result<AuthinfoChange, std::string> put_entry(std::string_view text, const Authinfo& entries,
                                              AuthinfoEntry entry) {
  auto old =
      std::ranges::find_if(entries, [&](const AuthinfoEntry& each) { return is_for_the_same(each, entry); });
  return old == entries.end() ? append_entry(text, std::move(entry))
                              : replace_entry(text, *old, std::move(entry));
}

Secret without_lines(std::string_view text, const std::vector<unsigned>& lines) {
  std::string kept;
  kept.reserve(text.size());  // no copy of a password is left behind by growing
  unsigned number = 0;
  while (!text.empty()) {
    const std::size_t length = std::min(text.find('\n'), text.size() - 1) + 1;
    if (!std::ranges::binary_search(lines, ++number)) kept += text.substr(0, length);
    text.remove_prefix(length);
  }
  return Secret(std::move(kept));
}

std::string_view to_text(AuthinfoNotation notation) {
  switch (notation) {
    case AuthinfoNotation::sendmail: return "sendmail";
    case AuthinfoNotation::netrc: return "netrc";
    case AuthinfoNotation::postfix: return "Postfix";
    case AuthinfoNotation::clsmtpc: break;
  }
  return "clsmtpc";
}

}  // namespace hikyaku::config
