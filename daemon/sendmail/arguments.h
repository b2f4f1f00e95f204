// SPDX-License-Identifier: MIT
// The command line of sendmail(1), mailq(1) and newaliases(1): everything that Sendmail, Postfix, OpenSMTPD,
// Exim, msmtp, nullmailer and dma accept. What has a meaning here ends in the Request, what has none is
// accepted without a word, what nobody knows is a usage error. Pure.
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
  deliver,         // -bm, and without any
  list_queue,      // -bp, mailq
  count_queue,     // -bP, -bpc
  run_queue,       // -q and its kin, runq
  check_aliases,   // -bi, -I, newaliases
  verify,          // -bv
  test_addresses,  // -bt
  speak_smtp,      // -bs
  batch_smtp,      // -bS, rsmtp
  help,
  version,
  nothing,  // what only reports on things that we have not: -bh, -bH, hoststat
};

// What shall be tried again. All empty: everything.
struct QueueRun {
  std::vector<std::string> ids;  // -qI
  std::string domain;            // -qR: of a recipient
  bool operator==(const QueueRun&) const = default;
};

struct Request {
  Mode mode = Mode::deliver;
  std::optional<std::string> sender;  // -f, -r: as it was given, empty for <>; none: the caller
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

// `arguments` begins with the program's name, whose last part may choose the mode. No value that is returned
// holds a control character but the recipients, which are judged as addresses (recipients.h). Options end at
// the first operand or at "--"; an operand with a dash needs the latter.
Result<Request, Failure> parse_arguments(std::span<const std::string_view> arguments);

std::string usage_text();

}  // namespace hikyaku::sendmail
