// SPDX-License-Identifier: MIT
// What a smarthost answers (RFC 5321 4.2): the code decides, the texts are for people. Foreign bytes stay as
// they came in `lines`; whoever shows them goes through to_text, which makes them one printable line. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hikyaku::mail {

// Enhanced mail system status codes (RFC 3463, RFC 2034): "5.1.1". Plain values, no state between two parses.

struct EnhancedStatus {
  std::uint16_t status_class = 0;  // 2 success, 4 persistent transient, 5 permanent
  std::uint16_t subject = 0;       // at most three digits each
  std::uint16_t detail = 0;
  bool operator==(const EnhancedStatus&) const = default;
};

// From the beginning of a reply's text: "5.1.1 user unknown". Nothing unless the code is complete, its class
// is 2, 4 or 5, and something other than a letter, a digit or a dot follows: "5", "5.1", "5.1.1.9 is blocked"
// have none.
std::optional<EnhancedStatus> parse_enhanced_status(std::string_view text);
std::string to_text(EnhancedStatus status);

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

// What a smarthost can do, as its reply to EHLO says (RFC 5321 4.1.1.1). Keywords we do not know are ignored,
// so are malformed ones. Forget it all after STARTTLS (RFC 3207 4.2). Pure; the reply is bounded, so is this.

struct Capabilities {
  std::string name;  // how it calls itself, made printable; for the log
  bool pipelining = false;
  bool eight_bit_mime = false;
  bool smtputf8 = false;
  bool enhanced_status_codes = false;
  bool chunking = false;
  bool dsn = false;
  bool starttls = false;
  bool size = false;           // the SIZE parameter of MAIL may be used
  std::uint64_t max_size = 0;  // bytes; 0: it set no limit
  // `AUTH X Y` and the older `AUTH=X Y`, united, upper case, each once, in its order; also those nobody
  // knows.
  std::vector<std::string> mechanisms;

  bool offers(std::string_view mechanism) const;  // upper case
  bool operator==(const Capabilities&) const = default;
};

// Of a 2yz reply to EHLO. After HELO: Capabilities{}.
Capabilities parse_ehlo(const Reply& reply);

}  // namespace hikyaku::mail
