// SPDX-License-Identifier: MIT
// The format of a mail that sendmail(1) stores in the drop directory (spool/FORMAT.md, "Drop"): a line with
// length and checksum of the rest, then SMTP commands as they would have been sent. A reader must not trust
// any of it. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"

namespace hikyaku::mail {

// The first line. Its length never changes, so it can be written last.
inline constexpr std::size_t kDropHeader = 53;
inline constexpr std::uint64_t kDropSeed = 0;  // of the checksum

struct DropHeader {
  std::uint64_t length = 0;    // bytes after this line
  std::uint64_t checksum = 0;  // of these bytes
  bool operator==(const DropHeader&) const = default;
};
// kDropHeader bytes, with the line end.
std::string encode_drop_header(const DropHeader& header);
// Returns nullopt unless `bytes` are exactly what the encoder writes.
std::optional<DropHeader> decode_drop_header(std::string_view bytes);

// "BDAT 00000000000000001234 LAST", without line end; the length is the same for any number.
std::string drop_content_line(std::uint64_t content_length);

// 16 hex digits, a dot, a process id, a dot, 8 hex digits, lower case. Other files in the directory are
// ignored.
bool is_drop_name(std::string_view name);
// The time at which the drop was made, from its name.
WallTime drop_time(std::string_view name);

// Checks the commands of a drop and their order: MAIL, RCPT once or more, BDAT with LAST. One transaction, so
// that the drop is accepted or refused as a whole.
class DropCommands {
 public:
  enum class Part : std::uint8_t { mail, recipient, content };
  static constexpr std::size_t kMaxLine = 2046;  // without its line end; the session accepts no longer lines

  // `line` is without its CR LF. Returns nullopt if the command is not allowed here. The session checks the
  // rest of a MAIL or RCPT.
  std::optional<Part> next(std::string_view line);
  // Valid after Part::content.
  std::uint64_t content_length() const { return content_length_; }

 private:
  enum class Came : std::uint8_t { nothing, mail, recipient, content };
  Came came_ = Came::nothing;
  std::uint64_t content_length_ = 0;
};

}  // namespace hikyaku::mail
