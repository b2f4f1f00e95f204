// SPDX-License-Identifier: MIT
// A header by a smarthost's rules. Whatever the message: any cut gives the same; the body, and each field that
// no rule is about, are there byte for byte and in their order; there is exactly one From where one is forced,
// with that address alone, and no Sender beside it; no line is too long that was not before; nothing but the
// announced fields is new; and a second time nothing changes. The first byte chooses the rules, the second the
// cut, the rest is the message.
#include <algorithm>
#include <string>
#include <vector>

#include "daemon/base/text.h"
#include "daemon/mail/address.h"
#include "daemon/mail/address_list.h"
#include "daemon/mail/dot_stuffing.h"
#include "daemon/mail/header_rewriter.h"
#include "daemon/mail/received.h"
#include "tests/fuzz/fuzz.h"

using namespace hikyaku;
using namespace hikyaku::mail;

namespace {

constexpr std::string_view kAccount = "me@provider.example";
constexpr std::size_t kLongestLine = 998;

Rewriting rules_by(unsigned bits) {
  Rewriting rules;
  if ((bits & 1) != 0) rules.header_from = kAccount;
  if ((bits & 2) != 0) rules.unless = {AddressPattern::parse("*@x").value()};
  rules.keep_original = static_cast<KeepOriginal>((bits >> 2) % 3);
  if ((bits & 16) != 0) rules.add = {{"X-Added", "one"}, {"X-Added", "two"}};
  if ((bits & 32) != 0) rules.remove = {"X-Added", "To"};
  rules.is_received_private = (bits & 64) != 0;
  return rules;
}

struct Parts {
  std::vector<std::pair<std::string, std::string>> fields;  // the name, and the whole field with its line end
  std::string body;                                         // with the blank line before it
};

Parts parts_of(std::string_view message) {
  Parts parts;
  HeaderScanner scanner;
  while (auto piece = scanner.next(message)) {
    if (piece->part == HeaderPart::body) {
      parts.body += piece->bytes;
    } else if (piece->part == HeaderPart::name) {
      parts.fields.emplace_back(to_lower(field_name_of(piece->bytes)), piece->bytes);
    } else {
      parts.fields.back().second += piece->bytes;
    }
  }
  parts.body += scanner.rest();
  if (!parts.fields.empty() && !parts.fields.back().second.ends_with('\n'))
    parts.fields.back().second += "\r\n";
  return parts;
}

std::string in_pieces(std::string_view message, const Rewriting& rules, std::size_t size) {
  HeaderSurvey survey(rules);
  for (std::size_t at = 0; at < message.size(); at += size) survey.feed(message.substr(at, size));
  if (survey.plan().is_empty()) return std::string(message);
  HeaderRewriter rewriter(survey.plan());
  std::string out;
  for (std::size_t at = 0; at < message.size(); at += size)
    out += rewriter.feed(message.substr(at, size), out);
  rewriter.finish(out);
  return out;
}

std::size_t longest_line(std::string_view text) {
  std::size_t longest = 0;
  for (std::string_view line : split(text, '\n'))
    longest = std::max(longest, line.size() - (line.ends_with('\r') ? 1 : 0));
  return longest;
}

using Names = std::vector<std::string_view>;

// The fields with one of these names, or with none of them, one after the other.
std::vector<std::string> fields_of(const Parts& parts, const Names& names, bool with = true) {
  std::vector<std::string> fields;
  for (const auto& [name, field] : parts.fields)
    if ((std::ranges::find(names, name) != names.end()) == with) fields.push_back(field);
  return fields;
}

Names touched_by(const Rewriting& rules) {
  Names names{"x-added"};
  if (!rules.header_from.empty())
    names.insert(names.end(), {"from", "sender", "reply-to", "x-original-from"});
  if (!rules.remove.empty()) names.push_back("to");
  return names;
}

// The header's first field is our own Received, without its client if that is to go.
void hide_client(Parts& parts, const Rewriting& rules) {
  if (!rules.is_received_private || parts.fields.empty()) return;
  std::string& top = parts.fields.front().second;
  if (auto hidden = without_client(top); hidden && top.size() <= 4096) top = *hidden;
}

AddressList addresses_of(const std::string& field) {
  return parse_address_list(std::string_view(field).substr(field.find(':') + 1));
}

bool is_account_alone(const std::string& field) {
  const AddressList list = addresses_of(field);
  return !list.problem && list.mailboxes.size() == 1 && is_same_address(list.mailboxes[0].address, kAccount);
}

bool may_stay(const std::string& field, const Rewriting& rules) {
  const AddressList list = addresses_of(field);
  return !list.mailboxes.empty() && std::ranges::all_of(list.mailboxes, [&](const auto& mailbox) {
    return matches_any(rules.unless, mailbox.address);
  });
}

void check_from(const Parts& before, const Parts& after, const Rewriting& rules) {
  const auto from = fields_of(after, {"from"});
  const bool stays = from == fields_of(before, {"from"}) &&
                     std::ranges::all_of(from, [&](const auto& field) { return may_stay(field, rules); });
  if (stays && !from.empty()) return;
  check(from.size() == 1 && is_account_alone(from[0]), "From is not the account's alone");
  check(fields_of(after, {"sender"}).empty(), "there is a Sender beside it");
}

void check_original(const Parts& before, const Parts& after, const Rewriting& rules) {
  for (std::string_view name : {"reply-to", "x-original-from"}) {
    const auto had = fields_of(before, {name}), has = fields_of(after, {name});
    const bool is_for_it =
        (name == "reply-to" && rules.keep_original == KeepOriginal::reply_to) ||
        (name == "x-original-from" && rules.keep_original == KeepOriginal::x_original_from);
    check(had == has || (is_for_it && had.empty() && has.size() == 1),
          "an original From is where it may not be");
  }
}

void check_added(const Parts& before, const Parts& after, const Rewriting& rules) {
  auto expected = rules.remove.empty() ? fields_of(before, {"x-added"}) : std::vector<std::string>{};
  if (!rules.add.empty()) expected.insert(expected.end(), {"X-Added: one\r\n", "X-Added: two\r\n"});
  check(fields_of(after, {"x-added"}) == expected, "added fields are not as they should be");
  if (!rules.remove.empty()) check(fields_of(after, {"to"}).empty(), "a removed field is there");
}

void check_rest(Parts before, const Parts& after, const Rewriting& rules) {
  hide_client(before, rules);
  check(fields_of(before, touched_by(rules), false) == fields_of(after, touched_by(rules), false),
        "a field that no rule is about is changed");
  const bool has_blank_line = before.body.empty() || before.body[0] == '\r' || before.body[0] == '\n';
  check(after.body == before.body || (!has_blank_line && after.body == cat("\r\n", before.body)),
        "the body is changed");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Rewriting rules = rules_by(data[0]);
  const std::string message = canonicalised(test::as_text(data + 2, size - 2));
  const std::string result = rewritten(message, rules);
  check(in_pieces(message, rules, std::size_t{data[1]} % 16 + 1) == result, "the result depends on the cut");
  check(canonicalised(result) == result || message.empty(), "the result is not canonical");
  check(longest_line(result) <= std::max(kLongestLine, longest_line(message)), "a line is too long");
  const Parts before = parts_of(message), after = parts_of(result);
  check_rest(before, after, rules);
  check_added(before, after, rules);
  if (!rules.header_from.empty()) check_from(before, after, rules);
  if (!rules.header_from.empty()) check_original(before, after, rules);
  if (rules.add.empty() || !rules.remove.empty())
    check(rewritten(result, rules) == result, "a second time something changes");
  return 0;
}
