// SPDX-License-Identifier: MIT
// A drop that can never become mail, and the bounce that tells its sender so. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/mail/dsn.h"
#include "daemon/mail/smtp_reply.h"
#include "daemon/relay/bouncer.h"

namespace hikyaku::pickup {

struct RefusedDrop {
  std::string name;
  std::vector<std::string> commands;  // as they stand in it
  std::string beginning;              // of the content
  mail::Reply reply;                  // what was said to it
};

// What the commands say, as far as they are well formed. Nothing if MAIL is not.
std::optional<mail::Envelope> envelope_of(const RefusedDrop& drop, std::string_view domain);

// The notice to the envelope's sender. Nothing if it wants none, or there is nobody to tell. `token` as in
// the request.
std::optional<mail::BounceRequest> refusal_notice(const RefusedDrop& drop, const mail::Envelope& envelope,
                                                  const relay::BouncePolicy& policy, WallTime now,
                                                  std::string token);

}  // namespace hikyaku::pickup
