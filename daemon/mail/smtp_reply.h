// SPDX-License-Identifier: MIT
// Replies of a smarthost (RFC 5321 4.2): the code decides, the texts are for people. With them the enhanced
// status codes and the capabilities of EHLO. `lines` holds foreign bytes unchanged; to_text makes one
// printable line. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hikyaku::mail {

// An enhanced status code (RFC 3463, RFC 2034): "5.1.1".
struct EnhancedStatus {
  std::uint16_t status_class = 0;  // 2 success, 4 persistent transient, 5 permanent
  std::uint16_t subject = 0;       // at most three digits each
  std::uint16_t detail = 0;
  bool operator==(const EnhancedStatus&) const = default;
};

// Parses the beginning of a reply's text: "5.1.1 user unknown". Returns nullopt unless the code is complete,
// its class is 2, 4 or 5, and no letter, digit or dot follows: "5", "5.1" and "5.1.1.9 is blocked" have none.
std::optional<EnhancedStatus> parse_enhanced_status(std::string_view text);
std::string to_text(EnhancedStatus status);

inline constexpr std::size_t kMaxReplyBytes = 64 * 1024;  // of one reply, line ends included
inline constexpr std::size_t kMaxReplyLines = 128;        // lines kept; further lines are read and dropped
inline constexpr std::size_t kMaxReplyText = 1024;        // of to_text

struct Reply {
  int code = 0;                          // 200 to 599
  std::vector<std::string> lines;        // without code, separator and line end; at least one, possibly empty
  std::optional<EnhancedStatus> status;  // RFC 2034; only if its class equals the code's first digit

  bool is_completed() const { return code / 100 == 2; }
  bool is_intermediate() const { return code / 100 == 3; }
  bool is_transient() const { return code / 100 == 4; }
  bool is_permanent() const { return code / 100 == 5; }
};

// "535 5.7.8 Not accepted. / 5.7.8 See https://…": code, all lines joined, escaped; at most kMaxReplyText
// bytes.
std::string to_text(const Reply& reply);
// Parses a whole reply: "550 5.1.1 no\r\n" or several such lines, with or without CR. Returns nullopt if it
// is malformed, incomplete, or more than one reply.
std::optional<Reply> parse_reply(std::string_view text);

// Takes one line after the other, without line ends. Starts again after `complete` or an error; after an
// error nothing on the connection can be trusted.
class ReplyParser {
 public:
  enum class State {
    more,       // the reply continues
    complete,   // take() returns it
    malformed,  // not a reply line, or another code than before: "25", "2500 ok", "999 x", "250-a" + "550 b"
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

// A smarthost's capabilities from its reply to EHLO (RFC 5321 4.1.1.1). Unknown and malformed keywords are
// ignored. The caller must discard them after STARTTLS (RFC 3207 4.2). Bounded, because the reply is.
struct Capabilities {
  std::string name;  // the name in the reply, made printable; for the log
  bool pipelining = false;
  bool eight_bit_mime = false;
  bool smtputf8 = false;
  bool enhanced_status_codes = false;
  bool chunking = false;
  bool dsn = false;
  bool starttls = false;
  bool handover = false;       // XHIKYAKU (handover.h): another hikyaku, to which we are a peer
  bool size = false;           // MAIL may have the SIZE parameter
  std::uint64_t max_size = 0;  // bytes; 0: no limit announced
  // From `AUTH X Y` and the older `AUTH=X Y`, upper case, each once, in the server's order; unknown ones
  // included.
  std::vector<std::string> mechanisms;

  bool offers(std::string_view mechanism) const;  // upper case
  bool operator==(const Capabilities&) const = default;
};

// From a 2yz reply to EHLO. After HELO use Capabilities{}.
Capabilities parse_ehlo(const Reply& reply);

}  // namespace hikyaku::mail
