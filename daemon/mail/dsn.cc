// SPDX-License-Identifier: MIT
#include "daemon/mail/dsn.h"

#include <algorithm>
#include <string_view>

#include "daemon/base/error.h"
#include "daemon/base/text.h"
#include "daemon/mail/diagnosis.h"
#include "daemon/mail/received.h"

namespace hikyaku::mail {

namespace {

// Recipients whose failure is explained; the others are only named.
constexpr std::size_t kExplained = 20;
constexpr std::size_t kMaxQuotedLines = 10;  // of a reply
constexpr std::size_t kMaxQuotedLine = 300;

bool is_delay(const BounceRequest& request) { return request.kind == NoticeKind::delay; }
bool is_relay(const BounceRequest& request) { return request.kind == NoticeKind::relayed; }

// ---- for people

// The reply as received, line by line.
std::string quoted(const Reply& reply) {
  std::string text;
  const std::size_t count = std::min(reply.lines.size(), kMaxQuotedLines);
  for (std::size_t i = 0; i < count; ++i) {
    const bool is_last = i + 1 == reply.lines.size();
    text += wrapped(
        cat(std::to_string(reply.code), is_last ? " " : "-", printable(reply.lines[i], kMaxQuotedLine)), 6);
  }
  if (count < reply.lines.size()) text += "      ...\r\n";
  return text;
}

// The failure itself was temporary; the mail was given up because it expired.
bool is_given_up(const Failure& failure) { return !failure.reply || !failure.reply->is_permanent(); }

std::string accepted(const Failure& taken) {
  const std::string by =
      taken.host.empty() ? "It has been accepted" : cat(printable(taken.host), " has accepted it");
  return taken.reply ? cat(wrapped(cat(by, ":"), 4), quoted(*taken.reply)) : wrapped(cat(by, "."), 4);
}

std::string explained(const BounceRequest& request, const ReportedRecipient& reported) {
  const Failure& failure = reported.failure;
  std::string text = cat(wrapped(cat("<", printable(reported.recipient.address), ">"), 2));
  if (is_relay(request)) return cat(text, accepted(failure), "\r\n");
  if (!is_delay(request) && is_given_up(failure) && failure.concerns == Concerns::smarthost)
    text += wrapped("Delivery was retried until the message expired. The last attempt:", 4);
  text += wrapped(diagnose(failure), 4);
  if (failure.reply) text += cat(wrapped("The exact reply was:", 4), quoted(*failure.reply));
  return text + "\r\n";
}

std::string opening_for_postmaster(const BounceRequest& request) {
  if (request.sender.empty())
    return wrapped(
        "This report is for the postmaster. A message from <> could not be delivered to the following "
        "recipients. It "
        "has no sender who could be told, and it is not kept.");
  return wrapped(cat("This is the postmaster's copy of a notice to <", printable(request.sender),
                     ">, whose message could not be delivered to the following recipients."));
}

std::string opening(const BounceRequest& request) {
  if (!request.postmaster.empty()) return opening_for_postmaster(request);
  if (is_delay(request))
    return wrapped(cat(
        "Your message has not been delivered yet to the following recipients. You need not send it again: "
        "delivery will be retried for another ",
        hikyaku::to_text(request.time_left), "."));
  if (is_relay(request))
    return wrapped(
        "Your message has been passed on to the next mail system for the following recipients. That system "
        "does "
        "not confirm deliveries, so you will get no further confirmation. If delivery fails there, that "
        "system "
        "will most probably send you a notice.");
  return wrapped(
      "Your message could not be delivered to the following recipients, and delivery will not be tried "
      "again.");
}

std::string human_text(const BounceRequest& request) {
  std::string text = cat(wrapped(cat("This is the mail system of ", printable(request.hostname), ".")),
                         "\r\n", opening(request), "\r\n");
  for (std::size_t i = 0; i < request.recipients.size(); ++i) {
    const ReportedRecipient& reported = request.recipients[i];
    text += i < kExplained ? explained(request, reported)
                           : wrapped(cat("<", printable(reported.recipient.address), ">"), 2);
  }
  const std::string_view message = request.postmaster.empty() ? "your message" : "the message";
  return text + wrapped(cat("The log of this mail system calls ", message, " ", printable(request.id),
                            ". The same facts follow in a form for programs, and after them ", message,
                            " or its header."));
}

// ---- for programs (RFC 3464)

std::string per_message(const BounceRequest& request) {
  std::string fields;
  if (!request.envid.empty()) fields += folded_field("Original-Envelope-Id", ascii_form(request.envid));
  fields += folded_field("Reporting-MTA", cat("dns; ", ascii_form(request.hostname)));
  return fields + folded_field("Arrival-Date", to_rfc5322_date(request.arrival));
}

// ORCPT is "type;address".
std::string original_recipient(const std::string& orcpt) {
  const auto semicolon = orcpt.find(';');
  if (semicolon == orcpt.npos) return {};
  const std::string_view address = std::string_view(orcpt).substr(semicolon + 1);
  if (!is_ascii(address)) return folded_field("Original-Recipient", typed_address(address));
  return folded_field("Original-Recipient", cat(ascii_form(std::string_view(orcpt).substr(0, semicolon)),
                                                "; ", ascii_form(address)));
}

std::string remote_mta(const Failure& failure) {
  return failure.host.empty() ? "" : folded_field("Remote-MTA", cat("dns; ", ascii_form(failure.host)));
}

std::string what_was_said(const BounceRequest& request, const Failure& failure) {
  if (failure.reply)
    return cat(remote_mta(failure),
               folded_field("Diagnostic-Code", cat("smtp; ", ascii_form(to_text(*failure.reply)))));
  if (is_relay(request)) return remote_mta(failure);
  return folded_field("Diagnostic-Code",
                      cat("X-Hikyaku; ", ascii_form(diagnose(failure)).substr(0, kMaxReplyText)));
}

EnhancedStatus status(const BounceRequest& request, const ReportedRecipient& reported) {
  if (!is_relay(request)) return status_of(reported.failure, !is_delay(request));
  const bool has_own = reported.failure.reply && reported.failure.reply->status;
  return has_own ? *reported.failure.reply->status : EnhancedStatus{2, 0, 0};
}

std::string per_recipient(const BounceRequest& request, const ReportedRecipient& reported) {
  std::string fields = original_recipient(reported.recipient.orcpt);
  fields += folded_field("Final-Recipient", typed_address(reported.recipient.address));
  fields += folded_field("Action", to_text(request.kind));
  fields += folded_field("Status", to_text(status(request, reported)));
  fields += what_was_said(request, reported.failure);
  fields += folded_field("Last-Attempt-Date", to_rfc5322_date(request.now));
  if (is_delay(request))
    fields += folded_field("Will-Retry-Until", to_rfc5322_date(request.now + request.time_left));
  return fields;
}

std::string delivery_status(const BounceRequest& request) {
  std::string status = per_message(request);
  for (const ReportedRecipient& reported : request.recipients)
    status += cat("\r\n", per_recipient(request, reported));
  return status;
}

// ---- what is returned

// The last line of a truncated header is incomplete.
void drop_last_line(std::string& header) {
  const auto end = header.size() < 3 ? header.npos : header.rfind("\r\n", header.size() - 3);
  header.resize(end == header.npos ? 0 : end + 2);
}

// The header, up to the blank line.
std::string header_of(std::string_view original) {
  std::string header = canonical(original.substr(0, kMaxReturnedHeader), " ");
  if (header.starts_with("\r\n")) return {};
  if (const auto end = header.find("\r\n\r\n"); end != header.npos)
    header.resize(end + 2);
  else if (original.size() > kMaxReturnedHeader)
    drop_last_line(header);
  return header;
}

// ---- putting it together

std::string part(std::string_view boundary, std::string_view fields, std::string_view text) {
  return cat("\r\n--", boundary, "\r\n", fields, is_ascii(text) ? "" : "Content-Transfer-Encoding: 8bit\r\n",
             "\r\n", text);
}

std::string human_part(std::string_view boundary, const BounceRequest& request) {
  const std::string text = human_text(request);
  if (is_ascii(text)) return part(boundary, "Content-Type: text/plain; charset=us-ascii\r\n", text);
  return part(boundary,
              "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n",
              quoted_printable(text));
}

std::string returned_part(std::string_view boundary, const BounceRequest& request) {
  if (request.full && request.original.size() <= kMaxReturnedContent)
    return part(boundary, "Content-Type: message/rfc822\r\n", canonical(request.original, ""));
  return part(boundary, "Content-Type: text/rfc822-headers\r\n", header_of(request.original));
}

std::string subject(const BounceRequest& request) {
  const std::size_t others = request.recipients.size() - 1;
  const std::string more =
      others == 0 ? "" : cat(" and ", std::to_string(others), others == 1 ? " other" : " others");
  std::string_view what = "Undelivered mail: ";
  if (is_delay(request))
    what = "Delayed mail: ";
  else if (is_relay(request))
    what = "Mail handed on: ";
  return cat(request.postmaster.empty() ? "" : "For the postmaster: ", what,
             ascii_form(request.recipients.front().recipient.address), more);
}

bool wants(const Notify& notify, NoticeKind kind) {
  switch (kind) {
    case NoticeKind::failure: return notify.wants_failure();
    case NoticeKind::delay: return !notify.never && (notify.delay || notify.is_absent());
    case NoticeKind::relayed: return !notify.never && notify.success;
  }
  return false;
}

std::string header(const BounceRequest& request, std::string_view boundary) {
  return cat(folded_field("Date", to_rfc5322_date(request.now)),
             cat("From: Mail Delivery System <MAILER-DAEMON@", printable(request.domain), ">\r\n"),
             cat("To: <", request.postmaster.empty() ? request.sender : request.postmaster, ">\r\n"),
             folded_field("Subject", subject(request)),
             cat("Message-ID: ",
                 make_message_id(request.now, request.token, request.domain, request.hostname), "\r\n"),
             "Auto-Submitted: auto-replied\r\n", "MIME-Version: 1.0\r\n",
             cat("Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"", boundary,
                 "\"\r\n"));
}

}  // namespace

std::string_view to_text(NoticeKind kind) {
  return kind == NoticeKind::failure ? "failed" : kind == NoticeKind::delay ? "delayed" : "relayed";
}

std::string make_bounce(const BounceRequest& request) {
  const bool is_to_somebody = !request.sender.empty() || !request.postmaster.empty();
  check(is_to_somebody && !request.recipients.empty(), "a notice to nobody or about nobody");
  const std::string boundary = cat("=_", request.token);  // "=_" occurs in no encoded text (RFC 2045 6.7)
  const std::string parts =
      cat(human_part(boundary, request),
          part(boundary, "Content-Type: message/delivery-status\r\n", delivery_status(request)),
          returned_part(boundary, request), "\r\n--", boundary, "--\r\n");
  return cat(header(request, boundary), is_ascii(parts) ? "" : "Content-Transfer-Encoding: 8bit\r\n", parts);
}

std::vector<std::size_t> recipients_to_report(const Envelope& envelope,
                                              const std::vector<std::size_t>& places, NoticeKind kind) {
  std::vector<std::size_t> wanted;
  if (envelope.sender.empty()) return wanted;
  for (const std::size_t place : places) {
    const Notify& notify = envelope.recipients.at(place).notify;
    if (wants(notify, kind)) wanted.push_back(place);
  }
  return wanted;
}

}  // namespace hikyaku::mail
