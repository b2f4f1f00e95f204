// SPDX-License-Identifier: MIT
#include <algorithm>
#include <limits>
#include <span>

#include "daemon/base/text.h"
#include "daemon/mail/address.h"
#include "daemon/mail/smtp_command.h"

namespace hikyaku::mail {
namespace {

using Applied = std::expected<void, CommandError>;

constexpr std::uint64_t kMaxSize = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kMaxEnvid = 100;  // characters as received; RFC 3461 4.4
constexpr std::size_t kMaxOrcpt = 500;  // RFC 3461 4.2

constexpr char kHex[] = "0123456789ABCDEF";

bool is_beyond_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }
bool is_xchar(char c) { return (c > ' ' && c < 0x7f && c != '+' && c != '=') || is_beyond_ascii(c); }
bool is_printable(char c) { return c >= ' ' && c < 0x7f; }

// The character that "+XX" at the front of `text` encodes, if it is allowed.
std::optional<char> decode_hexchar(std::string_view text) {
  if (text.size() < 3) return std::nullopt;
  auto high = hex_value(text[1]);
  auto low = hex_value(text[2]);
  if (!high || !low || *high >= 8) return std::nullopt;
  char decoded = static_cast<char>(*high * 16 + *low);
  return is_printable(decoded) ? std::optional(decoded) : std::nullopt;
}

struct Parameter {
  std::string_view keyword;
  std::optional<std::string_view> value;  // nullopt: there was no "="
};

// A parameter of a command, and the function that applies its value.
template <class Target>
struct Known {
  std::string_view keyword;
  Applied (*apply)(std::optional<std::string_view> value, Target& target, const CommandOptions& options);
};

std::unexpected<CommandError> refuse_parameter(int code, EnhancedStatus enhanced, std::string_view text) {
  return std::unexpected(CommandError{.reply_code = code, .enhanced = enhanced, .text = std::string(text)});
}
std::unexpected<CommandError> malformed(std::string_view text) {
  return refuse_parameter(501, {5, 5, 4}, text);
}

std::unexpected<CommandError> unknown_parameter() {
  return refuse_parameter(555, {5, 5, 4}, "Unsupported parameter");
}

bool is_keyword(std::string_view text) {  // RFC 5321 4.1.2, esmtp-keyword
  auto fits = [](char c) { return is_alpha(c) || is_digit(c) || c == '-'; };
  return !text.empty() && text.front() != '-' && std::ranges::all_of(text, fits);
}

Parameter split_parameter(std::string_view word) {
  std::size_t equals = word.find('=');
  if (equals == word.npos) return {word, std::nullopt};
  return {word.substr(0, equals), word.substr(equals + 1)};
}

template <class Target>
Applied apply_one(const Parameter& parameter, std::span<const Known<Target>> table, std::uint32_t& seen,
                  Target& target, const CommandOptions& options) {
  if (!is_keyword(parameter.keyword)) return malformed("Malformed parameter");
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (!equals_ignoring_case(parameter.keyword, table[i].keyword)) continue;
    if (seen & (1U << i)) return malformed("Parameter given twice");
    seen |= 1U << i;
    return table[i].apply(parameter.value, target, options);
  }
  return unknown_parameter();
}

template <class Target>
Applied apply_all(std::string_view text, std::span<const Known<Target>> table, Target& target,
                  const CommandOptions& options) {
  std::uint32_t seen = 0;
  for (std::string_view word : words(text)) {
    Applied applied = apply_one(split_parameter(word), table, seen, target, options);
    if (!applied) return applied;
  }
  return {};
}

// RFC 1870 3: up to 20 digits, so that a client may name a size beyond 64 bits.
Applied apply_size(std::optional<std::string_view> value, command::Mail& mail, const CommandOptions&) {
  bool digits = value && !value->empty() && std::ranges::all_of(*value, [](char c) { return is_digit(c); });
  if (!digits || value->size() > 20) return malformed("Bad SIZE");
  auto size = parse_number(*value);
  if (!size || *size > kMaxSize) return refuse_parameter(552, {5, 3, 4}, "Message size exceeds fixed limit");
  mail.size = *size;
  return {};
}

Applied apply_body(std::optional<std::string_view> value, command::Mail& mail, const CommandOptions&) {
  if (value && equals_ignoring_case(*value, "7BIT")) {
    mail.envelope.body = Body::seven_bit;
  } else if (value && equals_ignoring_case(*value, "8BITMIME")) {
    mail.envelope.body = Body::eight_bit_mime;
  } else {
    return malformed("BODY must be 7BIT or 8BITMIME");
  }
  return {};
}

Applied apply_smtputf8(std::optional<std::string_view> value, command::Mail& mail, const CommandOptions&) {
  if (value) return malformed("SMTPUTF8 takes no value");
  mail.envelope.smtputf8 = true;
  return {};
}

Applied apply_ret(std::optional<std::string_view> value, command::Mail& mail, const CommandOptions&) {
  if (value && equals_ignoring_case(*value, "FULL")) {
    mail.envelope.ret = Ret::full;
  } else if (value && equals_ignoring_case(*value, "HDRS")) {
    mail.envelope.ret = Ret::headers;
  } else {
    return malformed("RET must be FULL or HDRS");
  }
  return {};
}

Applied apply_envid(std::optional<std::string_view> value, command::Mail& mail, const CommandOptions&) {
  auto envid = from_xtext(value.value_or(""));
  if (!envid || envid->empty() || value->size() > kMaxEnvid) return malformed("Bad ENVID");
  mail.envelope.envid = std::move(*envid);
  return {};
}

// RFC 4954 5: the original submitter. Not trusted and not passed on.
Applied apply_auth(std::optional<std::string_view> value, command::Mail&, const CommandOptions& options) {
  auto mailbox = from_xtext(value.value_or(""));
  PathOptions path{.default_domain = options.default_domain, .allow_null = true};
  if (!mailbox || !parse_path(*mailbox, path)) return malformed("Bad AUTH");
  return {};
}

// For anybody but a peer there is no such parameter.
Applied apply_handover(std::optional<std::string_view> value, command::Mail& mail,
                       const CommandOptions& options) {
  if (!options.is_peer) return unknown_parameter();
  mail.handover = parse_handover(value.value_or(""));
  if (!mail.handover) return malformed("Bad XHIKYAKU");
  return {};
}

Applied apply_notify(std::optional<std::string_view> value, command::Rcpt& rcpt, const CommandOptions&) {
  auto notify = parse_notify(value.value_or(""));
  if (!notify) return malformed("NOTIFY must be NEVER, or a list of SUCCESS, FAILURE and DELAY");
  rcpt.recipient.notify = *notify;
  return {};
}

// RFC 3461 4.2: "rfc822;" or another type of address, and the address as xtext.
Applied apply_orcpt(std::optional<std::string_view> value, command::Rcpt& rcpt,
                    const CommandOptions& options) {
  std::string_view orcpt = value.value_or("");
  std::size_t semicolon = std::min(orcpt.find(';'), orcpt.size());
  auto address = from_xtext(orcpt.substr(std::min(semicolon + 1, orcpt.size())), options.smtputf8);
  if (orcpt.size() > kMaxOrcpt || !is_keyword(orcpt.substr(0, semicolon)) || !address || address->empty())
    return malformed("Bad ORCPT");
  rcpt.recipient.orcpt = cat(orcpt.substr(0, semicolon), ";", *address);
  return {};
}

constexpr Known<command::Mail> kMailParameters[] = {
    {"SIZE", apply_size},   {"BODY", apply_body}, {"SMTPUTF8", apply_smtputf8},       {"RET", apply_ret},
    {"ENVID", apply_envid}, {"AUTH", apply_auth}, {kHandoverKeyword, apply_handover},
};
constexpr Known<command::Rcpt> kRcptParameters[] = {{"NOTIFY", apply_notify}, {"ORCPT", apply_orcpt}};

}  // namespace

std::string to_xtext(std::string_view decoded) {
  std::string encoded;
  for (char c : decoded) {
    auto byte = static_cast<unsigned char>(c);
    if (is_xchar(c)) {
      encoded += c;
    } else {
      encoded += {'+', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

std::optional<std::string> from_xtext(std::string_view encoded, bool smtputf8) {
  if (smtputf8 ? !is_valid_utf8(encoded) : !is_ascii(encoded)) return std::nullopt;
  std::string decoded;
  while (!encoded.empty()) {
    bool hexchar = encoded.front() == '+';
    if (!hexchar && !is_xchar(encoded.front())) return std::nullopt;
    auto c = hexchar ? decode_hexchar(encoded) : std::optional(encoded.front());
    if (!c) return std::nullopt;
    decoded += *c;
    encoded.remove_prefix(hexchar ? 3 : 1);
  }
  return decoded;
}

std::expected<void, CommandError> apply_parameters(std::string_view text, command::Mail& mail,
                                                   const CommandOptions& options) {
  return apply_all<command::Mail>(text, kMailParameters, mail, options);
}

std::expected<void, CommandError> apply_parameters(std::string_view text, command::Rcpt& rcpt,
                                                   const CommandOptions& options) {
  return apply_all<command::Rcpt>(text, kRcptParameters, rcpt, options);
}

}  // namespace hikyaku::mail
