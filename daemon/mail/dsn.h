// SPDX-License-Identifier: MIT
// Notices about mail that failed, is late, or went where nobody sends notices, as text: multipart/report of
// RFC 3464, one for a message and round. In plain words first, for the person who sent it. The envelope
// sender of a notice is <> (the caller's business), and a message from <> never causes one. Pure: time, token
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

// `relayed`: the sender wanted to hear of success, and the next mail system does not know notices (RFC 3461
// 5.2.2).
enum class NoticeKind : std::uint8_t { failure, delay, relayed };
// RFC 3464's word for it: "failed", "delayed", "relayed".
std::string_view to_text(NoticeKind kind);

inline constexpr std::size_t kMaxReturnedHeader = 64 * 1024;
inline constexpr std::size_t kMaxReturnedContent = 1024 * 1024;  // larger ones: the header alone

struct ReportedRecipient {
  Recipient recipient;
  Failure
      failure;  // its last one; of a relayed one only host and reply, as far as known: who took it, and how
};

struct BounceRequest {
  NoticeKind kind = NoticeKind::failure;
  std::string hostname;  // Reporting-MTA
  std::string domain;    // From: MAILER-DAEMON@domain, and of the Message-ID
  std::string id;        // of the failed mail, for people
  std::string token;     // letters and digits, 16 or more nobody can guess: boundary and Message-ID
  std::string sender;    // To:; not empty
  std::string envid;     // decoded, or empty
  WallTime arrival;
  WallTime now;
  Duration time_left{0};                      // delay: for so long it goes on being tried
  std::vector<ReportedRecipient> recipients;  // at least one
  std::string original;                       // header block or whole content, canonical or not
  bool full = false;  // `original` is the whole content and shall be returned (RET=FULL)
};

// Canonical: CRLF, no line over 998 bytes, ends with CRLF. ASCII unless the original or an address is not.
std::string make_bounce(const BounceRequest& request);

// Of the recipients at these places in the envelope, those whose sender wants such a notice (RFC 3461 4.1 and
// 5.2.4 to 5.2.6). None for the null sender.
std::vector<std::size_t> recipients_to_report(const Envelope& envelope,
                                              const std::vector<std::size_t>& places, NoticeKind kind);

// How foreign text is brought into a notice (daemon/mail/dsn.h) without breaking it: wrapped, folded,
// encoded. All results use CRLF. Pure.

inline constexpr std::size_t kMaxLine = 998;  // RFC 5322 2.1.1, without CRLF

// Broken at blanks so that lines have at most 76 bytes where words allow it (a word over 900 bytes is cut),
// each line after `indent` blanks and ended with CRLF. `text` holds no line ends.
std::string wrapped(std::string_view text, std::size_t indent = 0);
// "Name: value" as a header field, folded likewise.
std::string folded_field(std::string_view name, std::string_view value);

// Non-ASCII characters as \x{E9}, so that the text may stand in a field of message/delivery-status. Controls
// and broken UTF-8 are made printable.
std::string ascii_form(std::string_view text);
// An address as a delivery-status field wants it, with its type (RFC 3464 2.3, RFC 6533 3): "rfc822;
// a@example.com", "utf-8; us\x{E9}r@example.com".
std::string typed_address(std::string_view address);

// RFC 2045 6.7; `text` has CRLF line ends.
std::string quoted_printable(std::string_view text);

// Any line ends made CRLF, NULs left out, lines over kMaxLine broken (with `continuation` at the new line's
// beginning), ended with CRLF unless empty.
std::string canonical(std::string_view text, std::string_view continuation);

}  // namespace hikyaku::mail
