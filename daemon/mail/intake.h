// SPDX-License-Identifier: MIT
// Repairs the header of a message on its way into the spool, as a stream: canonical content (dot_stuffing.h)
// in and out, in pieces. Fields pass as they came, but that names without a domain get one in those fields
// that hold addresses (qualify()); at the header's end what is missing is added. The body is never changed.
// Linear time; memory is bounded by kLongestAddressField, not by lines, fields or the message.
//
// The header ends at the first line that is neither a field (a name of printable ASCII, blanks, a colon) nor,
// after a field, a continuation. If that is not the blank line, a blank line is put in and the line begins
// the body. An mbox "From " line at the very start is dropped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/base/clock.h"

namespace hikyaku::mail {

// A longer field passes as it came. Servers take headers of 100 KiB and less.
inline constexpr std::size_t kLongestAddressField = 64 * 1024;

struct IntakeOptions {
  std::string domain;      // of names without one, and of MAILER-DAEMON, whom a null sender's mail is from
  std::string sender;      // the envelope's; empty is the null sender
  std::string message_id;  // in its angle brackets (received.h), used if the message has none
  WallTime now;            // for Date
};

class IntakeFilter {
 public:
  explicit IntakeFilter(IntakeOptions options) : options_(std::move(options)) {}

  // Appends to `out`. The beginning of a line may stay behind until it is known what the line is.
  void feed(std::string_view in, std::string& out);
  // After the last piece. Even an empty message gets a header and the blank line.
  void finish(std::string& out);

  // How many Received fields the message came with; final once the header has ended. More than max_hops:
  // 554 5.4.6.
  unsigned received_count() const { return received_count_; }
  bool is_in_body() const { return state_ == State::body; }
  // What was repaired, for the log: of "mbox,blankline,date,msgid,from,domain", in this order; empty if
  // nothing was.
  std::string fixed() const;

 private:
  // name: in what may be a field's name. after_name: in the blanks behind it. passing, dropping: the line has
  // been recognised; its rest is copied or left out.
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
  std::string held_;             // the beginning of a line of which it is not known yet what it is
  std::size_t name_length_ = 0;  // of the field name in held_
  bool gathers_ = false;         // the current field holds addresses
  std::string gathered_;         // what stands behind its colon, so far
  bool at_start_ = true;         // nothing has been recognised yet
  bool seen_field_ = false;
  bool seen_date_ = false;
  bool seen_message_id_ = false;
  bool seen_from_ = false;
  bool added_domain_ = false;
  bool dropped_mbox_line_ = false;
  bool added_blank_line_ = false;
  unsigned received_count_ = 0;
};

// Header fields that name people by the name alone, as programs on one machine do: "From: root (Cron
// Daemon)". Beyond the machine that is no address, and smarthosts refuse it. Pure.

// From, Sender, Reply-To, To, Cc, and the same with Resent-.
bool is_address_field(std::string_view name);

// Puts "@domain" behind each name without a domain that would be an address with it; nothing else changes.
// `value` is what stands behind the field's colon, with its folds and its line end; true if it has changed.
bool qualify_addresses(std::string& value, std::string_view domain);

}  // namespace hikyaku::mail
