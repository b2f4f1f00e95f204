// SPDX-License-Identifier: MIT
#include "daemon/config/rewriting_keys.h"

#include <algorithm>

#include "daemon/base/text.h"
#include "daemon/mail/address.h"

namespace hikyaku::config {
namespace {

using mail::KeepOriginal;
using mail::Rewriting;

constexpr std::size_t kLongestField = 998;  // a line, RFC 5322 2.1.1

// A mail has each of these once, or they are traces that only their makers may leave.
constexpr std::string_view kNotAdded[] = {
    "From",        "Sender",       "Reply-To",       "To",
    "Cc",          "Bcc",          "Subject",        "Date",
    "Message-ID",  "References",   "In-Reply-To",    "Received",
    "Return-Path", "MIME-Version", "DKIM-Signature", "Authentication-Results"};
constexpr std::string_view kNotAddedGroups[] = {"Content-", "Resent-", "ARC-"};
// Without these a mail is refused, or cannot be read.
constexpr std::string_view kNotRemoved[] = {"From", "Date", "Received", "MIME-Version"};
constexpr std::string_view kNotRemovedGroups[] = {"Content-"};

constexpr std::string_view kFieldName = "the name of a header field, such as X-Tag";

bool is_one_of(std::string_view name, auto& names, auto& groups) {
  return std::ranges::any_of(names, [name](auto each) { return equals_ignoring_case(each, name); }) ||
         std::ranges::any_of(groups, [name](auto each) { return starts_with_ignoring_case(name, each); });
}

bool is_printable_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 0x7f; });
}

// What is wrong with adding such a field, or nothing.
std::string objection(std::string_view name, std::string_view value) {
  if (!mail::is_field_name(name)) return cat("must be ", kFieldName);
  if (equals_ignoring_case(name, "From") || equals_ignoring_case(name, "Sender"))
    return "cannot be added; the key `from` says which address mail leaves with";
  if (is_one_of(name, kNotAdded, kNotAddedGroups))
    return "cannot be added: this field belongs to who wrote the mail, or to the servers on its way";
  if (!is_printable_ascii(value) || trim(value).empty())
    return "must be printable ASCII; write other characters as encoded words (RFC 2047)";
  const bool is_long = name.size() + 2 + value.size() > kLongestField;
  return is_long ? cat("must fit into a line, ", std::to_string(kLongestField), " bytes with its name") : "";
}

void read_add(const Value& value, Rewriting& rules) {
  if (!value.is_map()) return value.problem("must be a mapping of fields, such as {X-Tag: shop}");
  for (const Value::Member& member : value.members()) {
    auto text = member.value.as_text("the text of this field");
    if (!text) continue;
    const std::string wrong = objection(member.name, *text);
    if (wrong.empty())
      rules.add.push_back({member.name, *text});
    else
      member.key.problem(wrong);
  }
}

void read_remove(const Value& value, Rewriting& rules) {
  for (const Value& element : value.elements()) {
    const std::string_view name = element.text().value_or("");
    if (!mail::is_field_name(name))
      element.problem(cat("must be ", kFieldName));
    else if (equals_ignoring_case(name, "Received"))
      element.problem(
          "cannot be removed: mail that goes in circles is known by it; `received: private` hides who handed "
          "it in");
    else if (is_one_of(name, kNotRemoved, kNotRemovedGroups))
      element.problem("cannot be removed: without it the mail would be refused, or could not be read");
    else
      rules.remove.emplace_back(name);
  }
}

Read<Rewriting> address_key(std::string Rewriting::* member) {
  return {[member](const Value& value, Rewriting& rules) {
            if (auto address = own_address(value)) rules.*member = *address;
          },
          showing(member)};
}

void read_null_sender(const Value& value, Rewriting& rules) {
  if (value.text() == "keep") return rules.null_sender.clear();
  if (auto address = own_address(value)) rules.null_sender = *address;
}
std::optional<YamlNode> show_null_sender(const Rewriting& rules) {
  return to_node(rules.null_sender.empty() ? std::string_view("keep") : rules.null_sender);
}

std::optional<YamlNode> show_add(const Rewriting& rules) {
  YamlNode map = map_node();
  for (const mail::HeaderField& field : rules.add) add_member(map, field.name, to_node(field.value));
  return map;
}

}  // namespace

std::optional<std::string> own_address(const Value& value) {
  const std::string_view text = value.text().value_or("");
  auto path = mail::parse_path(text, {});
  if (path && path->address == text) return path->address;
  const bool has_more = text.find('@') != text.npos && text.find_first_of(" <>") != text.npos;
  value.problem(has_more ? "must be an address alone, such as me@example.com; the name in From stays as it is"
                         : "must be an address such as me@example.com");
  return std::nullopt;
}

void apply_from(const Value& value, const std::string& address, Rewriting& rules) {
  if (!rules.envelope_from.empty() || !rules.header_from.empty())
    return value.problem(
        "`from` is short for `rewrite.envelope_from` and `rewrite.header_from`; write it, or these");
  rules.envelope_from = rules.header_from = address;
}

const Schema<Rewriting>& rewrite_schema() {
  static const Schema<Rewriting> kSchema{
      {"envelope_from", address_key(&Rewriting::envelope_from)},
      {"header_from", address_key(&Rewriting::header_from)},
      {"null_sender", custom(read_null_sender, show_null_sender)},
      {"unless", patterns(&Rewriting::unless)},
      {"keep_original", choice(&Rewriting::keep_original, {{"reply-to", KeepOriginal::reply_to},
                                                           {"x-original-from", KeepOriginal::x_original_from},
                                                           {"none", KeepOriginal::none}})},
  };
  return kSchema;
}

const Schema<Rewriting>& headers_schema() {
  static const Schema<Rewriting> kSchema{{"add", custom(read_add, show_add)},
                                         {"remove", custom(read_remove, &Rewriting::remove)}};
  return kSchema;
}

Read<Rewriting> received_key() {
  return choice(&Rewriting::is_received_private, {{"full", false}, {"private", true}});
}

}  // namespace hikyaku::config
