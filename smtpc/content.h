// SPDX-License-Identifier: MIT
// The content of a mail up to the reply to its end: behind DATA's 354, with a final dot, or as one chunk
// (BDAT LAST, RFC 3030). Holds about 64 KiB of it at a time. The final dot, or the chunk's last bytes, leave
// only when the whole content was read undamaged and the caller's hook agreed; until then breaking the
// connection off means that nothing was delivered.
#pragma once

#include <functional>
#include <optional>

#include "daemon/mail/mail_source.h"
#include "smtpc/session.h"

namespace hikyaku::smtpc {

using MayLeave = std::function<Task<bool>()>;
using Following = std::function<Task<std::string>()>;  // what travels with the dot: whole lines, or nothing

// One of the two. The reply is the one to the final dot, or a refusal that came before it, after which the
// connection is of no more use.
struct ContentResult {
  std::optional<mail::Reply> reply;
  std::optional<mail::Failure> failure;  // reply_lost: after the final dot
  bool had_company = false;              // something travelled with the dot
};
// `has_no_dot_line`: it is certain that no line of it begins with a dot; then it is not looked at again.
Task<ContentResult> send_content(Session& session, mail::ContentReader& content, bool has_no_dot_line,
                                 const MayLeave& may_leave, const Following& following);

// The content as one chunk.
struct Chunk {
  std::uint64_t size = 0;                       // of the whole content
  std::string front;                            // commands that go before it, in the same write; may be empty
  std::function<Task<void>()> hear_front = {};  // reads the replies to these, if there are any
};
// A content that fits into this with its envelope goes out in one write: less than a block, for BDAT itself.
inline constexpr std::uint64_t kMostTogether = 63 * 1024;
// As send_content. Neither reply nor failure: the connection ended in the replies to the front.
Task<ContentResult> send_chunk(Session& session, mail::ContentReader& content, Chunk chunk,
                               const MayLeave& may_leave);

// Our own copy cannot be read.
mail::Failure unreadable(const Session& session, const mail::SourceError& error);

// Whether there is a byte from 0x80 in it. Looks at the first MiB only and says yes for what is larger: to
// announce 8-bit content that is none does no harm. The reader is at its beginning before and after it.
Task<Result<bool, mail::SourceError>> has_eight_bit(mail::ContentReader& content);

}  // namespace hikyaku::smtpc
