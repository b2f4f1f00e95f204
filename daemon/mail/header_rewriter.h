// SPDX-License-Identifier: MIT
// Applies a smarthost's rules (rewriting.h) to a header, as a stream and in two passes: HeaderSurvey reads the
// header and makes a plan, HeaderRewriter writes it again by that plan. Every field that no rule is about, and
// the body, pass byte for byte; no line becomes longer than 998 bytes that was not longer before. Fields are
// never too many or too long; memory is bounded by kLongestAddressField (intake.h), not by the header. Pure.
//
// With `header_from`, unless all senders in From are to stay:
//   From      one field with one mailbox, this address. Display name, comments and folds stay as they are, of
//             several mailboxes the first one's. The address stands alone where From names no mailbox, is
//             longer than kLongestAddressField, or is missing (then the field is added).
//   Sender    goes, for it would equal From (RFC 5322 3.6.2).
//   Reply-To  or X-Original-From, if there is none: what stood in From. In Reply-To mailboxes only, and such
//             that can be answered.
// Where From stays, a Sender that is not to stay gets the address. Resent- fields always stay.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/mail/header_scanner.h"
#include "daemon/mail/rewriting.h"

namespace hikyaku::mail {

struct HeaderPlan {
  // The fields of this name go; `instead`, one whole field or nothing, takes the place of the first.
  struct Change {
    std::string name;
    std::string instead;
    bool operator==(const Change&) const = default;
  };
  std::vector<Change> changes;
  std::optional<std::string> top;  // one whole field in the place of the header's first
  std::string added;               // whole fields, for the end of the header

  bool is_empty() const { return changes.empty() && !top && added.empty(); }
};

class HeaderSurvey {
 public:
  // The rules outlive the survey.
  explicit HeaderSurvey(const Rewriting& rules) : rules_(rules) {}

  void feed(std::string_view in);
  // The header is over; the rest need not be fed.
  bool is_over() const { return scanner_.is_in_body(); }
  HeaderPlan plan() const;

 private:
  // What stands in the fields of one name, each with its line end; an empty text was too long.
  struct Gathered {
    std::vector<std::string> texts;
    std::size_t bytes = 0;
    bool is_too_much = false;

    std::string first() const;  // without its line end
  };

  void begin_field(std::string_view piece);
  void gather(std::string_view text);
  void gather_top(std::string_view text);
  void give_up_gathering();
  bool is_removed(std::string_view name) const;
  bool all_stay(const Gathered& gathered) const;
  void plan_from(HeaderPlan& plan) const;
  void plan_sender(HeaderPlan& plan, const std::string& address) const;
  std::string original() const;

  const Rewriting& rules_;
  HeaderScanner scanner_;
  Gathered from_;
  Gathered sender_;
  Gathered* gathers_ = nullptr;  // into which of these, or none
  std::string top_;              // the header's first field, whole, if it may be our own Received
  bool is_first_ = true;
  bool is_in_top_ = false;
  bool has_original_ = false;  // a field is there where the original From would go
};

class HeaderRewriter {
 public:
  explicit HeaderRewriter(HeaderPlan plan) : plan_(std::move(plan)), done_(plan_.changes.size()) {}

  // Appends to `out` what becomes of the header; holds back the beginning of a line until it is clear what the
  // line is. Returns what of `in` is behind it, which leaves as it is.
  std::string_view feed(std::string_view in, std::string& out);
  // After the last piece.
  void finish(std::string& out);
  // From here on nothing need be fed.
  bool is_in_body() const { return scanner_.is_in_body(); }

 private:
  void begin_field(std::string_view piece, std::string& out);
  void pass(std::string_view bytes, std::string& out);
  void begin_body(std::string_view bytes, std::string& out);

  HeaderPlan plan_;
  std::vector<bool> done_;  // for each change: the first of its fields has come
  HeaderScanner scanner_;
  bool is_first_ = true;
  bool drops_ = false;
  bool at_line_start_ = true;
};

// A whole message at once; for what is shown, not sent.
std::string rewritten(std::string_view message, const Rewriting& rules);

}  // namespace hikyaku::mail
