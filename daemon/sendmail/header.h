// SPDX-License-Identifier: MIT
// A message's header in canonical form, field by field: enough to find recipients, to remove the Bcc fields
// and to add a From. Other fields are not changed by a byte. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/sendmail/exit.h"

namespace hikyaku::sendmail {

struct Field {
  std::string text;             // the whole field, folds and line ends included
  std::size_t name_length = 0;  // without blanks after the name; 0: an mbox "From " line
  std::size_t colon = 0;

  std::string_view name() const { return std::string_view(text).substr(0, name_length); }
  std::string_view value() const { return std::string_view(text).substr(colon + 1); }
  bool is(std::string_view name) const;  // ignores case
};
using Fields = std::vector<Field>;

// Recognises fields line by line. The header ends where the daemon's repair ends it (daemon/mail/intake.h):
// at the first line that is neither a field nor, after a field, its continuation.
class HeaderReader {
 public:
  static constexpr std::size_t kMaxHeader = 1024 * 1024;  // bytes, all fields

  // Takes canonical content. Returns true once the header is complete. Fails with bad_data beyond kMaxHeader.
  Result<bool, Failure> feed(std::string_view in);
  // Call at the end of input: the header is complete as it is.
  void finish();

  Fields& fields() { return fields_; }
  // The part of the body that was fed: from the blank line, or from the first line that is not a field.
  std::string take_body() { return std::move(rest_); }

 private:
  bool may_continue(std::string_view line) const;
  bool take_line(std::string_view line);

  Fields fields_;
  std::string rest_;  // bytes not recognised yet; later the body
  std::size_t size_ = 0;
  bool complete_ = false;
};

bool has_field(const Fields& fields, std::string_view name);
// Removes Bcc and Resent-Bcc, which no other recipient may see.
void remove_bcc(Fields& fields);
// `sender` as in the envelope. The name is quoted, or encoded (RFC 2047) if it is not ASCII.
Field from_field(std::string_view full_name, std::string_view sender);
std::string to_text(const Fields& fields);
// Joins header and body. Puts a blank line before a body that begins with "From ", which would otherwise be
// taken for an mbox line of the header.
std::string to_content(const Fields& fields, std::string_view body);

}  // namespace hikyaku::sendmail
