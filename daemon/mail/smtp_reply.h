// SPDX-License-Identifier: MIT
// What a smarthost answers (RFC 5321 4.2): the code decides, the texts are for people. Foreign bytes stay as
// they came in `lines`; whoever shows them goes through to_text, which makes them one printable line. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/mail/enhanced_status.h"

namespace hikyaku::mail {

inline constexpr std::size_t kMaxReplyBytes = 64 * 1024;  // of one reply, line ends included
inline constexpr std::size_t kMaxReplyLines = 128;        // kept; more are read and dropped
inline constexpr std::size_t kMaxReplyText = 1024;        // of to_text

struct Reply {
  int code = 0;                          // 200 to 599
  std::vector<std::string> lines;        // without code, separator and line end; at least one, perhaps empty
  std::optional<EnhancedStatus> status;  // RFC 2034; only if its class is the code's first digit

  bool is_completed() const { return code / 100 == 2; }
  bool is_intermediate() const { return code / 100 == 3; }
  bool is_transient() const { return code / 100 == 4; }
  bool is_permanent() const { return code / 100 == 5; }
};

// "535 5.7.8 Not accepted. / 5.7.8 See https://…": code, all lines joined, escaped; at most kMaxReplyText
// bytes.
std::string to_text(const Reply& reply);
// A reply as a peer would send it, for tests and for our own words: "550 5.1.1 no\r\n" or several such lines,
// with or without CR. Nothing if it is malformed, incomplete, or more than one.
std::optional<Reply> parse_reply(std::string_view text);

// Fed one line after the other, without line ends. After `complete` or an error it begins anew; an error
// means that nothing on this connection can be trusted any more.
class ReplyParser {
 public:
  enum class State {
    more,       // the reply goes on
    complete,   // take() has it
    malformed,  // no reply line, or another code than the lines before: "25", "2500 ok", "999 x", "250-a" +
                // "550 b"
    flood,      // more than kMaxReplyBytes
  };
  State feed(std::string_view line);
  Reply take();  // once after `complete`

 private:
  State finish(State state);

  Reply reply_;
  std::size_t bytes_ = 0;
  bool fresh_ = true;  // the next line begins a reply
};

}  // namespace hikyaku::mail
