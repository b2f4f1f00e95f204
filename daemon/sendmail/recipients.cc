// SPDX-License-Identifier: MIT
#include "daemon/sendmail/recipients.h"

#include <algorithm>
#include <span>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/mail/address.h"
#include "daemon/mail/address_list.h"

namespace hikyaku::sendmail {
namespace {

// Stands in for the domain that the daemon will add, so that the address can be checked.
constexpr std::string_view kSomeDomain = "localhost";

std::unexpected<Failure> bad_address(std::string_view where, std::string_view text, std::string_view why) {
  return fail(Exit::damaged, cat(where, " `", printable(trim(text), 80), "`: ", why, "; nothing was sent"));
}

Result<void, Failure> judge(const mail::ListedMailbox& mailbox, std::string_view where) {
  auto path = mail::parse_path(cat("<", mailbox.address, ">"), {kSomeDomain, false, true});
  if (path) return {};
  return bad_address(where, mailbox.address, path.error().text);
}

// The first block of consecutive Resent fields; empty if there is none. A block also ends where a field
// repeats that occurs only once in each resending.
std::span<const Field> latest_sending(const Fields& fields) {
  auto is_resent = [](const Field& field) { return starts_with_ignoring_case(field.name(), "Resent-"); };
  auto begin = std::ranges::find_if(fields, is_resent);
  auto end = begin;
  std::vector<std::string> once;
  for (; end != fields.end() && is_resent(*end); ++end) {
    std::string name = to_lower(end->name());
    bool repeats = std::ranges::find(once, name) != once.end();
    if (repeats) break;
    if (name == "resent-from" || name == "resent-date" || name == "resent-message-id") once.push_back(name);
  }
  return {begin, end};
}

bool is_any(const Field& field, std::string_view to, std::string_view cc, std::string_view bcc) {
  return field.is(to) || field.is(cc) || field.is(bcc);
}

bool names_recipient(const Field& field) { return is_any(field, "To", "Cc", "Bcc"); }
bool names_resent_recipient(const Field& field) {
  return is_any(field, "Resent-To", "Resent-Cc", "Resent-Bcc");
}

std::string key_of(const Address& address) {
  return cat(mail::local_part_of(address), "@", to_lower(mail::domain_of(address)));
}

}  // namespace

Result<void, Failure> Recipients::add_operand(std::string_view operand) {
  if (trim(operand).empty()) return fail(Exit::usage, "a recipient is empty; nothing was sent");
  // In a header a line end is a fold; in an argument it is an attempt to inject a header.
  bool has_control = std::ranges::any_of(operand, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
  if (has_control) return bad_address("recipient", operand, "a line end or another control character");
  return add_list(operand, "recipient");
}

Result<void, Failure> Recipients::add_header(const Fields& fields) {
  auto block = latest_sending(fields);
  bool resent = std::ranges::any_of(block, names_resent_recipient);
  for (const Field& field : resent ? block : std::span<const Field>(fields)) {
    if (resent ? !names_resent_recipient(field) : !names_recipient(field)) continue;
    if (auto added = add_list(field.value(), cat(field.name(), ":")); !added) return added;
  }
  return {};
}

Result<void, Failure> Recipients::add_list(std::string_view list, std::string_view where) {
  mail::AddressList parsed = mail::parse_address_list(list);
  if (parsed.problem) return bad_address(where, list.substr(parsed.problem->at), parsed.problem->text);
  for (auto& mailbox : parsed.mailboxes) {
    if (auto judged = judge(mailbox, where); !judged) return judged;
    std::string key = key_of(mailbox.address);
    if (seen_.insert(key).second) addresses_.push_back(std::move(mailbox.address));
  }
  return {};
}

Result<Address, Failure> sender_of(std::string_view text) {
  mail::AddressList parsed = mail::parse_address_list(text);
  if (parsed.problem) return bad_address("sender", text, parsed.problem->text);
  if (parsed.mailboxes.empty()) return Address();
  if (parsed.mailboxes.size() > 1) return bad_address("sender", text, "more than one address");
  if (auto judged = judge(parsed.mailboxes[0], "sender"); !judged) return std::unexpected(judged.error());
  return std::move(parsed.mailboxes[0].address);
}

Result<Address, Failure> sender_of(const Fields& fields) {
  auto block = latest_sending(fields);
  auto resent = std::ranges::find_if(block, [](const Field& field) { return field.is("Resent-From"); });
  auto from = std::ranges::find_if(fields, [](const Field& field) { return field.is("From"); });
  if (resent == block.end() && from == fields.end()) return Address();
  mail::AddressList parsed =
      mail::parse_address_list(resent != block.end() ? resent->value() : from->value());
  if (parsed.mailboxes.empty()) return Address();
  if (auto judged = judge(parsed.mailboxes[0], "From:"); !judged) return std::unexpected(judged.error());
  return std::move(parsed.mailboxes[0].address);
}

Address address_of_user(std::string_view name) {
  constexpr std::string_view kOthers = "!#$%&'*+-/=?^_`{|}~.";
  bool is_plain = std::ranges::all_of(name, [kOthers](char c) {
    return is_alpha(c) || is_digit(c) || static_cast<unsigned char>(c) >= 0x80 ||
           kOthers.find(c) != kOthers.npos;
  });
  if (is_plain && !name.empty()) return Address(name);
  Address quoted = "\"";
  for (char c : name) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

bool needs_smtputf8(const Address& sender, const std::vector<Address>& recipients) {
  return !is_ascii(sender) || !std::ranges::all_of(recipients, [](const auto& one) { return is_ascii(one); });
}

}  // namespace hikyaku::sendmail
