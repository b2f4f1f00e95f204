// SPDX-License-Identifier: MIT
#include "daemon/mail/intake.h"

#include <algorithm>
#include <vector>

#include "daemon/base/text.h"
#include "daemon/mail/address.h"
#include "daemon/mail/address_list.h"

namespace hikyaku::mail {
namespace {

// The line limit of RFC 5322 2.1.1: a line without a colon up to here is not a field.
constexpr std::size_t kMaxHeld = 998;

bool may_stand_in_name(char c) { return c > ' ' && c < 0x7f && c != ':'; }

constexpr std::string_view kResent = "Resent-";
constexpr std::string_view kFields[] = {"From", "Sender", "Reply-To", "To", "Cc"};

// A display name encoded by RFC 2047 is not a local user name.
bool is_encoded_word(std::string_view text) { return text.starts_with("=?") && text.ends_with("?="); }

bool lacks_only_domain(const ListedMailbox& mailbox, std::string_view domain) {
  if (mailbox.has_domain || is_encoded_word(mailbox.address)) return false;
  auto path = parse_path(mailbox.address, {.default_domain = domain});
  return path && path->address.size() == mailbox.address.size() + 1 + domain.size();
}

}  // namespace

void IntakeFilter::feed(std::string_view in, std::string& out) {
  while (!in.empty()) {
    if (state_ == State::body) {
      out.append(in);
      return;
    }
    if (state_ == State::passing || state_ == State::dropping) {
      in.remove_prefix(finish_line(in, out));
    } else {
      classify(in.front(), out);
      in.remove_prefix(1);
    }
  }
}

std::size_t IntakeFilter::finish_line(std::string_view in, std::string& out) {
  std::size_t end = in.find('\n');
  std::size_t length = end == in.npos ? in.size() : end + 1;
  if (state_ == State::passing) take(in.substr(0, length), out);
  if (end != in.npos) state_ = State::line_start;
  return length;
}

void IntakeFilter::classify(char c, std::string& out) {
  if (state_ == State::line_start) {
    classify_first(c, out);
  } else if (c == ':') {
    begin_field(out);
  } else {
    classify_name(c, out);
  }
}

void IntakeFilter::classify_first(char c, std::string& out) {
  bool continuation = is_blank(c) && seen_field_;
  if (!continuation) end_field(out);
  if (may_stand_in_name(c)) {
    held_ = c;
    state_ = State::name;
  } else if (continuation) {
    take(std::string_view(&c, 1), out);
    state_ = State::passing;
  } else {
    begin_body(std::string_view(&c, 1), c != '\r',
               out);  // in canonical content this CR belongs to the blank line
  }
}

void IntakeFilter::classify_name(char c, std::string& out) {
  if (state_ == State::name) name_length_ = held_.size();
  bool in_name = state_ == State::name && may_stand_in_name(c);
  held_ += c;
  if ((in_name || is_blank(c)) && held_.size() <= kMaxHeld) {
    if (!in_name) state_ = State::after_name;
  } else if (at_start_ && held_.starts_with("From ")) {
    dropped_mbox_line_ = true;
    at_start_ = false;
    held_.clear();
    state_ = State::dropping;
  } else {
    begin_body(held_, true, out);
  }
}

void IntakeFilter::begin_field(std::string& out) {
  std::size_t length = state_ == State::name ? held_.size() : name_length_;
  std::string_view name = std::string_view(held_).substr(0, length);
  if (equals_ignoring_case(name, "Received")) ++received_count_;
  seen_date_ |= equals_ignoring_case(name, "Date");
  seen_message_id_ |= equals_ignoring_case(name, "Message-ID");
  seen_from_ |= equals_ignoring_case(name, "From");
  gathers_ = !options_.as_it_is && is_address_field(name);
  names_sender_ = is_sender_field(name);
  out += cat(held_, ":");
  held_.clear();
  at_start_ = false;
  seen_field_ = true;
  state_ = State::passing;
}

// Takes the rest of the current field.
void IntakeFilter::take(std::string_view bytes, std::string& out) {
  if (!gathers_) {
    out += bytes;
    return;
  }
  gathered_ += bytes;
  if (gathered_.size() <= kLongestAddressField) return;
  out += gathered_;
  gathered_ = std::string();
  gathers_ = false;
}

void IntakeFilter::end_field(std::string& out) {
  if (!gathers_) return;
  added_domain_ |= qualify_addresses(gathered_, options_.domain);
  if (names_sender_) masqueraded_ |= options_.masquerade.apply_to_field(gathered_);
  out += gathered_;
  gathered_.clear();
  gathers_ = false;
}

void IntakeFilter::begin_body(std::string_view first, bool blank_line_missing, std::string& out) {
  add_missing_fields(out);
  if (blank_line_missing) out += "\r\n";
  added_blank_line_ = blank_line_missing;
  out += first;
  held_.clear();
  state_ = State::body;
}

void IntakeFilter::add_missing_fields(std::string& out) {
  if (options_.as_it_is) return;
  if (!seen_date_) out += cat("Date: ", to_rfc5322_date(options_.now), "\r\n");
  if (!seen_message_id_) out += cat("Message-ID: ", options_.message_id, "\r\n");
  if (seen_from_) return;
  bool null_sender = options_.sender.empty();
  out += cat("From: ", null_sender ? cat("MAILER-DAEMON@", options_.domain) : to_addr_spec(options_.sender),
             "\r\n");
}

void IntakeFilter::finish(std::string& out) {
  if (state_ == State::body) return;
  if (state_ == State::passing) take("\r\n", out);  // the content ended inside a field's line
  end_field(out);
  begin_body(held_, true, out);
}

std::string IntakeFilter::fixed() const {
  if (state_ != State::body || options_.as_it_is) return {};
  std::vector<std::string> fixes;
  if (dropped_mbox_line_) fixes.emplace_back("mbox");
  if (added_blank_line_) fixes.emplace_back("blankline");
  if (!seen_date_) fixes.emplace_back("date");
  if (!seen_message_id_) fixes.emplace_back("msgid");
  if (!seen_from_) fixes.emplace_back("from");
  if (added_domain_) fixes.emplace_back("domain");
  if (masqueraded_) fixes.emplace_back("masquerade");
  return join(fixes, ",");
}

bool is_address_field(std::string_view name) {
  if (starts_with_ignoring_case(name, kResent)) name.remove_prefix(kResent.size());
  return std::ranges::any_of(kFields, [name](auto field) { return equals_ignoring_case(field, name); });
}

bool qualify_addresses(std::string& value, std::string_view domain) {
  std::string qualified;
  std::size_t done = 0;
  for (const ListedMailbox& mailbox : parse_address_list(value).mailboxes) {
    if (!lacks_only_domain(mailbox, domain)) continue;
    qualified += cat(value.substr(done, mailbox.end - done), "@", domain);
    done = mailbox.end;
  }
  if (done == 0) return false;
  value = qualified.append(value, done);
  return true;
}

}  // namespace hikyaku::mail
