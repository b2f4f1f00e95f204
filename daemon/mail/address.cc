// SPDX-License-Identifier: MIT
#include "daemon/mail/address.h"

#include <algorithm>

#include "daemon/base/ip.h"
#include "daemon/base/text.h"

namespace hikyaku::mail {
namespace {

constexpr std::size_t kMaxLocalPart = 64;
constexpr std::size_t kMaxDomain = 255;
constexpr std::size_t kMaxAddress = 254;  // a path of 256 bytes, less its brackets
constexpr std::size_t kMaxLabel = 63;

bool is_8bit(char c) { return static_cast<unsigned char>(c) >= 0x80; }
bool is_control(char c) { return (c >= 0 && c < ' ') || c == 0x7f; }

bool has_control(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool c1 = text[i] == '\xc2' && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (is_control(text[i]) || c1) return true;
  }
  return false;
}

bool is_atext_or_dot(char c) {
  constexpr std::string_view kOthers = ".!#$%&'*+-/=?^_`{|}~";
  return is_alpha(c) || is_digit(c) || is_8bit(c) || kOthers.find(c) != kOthers.npos;
}

std::unexpected<PathError> syntax_error() { return fail(PathErrorKind::syntax, "bad address syntax"); }

// The length of the quoted string at the front of `text`, quotes included; 0 if it is not closed.
std::size_t quoted_length(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return 0;
}

std::size_t local_part_length(std::string_view mailbox) {
  if (mailbox.starts_with('"')) return quoted_length(mailbox);
  auto end = std::ranges::find_if_not(mailbox, is_atext_or_dot);
  return static_cast<std::size_t>(end - mailbox.begin());
}

// Several addresses in one path get their own error, because some applications send comma-separated
// recipients.
std::unexpected<PathError> judge_syntax(std::string_view text) {
  std::size_t at_signs = static_cast<std::size_t>(std::ranges::count(text, '@'));
  bool separated = text.find_first_of(",; >") != text.npos;
  if (at_signs < 2 || !separated || text.find('"') != text.npos) return syntax_error();
  return fail(PathErrorKind::several, "several addresses in one command");
}

// "@a,@b:user@host" (RFC 5321 4.1.2, A-d-l): leaves "user@host".
bool drop_source_route(std::string_view& path) {
  if (!path.starts_with('@')) return true;
  std::size_t colon = path.find(':');
  if (colon == path.npos) return false;
  for (std::string_view hop : split(path.substr(0, colon), ','))
    if (!hop.starts_with('@') || !is_domain(hop.substr(1), true)) return false;
  path.remove_prefix(colon + 1);
  return true;
}

// Removes the angle brackets if there are any; returns false if there is only one.
bool drop_brackets(std::string_view& path, bool& lenient) {
  if (!path.starts_with('<')) {
    lenient = true;
    return true;
  }
  if (path.size() < 2 || !path.ends_with('>')) return false;
  path = path.substr(1, path.size() - 2);
  return true;
}

Result<std::string, PathError> parse_mailbox(std::string_view mailbox, const PathOptions& options) {
  std::size_t length = local_part_length(mailbox);
  bool bare = length == mailbox.size();
  if (length == 0 || (!bare && mailbox[length] != '@')) return syntax_error();
  std::string_view domain = bare ? options.default_domain : mailbox.substr(length + 1);
  if (length > kMaxLocalPart || domain.size() > kMaxDomain || length + 1 + domain.size() > kMaxAddress)
    return fail(PathErrorKind::too_long, "address too long");
  if (!is_domain(domain, true) && !is_address_literal(domain)) return syntax_error();
  return cat(mailbox.substr(0, length), "@", domain);
}

// Checks for bytes that no address may contain, and for bytes that need SMTPUTF8.
Result<void, PathError> check_bytes(std::string_view text, bool smtputf8) {
  if (has_control(text)) return syntax_error();
  if (is_ascii(text)) return {};
  if (!smtputf8) return fail(PathErrorKind::needs_smtputf8, "address needs SMTPUTF8");
  if (!is_valid_utf8(text)) return syntax_error();
  return {};
}

bool is_label(std::string_view label, bool smtputf8) {
  return !label.empty() && label.size() <= kMaxLabel && std::ranges::all_of(label, [smtputf8](char c) {
    return is_alpha(c) || is_digit(c) || c == '-' || c == '_' || (smtputf8 && is_8bit(c));
  });
}

bool is_dot_atom(std::string_view local) {
  return !local.starts_with('.') && !local.ends_with('.') && local.find("..") == local.npos;
}

}  // namespace

Result<ParsedPath, PathError> parse_path(std::string_view text, const PathOptions& options) {
  std::string_view path = trim(text);
  ParsedPath parsed{.address = {}, .lenient = path.size() != text.size()};
  if (path.empty()) return fail(PathErrorKind::missing, "no address");
  if (auto bytes = check_bytes(path, options.smtputf8); !bytes) return std::unexpected(bytes.error());
  if (!drop_brackets(path, parsed.lenient)) return judge_syntax(path);
  if (path.empty() && options.allow_null) return parsed;
  if (path.empty()) return fail(PathErrorKind::missing, "<> is not allowed here");
  if (!drop_source_route(path)) return judge_syntax(path);
  auto mailbox = parse_mailbox(path, options);
  if (!mailbox && mailbox.error().kind == PathErrorKind::syntax) return judge_syntax(path);
  if (!mailbox) return std::unexpected(mailbox.error());
  parsed.address = std::move(*mailbox);
  parsed.is_bare = local_part_length(path) == path.size();
  return parsed;
}

PathAndRest split_path(std::string_view text) {
  std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  bool bracketed = text.substr(begin).starts_with('<');
  for (std::size_t i = begin; i < text.size(); ++i) {
    if (text[i] == '"') {
      std::size_t length = quoted_length(text.substr(i));
      if (length == 0) break;
      i += length - 1;
    } else if (bracketed ? text[i] == '>' : is_blank(text[i])) {
      std::size_t end = bracketed ? i + 1 : i;
      return {text.substr(0, end), text.substr(end)};
    }
  }
  return {text, {}};
}

std::string_view local_part_of(std::string_view address) {
  return address.substr(0, std::min(address.rfind('@'), address.size()));
}

std::string_view domain_of(std::string_view address) {
  std::size_t at = address.rfind('@');
  return at == address.npos ? std::string_view() : address.substr(at + 1);
}

std::string to_addr_spec(std::string_view address) {
  std::string_view local = local_part_of(address);
  if (local.starts_with('"') || is_dot_atom(local)) return std::string(address);
  return cat("\"", local, "\"@", domain_of(address));
}

bool is_domain(std::string_view text, bool smtputf8) {
  if (text.size() > kMaxDomain) return false;
  return std::ranges::all_of(split(text, '.'), [smtputf8](auto label) { return is_label(label, smtputf8); });
}

bool is_address_literal(std::string_view text) {
  if (text.size() < 3 || !text.starts_with('[') || !text.ends_with(']')) return false;
  text = text.substr(1, text.size() - 2);
  bool v6 = starts_with_ignoring_case(text, "IPv6:");
  if (v6) text.remove_prefix(5);
  return IpAddress::parse(text).has_value() && v6 == (text.find(':') != text.npos);
}

bool is_same_address(std::string_view a, std::string_view b) {
  return local_part_of(a) == local_part_of(b) && equals_ignoring_case(domain_of(a), domain_of(b));
}

}  // namespace hikyaku::mail
