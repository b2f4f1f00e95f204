// SPDX-License-Identifier: MIT
// Repairs the header of a message on its way into the spool, as a stream of canonical content
// (dot_stuffing.h). Fields pass unchanged, except that addresses without a domain get one
// (qualify_addresses()) and senders' host names may be hidden (masquerade.h); missing fields are added at the end of the header. The body is never changed. Linear
// time; memory is bounded by kLongestAddressField, not by lines, fields or the message.
//
// The header ends at the first line that is neither a field (a name of printable ASCII, blanks, a colon) nor,
// after a field, a continuation. If that line is not blank, a blank line is inserted and the line begins the
// body. An mbox "From " line at the very start is dropped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/base/clock.h"
#include "daemon/mail/masquerade.h"

namespace hikyaku::mail {

// A longer field passes unchanged. Servers accept headers of 100 KiB or less.
inline constexpr std::size_t kLongestAddressField = 64 * 1024;

struct IntakeOptions {
  std::string
      domain;  // for addresses without one, and for MAILER-DAEMON in the From of the null sender's mail
  std::string sender;      // of the envelope; empty is the null sender
  std::string message_id;  // in its angle brackets (received.h), used if the message has none
  WallTime now;            // for Date
  Masquerade masquerade{};
  bool as_it_is = false;  // changes nothing: the message has been through the filter of another hikyaku
};

class IntakeFilter {
 public:
  explicit IntakeFilter(IntakeOptions options) : options_(std::move(options)) {}

  // Appends to `out`. Holds back the beginning of a line until it is clear what the line is.
  void feed(std::string_view in, std::string& out);
  // After the last piece. Even an empty message gets a header and the blank line.
  void finish(std::string& out);

  // The number of Received fields in the message; final once the header has ended. The session refuses more
  // than max_hops with 554 5.4.6.
  unsigned received_count() const { return received_count_; }
  bool is_in_body() const { return state_ == State::body; }
  // The repairs, for the log: some of "mbox,blankline,date,msgid,from,domain,masquerade" in this order; empty if none.
  std::string fixed() const;

 private:
  // name: possibly inside a field's name. after_name: in the blanks after the name. passing, dropping: the
  // line has been recognised; its rest is copied or dropped.
  enum class State : std::uint8_t { line_start, name, after_name, passing, dropping, body };

  std::size_t finish_line(std::string_view in, std::string& out);
  void classify(char c, std::string& out);
  void classify_first(char c, std::string& out);
  void classify_name(char c, std::string& out);
  void begin_field(std::string& out);
  void take(std::string_view bytes, std::string& out);
  void end_field(std::string& out);
  void begin_body(std::string_view first, bool blank_line_missing, std::string& out);
  void add_missing_fields(std::string& out);

  IntakeOptions options_;
  State state_ = State::line_start;
  std::string held_;             // the beginning of a line that is not recognised yet
  std::size_t name_length_ = 0;  // of the field name in held_
  bool gathers_ = false;         // the current field contains addresses
  bool names_sender_ = false;    // and they are senders'
  std::string gathered_;         // the field's value so far
  bool at_start_ = true;         // nothing has been recognised yet
  bool seen_field_ = false;
  bool seen_date_ = false;
  bool seen_message_id_ = false;
  bool seen_from_ = false;
  bool added_domain_ = false;
  bool masqueraded_ = false;
  bool dropped_mbox_line_ = false;
  bool added_blank_line_ = false;
  unsigned received_count_ = 0;
};

// Programs write local names without a domain into header fields: "From: root (Cron Daemon)". That is not an
// address outside the machine, and smarthosts refuse it.

// From, Sender, Reply-To, To, Cc, and the same with Resent-.
bool is_address_field(std::string_view name);

// Adds "@domain" to each name without a domain if that makes it an address; changes nothing else. `value` is
// the text after the field's colon, with folds and line end. Returns whether it changed. Pure.
bool qualify_addresses(std::string& value, std::string_view domain);

}  // namespace hikyaku::mail
