// SPDX-License-Identifier: MIT
#include "daemon/mail/header_rewriter.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/mail/address.h"
#include "daemon/mail/address_list.h"
#include "daemon/mail/intake.h"
#include "daemon/mail/received.h"

namespace hikyaku::mail {
namespace {

constexpr std::size_t kLongestLine = 998;  // RFC 5322 2.1.1, without CR LF
constexpr std::size_t kLongestTop = 4096;  // our own Received field is shorter
constexpr std::size_t kMostFields = 100;   // of one name
constexpr std::string_view kFrom = "From", kSender = "Sender", kReceived = "Received";
constexpr std::string_view kBlanks = " \t\r\n";

std::string_view name_for_original(KeepOriginal keep) {
  return keep == KeepOriginal::reply_to ? "Reply-To" : "X-Original-From";
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

// A whole field. Folded behind the name where the first line would be too long.
std::string field(std::string_view name, std::string_view text) {
  const bool is_apart = !text.empty() && kBlanks.contains(text.front());
  const std::size_t line = std::min(text.find('\r'), text.size());
  const bool fits = name.size() + 2 + line <= kLongestLine;
  const std::string_view between = !fits ? (is_apart ? ":\r\n" : ":\r\n ") : is_apart ? ":" : ": ";
  return cat(name, between, text, "\r\n");
}

// The length of the line that contains `at`, without CR LF.
std::size_t line_length(std::string_view text, std::size_t at) {
  const std::size_t before = text.rfind('\n', at);
  const std::size_t begin = before == text.npos ? 0 : before + 1;
  return std::min(text.find('\r', at), text.size()) - begin;
}

std::string on_its_own_line(std::string_view text) {
  return trimmed(text).empty() ? std::string(text) : cat("\r\n ", text);
}

// The entry with another address: all else stays as it is, unless its line becomes too long.
std::string with_address(std::string_view text, const ListedMailbox& entry, const std::string& address) {
  const std::string spot = entry.is_bracketed ? cat("<", address, ">") : address;
  std::string front(text.substr(entry.entry_begin, entry.spot_begin - entry.entry_begin));
  if (entry.has_at_in_name) front = " ";
  const std::string_view back = text.substr(entry.spot_end, entry.entry_end - entry.spot_end);
  const std::string whole = cat(front, spot, back);
  if (kSender.size() + 2 + line_length(whole, front.size()) <= kLongestLine) return whole;
  return cat(front, trimmed(front).empty() ? spot : on_its_own_line(spot), on_its_own_line(back));
}

bool is_whole(std::string_view text, const ListedMailbox& entry) {
  return entry.entry_begin == 0 && entry.entry_end == text.size() && !entry.has_at_in_name;
}

// The text of From or Sender with `address`.
std::string readdressed(std::string_view text, const std::string& address) {
  const AddressList list = parse_address_list(text);
  if (list.mailboxes.empty()) return address;
  const ListedMailbox& first = list.mailboxes.front();
  const std::string entry = with_address(text, first, address);
  return is_whole(text, first) ? entry : std::string(trimmed(entry));
}

// Exactly this mailbox, and nothing that would have to go.
bool has_only(std::string_view text, const std::string& address) {
  const AddressList list = parse_address_list(text);
  return !list.problem && list.mailboxes.size() == 1 && is_whole(text, list.mailboxes[0]) &&
         is_same_address(list.mailboxes[0].address, address);
}

bool stays(std::string_view text, const AddressPatterns& unless) {
  const AddressList list = parse_address_list(text);
  const auto matches = [&](const ListedMailbox& each) { return matches_any(unless, each.address); };
  return !list.problem && !list.mailboxes.empty() && std::ranges::all_of(list.mailboxes, matches);
}

bool is_answerable(const ListedMailbox& mailbox) {
  return mailbox.has_domain && parse_path(mailbox.address, {.default_domain = {}, .smtputf8 = true});
}

// What of From may stand in Reply-To: all of it, or the addresses that are in order.
std::string answerable(std::string_view text) {
  const AddressList list = parse_address_list(text);
  if (!list.problem && std::ranges::all_of(list.mailboxes, is_answerable) && !list.mailboxes.empty())
    return std::string(text);
  std::vector<std::string> addresses;
  for (const ListedMailbox& mailbox : list.mailboxes)
    if (is_answerable(mailbox)) addresses.push_back(to_addr_spec(mailbox.address));
  return join(addresses, ",\r\n ");
}

}  // namespace

std::string HeaderSurvey::Gathered::first() const {
  std::string text = texts.front();
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

void HeaderSurvey::feed(std::string_view in) {
  while (auto piece = scanner_.next(in)) {
    if (piece->part == HeaderPart::body) return;
    if (piece->part == HeaderPart::name)
      begin_field(piece->bytes);
    else
      gather(piece->bytes);
  }
}

void HeaderSurvey::begin_field(std::string_view piece) {
  const std::string_view name = field_name_of(piece);
  is_in_top_ = std::exchange(is_first_, false) && rules_.is_received_private && name == kReceived;
  if (is_in_top_) top_ = piece;
  if (equals_ignoring_case(name, name_for_original(rules_.keep_original)) && !is_removed(name))
    has_original_ = true;
  const bool is_from = equals_ignoring_case(name, kFrom);
  gathers_ = is_from ? &from_ : equals_ignoring_case(name, kSender) ? &sender_ : nullptr;
  if (gathers_ == nullptr) return;
  if (gathers_->texts.size() == kMostFields) return give_up_gathering();
  gathers_->texts.emplace_back();
}

void HeaderSurvey::gather(std::string_view text) {
  if (is_in_top_) gather_top(text);
  if (gathers_ == nullptr) return;
  gathers_->bytes += text.size();
  if (gathers_->bytes > kLongestAddressField) return give_up_gathering();
  gathers_->texts.back() += text;
}

void HeaderSurvey::gather_top(std::string_view text) {
  top_ += text;
  is_in_top_ = top_.size() <= kLongestTop;
  if (!is_in_top_) top_.clear();
}

void HeaderSurvey::give_up_gathering() {
  gathers_->is_too_much = true;
  gathers_->texts.back().clear();
  gathers_ = nullptr;
}

bool HeaderSurvey::is_removed(std::string_view name) const {
  return std::ranges::any_of(rules_.remove,
                             [name](const auto& each) { return equals_ignoring_case(each, name); });
}

HeaderPlan HeaderSurvey::plan() const {
  HeaderPlan plan;
  for (const std::string& name : rules_.remove) plan.changes.push_back({name, ""});
  if (!rules_.header_from.empty()) plan_from(plan);
  if (!top_.empty()) plan.top = without_client(top_);
  for (const HeaderField& each : rules_.add) plan.added += field(each.name, each.value);
  return plan;
}

bool HeaderSurvey::all_stay(const Gathered& gathered) const {
  return !gathered.texts.empty() && !gathered.is_too_much &&
         std::ranges::all_of(gathered.texts, [this](const auto& text) { return stays(text, rules_.unless); });
}

void HeaderSurvey::plan_from(HeaderPlan& plan) const {
  const std::string address = to_addr_spec(rules_.header_from);
  if (all_stay(from_)) return plan_sender(plan, address);
  if (!sender_.texts.empty()) plan.changes.push_back({std::string(kSender), ""});
  if (from_.texts.empty()) {
    plan.added += field(kFrom, address);
  } else if (from_.texts.size() > 1 || !has_only(from_.first(), address)) {
    plan.changes.push_back({std::string(kFrom), field(kFrom, readdressed(from_.first(), address))});
    plan.added += original();
  }
}

// From stays.
void HeaderSurvey::plan_sender(HeaderPlan& plan, const std::string& address) const {
  if (sender_.texts.empty() || all_stay(sender_)) return;
  const std::string text = sender_.first();
  const bool is_from = from_.texts.size() == 1 && has_only(from_.first(), address);
  if (!is_from && sender_.texts.size() == 1 && has_only(text, address)) return;
  plan.changes.push_back({std::string(kSender), is_from ? "" : field(kSender, readdressed(text, address))});
}

// The field that keeps what stood in From, or nothing.
std::string HeaderSurvey::original() const {
  if (rules_.keep_original == KeepOriginal::none || has_original_) return {};
  const bool is_reply_to = rules_.keep_original == KeepOriginal::reply_to;
  const std::string text = is_reply_to ? answerable(from_.first()) : from_.first();
  return trimmed(text).empty() ? "" : field(name_for_original(rules_.keep_original), text);
}

std::string_view HeaderRewriter::feed(std::string_view in, std::string& out) {
  while (!is_in_body()) {
    auto piece = scanner_.next(in);
    if (!piece) break;
    if (piece->part == HeaderPart::name)
      begin_field(piece->bytes, out);
    else if (piece->part == HeaderPart::body)
      begin_body(piece->bytes, out);
    else if (!drops_)
      pass(piece->bytes, out);
  }
  return in;
}

void HeaderRewriter::begin_field(std::string_view piece, std::string& out) {
  const bool is_top = std::exchange(is_first_, false) && plan_.top;
  const auto change = std::ranges::find_if(plan_.changes, [piece](const HeaderPlan::Change& each) {
    return equals_ignoring_case(each.name, field_name_of(piece));
  });
  drops_ = is_top || change != plan_.changes.end();
  if (is_top) {
    out += *plan_.top;
  } else if (!drops_) {
    pass(piece, out);
  } else if (auto done = done_.begin() + (change - plan_.changes.begin()); !*done) {
    out += change->instead;
    *done = true;
  }
}

void HeaderRewriter::pass(std::string_view bytes, std::string& out) {
  out += bytes;
  at_line_start_ = bytes.ends_with('\n');
}

// Without a blank line what is added could run into the body.
void HeaderRewriter::begin_body(std::string_view bytes, std::string& out) {
  const bool has_blank_line = bytes.front() == '\r' || bytes.front() == '\n';
  out += cat(plan_.added, has_blank_line ? "" : "\r\n", bytes);
}

void HeaderRewriter::finish(std::string& out) {
  if (is_in_body()) return;
  if (!at_line_start_) out += "\r\n";
  out += plan_.added;
  if (!scanner_.rest().empty()) out += cat("\r\n", scanner_.rest());
}

std::string rewritten(std::string_view message, const Rewriting& rules) {
  HeaderSurvey survey(rules);
  survey.feed(message);
  HeaderPlan plan = survey.plan();
  if (plan.is_empty()) return std::string(message);
  HeaderRewriter rewriter(std::move(plan));
  std::string out;
  const std::string_view rest = rewriter.feed(message, out);
  rewriter.finish(out);
  out += rest;
  return out;
}

}  // namespace hikyaku::mail
