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
using Following = std::function<Task<std::string>()>;  // returns whole lines that travel with the dot, or ""

// Either a reply or a failure. The reply is the one to the final dot, or a refusal that came before the dot,
// after which the connection is useless.
struct ContentResult {
  std::optional<mail::Reply> reply;
  std::optional<mail::Failure> failure;  // reply_lost: after the final dot
  bool had_company = false;              // commands of the next mail travelled with the dot
};
// `has_no_dot_line`: it is certain that no line begins with a dot; then the content is not searched again.
Task<ContentResult> send_content(Session& session, mail::ContentReader& content, bool has_no_dot_line,
                                 const MayLeave& may_leave, const Following& following);

// The content as one chunk.
struct Chunk {
  std::uint64_t size = 0;                       // of the whole content
  std::string front;                            // commands that go before it, in the same write; may be empty
  std::function<Task<void>()> hear_front = {};  // reads the replies to these, if there are any
};
// A content that fits into this with its envelope goes out in one write. Less than a block, to leave room for
// BDAT itself.
inline constexpr std::uint64_t kMostTogether = 63 * 1024;
// As send_content. The result has neither reply nor failure if the connection ended in the replies to the
// front.
Task<ContentResult> send_chunk(Session& session, mail::ContentReader& content, Chunk chunk,
                               const MayLeave& may_leave);

// The failure when our own copy cannot be read.
mail::Failure unreadable(const Session& session, const mail::SourceError& error);

// Whether the content has a byte from 0x80. Reads the first MiB only and returns true for anything larger:
// announcing 7-bit content as 8-bit does no harm. The reader is at its beginning before and after.
Task<Result<bool, mail::SourceError>> has_eight_bit(mail::ContentReader& content);

}  // namespace hikyaku::smtpc
