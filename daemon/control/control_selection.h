// SPDX-License-Identifier: MIT
// Which queued mails a request is about. Its body is a JSON object: {"ids":[…]}, {"all":true}, or filters that
// all must match: "recipient_domain", and those of listing/queue_filter.h.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/base/json.h"
#include "daemon/control/control_request.h"
#include "daemon/listing/queue_filter.h"
#include "daemon/listing/queue_reader.h"
#include "daemon/mail/fleet.h"

namespace hikyaku::control {

struct Everything {};
struct Fitting {
  listing::QueueFilter filter;
  std::optional<std::string> recipient_domain;  // of a recipient that is still pending
  bool matches(const spool::ViewedMail& mail, const mail::RouteState& route, bool is_operator) const;
  bool rules_out(const listing::MailBrief& mail, const mail::RouteState& route, bool is_operator) const {
    return filter.judge(mail, route, is_operator) == false;
  }
};
// Ids are in order, none twice.
using Selection = std::variant<std::vector<mail::MailId>, Everything, Fitting>;

// The error says in words what is wrong with the body.
Result<Selection, std::string> parse_selection(std::string_view body, WallTime now);

// Finds the mails in the spool's files, and calls `use` with the ids of a portion at a time, oldest first, until
// it returns false or the client has gone. Returns how many it was called with, or why the spool cannot be read.
// Blocks.
using Wanted = listing::QueueReader::Wanted;
using UsePortion = std::function<bool(std::vector<mail::MailId>)>;
Result<std::size_t, StartError> for_all_fitting(const ControlRequest& request, listing::QueueReader& reader,
                                                Instant begin, const Wanted& wanted, const UsePortion& use);

JsonList to_list(const std::vector<mail::MailId>& ids);
// {"id","error"} of each.
JsonList to_list(const std::vector<mail::Decided>& refused);

}  // namespace hikyaku::control
