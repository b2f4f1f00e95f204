// SPDX-License-Identifier: MIT
// Notices to a sender whose mail failed, is delayed, or was relayed to a system without notices:
// multipart/report of RFC 3464, which begins with plain words for the person who sent the mail. The caller
// must send a notice with the envelope sender <>, and a message from <> never causes one. Pure: time, token
// and content are arguments.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/mail/envelope.h"
#include "daemon/mail/failure.h"

namespace hikyaku::mail {

// `relayed`: the sender asked for a notice of success, and the next mail system does not support notices (RFC
// 3461 5.2.2).
enum class NoticeKind : std::uint8_t { failure, delay, relayed };
// The Action of RFC 3464: "failed", "delayed", "relayed".
std::string_view to_text(NoticeKind kind);

inline constexpr std::size_t kMaxReturnedHeader = 64 * 1024;
inline constexpr std::size_t kMaxReturnedContent =
    1024 * 1024;  // of a larger message only the header is returned

struct ReportedRecipient {
  Recipient recipient;
  Failure failure;  // the last one; if relayed, only host and reply of the system that accepted the mail
};

struct BounceRequest {
  NoticeKind kind = NoticeKind::failure;
  std::string hostname;  // Reporting-MTA
  std::string domain;    // From: MAILER-DAEMON@domain, and of the Message-ID
  std::string id;        // of the failed mail, for people
  std::string token;     // 16 or more unguessable letters and digits, for boundary and Message-ID
  std::string sender;    // To:; empty only in what is for the postmaster
  // A copy of a bounce for this address, To: instead of the sender; without a sender a report of what nobody else
  // can be told. Empty: the bounce itself.
  std::string postmaster{};
  std::string envid;  // decoded, or empty
  WallTime arrival;
  WallTime now;
  Duration time_left{0};                      // delay: how much longer delivery is retried
  std::vector<ReportedRecipient> recipients;  // at least one
  std::string original;                       // header block or whole content, canonical or not
  bool full = false;  // `original` is the whole content and is to be returned (RET=FULL)
};

// Canonical: CRLF, no line over 998 bytes, ends with CRLF. ASCII unless the original or an address is not.
std::string make_bounce(const BounceRequest& request);

// Of the recipients at these places in the envelope, returns those for which the sender wants such a notice
// (RFC 3461 4.1 and 5.2.4 to 5.2.6). Empty for the null sender.
std::vector<std::size_t> recipients_to_report(const Envelope& envelope,
                                              const std::vector<std::size_t>& places, NoticeKind kind);

// Wrap, fold and encode foreign text for a notice (report_text.cc). All results use CRLF. Pure.

inline constexpr std::size_t kMaxLine = 998;  // RFC 5322 2.1.1, without CRLF

// Breaks `text`, which has no line ends, at blanks into lines of at most 76 bytes where words allow it (cuts
// words over
// 900 bytes). Each line begins with `indent` blanks and ends with CRLF.
std::string wrapped(std::string_view text, std::size_t indent = 0);
// "Name: value" as a header field, folded at blanks in the same way.
std::string folded_field(std::string_view name, std::string_view value);

// Writes non-ASCII characters as \x{E9}, as message/delivery-status requires. Controls and broken UTF-8 are
// made printable.
std::string ascii_form(std::string_view text);
// An address for a delivery-status field, with its type (RFC 3464 2.3, RFC 6533 3): "rfc822;
// a@example.com", "utf-8; us\x{E9}r@example.com".
std::string typed_address(std::string_view address);

// RFC 2045 6.7; `text` has CRLF line ends.
std::string quoted_printable(std::string_view text);

// Makes all line ends CRLF, removes NULs, breaks lines over kMaxLine (a new line begins with `continuation`)
// and ends the text with CRLF unless it is empty.
std::string canonical(std::string_view text, std::string_view continuation);

}  // namespace hikyaku::mail
