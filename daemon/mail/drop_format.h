// SPDX-License-Identifier: MIT
// A mail as sendmail(1) leaves it in the drop directory (spool/FORMAT.md, "Drop"): a line that tells length
// and checksum of the rest, then SMTP as it would have been spoken. Whoever reads one believes nothing of it.
// Pure.
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
  std::uint64_t length = 0;    // of what is behind this line, bytes
  std::uint64_t checksum = 0;  // of the same
  bool operator==(const DropHeader&) const = default;
};
// kDropHeader bytes, with the line end.
std::string encode_drop_header(const DropHeader& header);
// Nothing unless `bytes` are exactly what the encoder writes.
std::optional<DropHeader> decode_drop_header(std::string_view bytes);

// "BDAT 00000000000000001234 LAST", without line end; as long whatever the number.
std::string drop_content_line(std::uint64_t content_length);

// 16 hex digits, a dot, a process id, a dot, 8 hex digits, lower case. Nothing else in the directory is
// looked at.
bool is_drop_name(std::string_view name);
// When it was left, of such a name.
WallTime drop_time(std::string_view name);

// What a drop may say, and in which order: MAIL, RCPT once or more, BDAT with LAST. One transaction, so that
// the whole is accepted or refused.
class DropCommands {
 public:
  enum class Part : std::uint8_t { mail, recipient, content };
  static constexpr std::size_t kMaxLine = 2046;  // without its line end; the session takes no longer ones

  // `line` is without its CR LF. Nothing: it may not stand here. Whether the rest of a MAIL or RCPT is well
  // formed is the session's to say.
  std::optional<Part> next(std::string_view line);
  // After Part::content.
  std::uint64_t content_length() const { return content_length_; }

 private:
  enum class Came : std::uint8_t { nothing, mail, recipient, content };
  Came came_ = Came::nothing;
  std::uint64_t content_length_ = 0;
};

}  // namespace hikyaku::mail
