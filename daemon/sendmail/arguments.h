// SPDX-License-Identifier: MIT
// The command line of sendmail(1), mailq(1) and newaliases(1): every option that Sendmail, Postfix,
// OpenSMTPD, Exim, msmtp, nullmailer and dma accept. Options with a meaning here set fields of the Request,
// those without one are accepted silently, unknown ones are a usage error. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/sendmail/exit.h"

namespace hikyaku::sendmail {

enum class Mode : std::uint8_t {
  deliver,         // -bm, and the default
  list_queue,      // -bp, mailq
  count_queue,     // -bP, -bpc
  run_queue,       // -q and its variants, runq
  check_aliases,   // -bi, -I, newaliases
  verify,          // -bv
  test_addresses,  // -bt
  speak_smtp,      // -bs
  batch_smtp,      // -bS, rsmtp
  help,
  version,
  nothing,  // reports on things that hikyaku does not have: -bh, -bH, hoststat
};

// The mail to retry; all of it if every member is empty.
struct QueueRun {
  std::vector<std::string> ids;  // -qI
  std::string domain;            // -qR: of a recipient
  bool operator==(const QueueRun&) const = default;
};

struct Request {
  Mode mode = Mode::deliver;
  std::optional<std::string> sender;  // -f, -r: as given, empty for <>; nullopt: the caller
  std::string full_name;              // -F
  std::vector<std::string> recipients;
  bool recipients_from_header = false;  // -t
  bool sender_from_header = false;      // --read-envelope-from
  bool dot_ends_input = true;           // not with -i, -oi
  std::string notify;                   // -N: "NEVER", or "SUCCESS,DELAY"; for NOTIFY=
  std::string ret;                      // -R: "FULL" or "HDRS"
  std::string envid;                    // -V, not yet xtext
  std::string body;                     // -B: "7BIT" or "8BITMIME"
  unsigned verbose = 0;                 // -v, counted
  bool json = false;                    // -j, of mailq
  std::string config_file;              // -C
  QueueRun queue_run;
  bool operator==(const Request&) const = default;
};

// `arguments` begins with the program's name, whose last path component may choose the mode. No value in the
// Request contains a control character, except the recipients, which recipients.h checks. Options end at the
// first operand or at "--"; an operand that begins with a dash needs the "--".
Result<Request, Failure> parse_arguments(std::span<const std::string_view> arguments);

std::string usage_text();

}  // namespace hikyaku::sendmail
