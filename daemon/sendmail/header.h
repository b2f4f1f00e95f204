// SPDX-License-Identifier: MIT
// A message's header in canonical form, field by field: enough of it to find recipients, to take the Bcc
// fields out, and to add a From. Fields that stay are not changed by a byte. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/sendmail/exit.h"

namespace hikyaku::sendmail {

struct Field {
  std::string text;             // all of it, folds and line ends included
  std::size_t name_length = 0;  // without blanks behind it; 0: an mbox "From " line
  std::size_t colon = 0;

  std::string_view name() const { return std::string_view(text).substr(0, name_length); }
  std::string_view value() const { return std::string_view(text).substr(colon + 1); }
  bool is(std::string_view name) const;  // in either case
};
using Fields = std::vector<Field>;

// Told by one line at a time. The header ends where the daemon's repair ends it (daemon/mail/intake.h): at
// the first line that is neither a field nor, after a field, its continuation.
class HeaderReader {
 public:
  static constexpr std::size_t kMaxHeader = 1024 * 1024;  // bytes, all fields

  // Takes canonical content. True once the header is complete. Fails with bad_data beyond kMaxHeader.
  Result<bool, Failure> feed(std::string_view in);
  // At the end of input: what there is is all.
  void finish();

  Fields& fields() { return fields_; }
  // What has been fed of the body: from the blank line on, or from the line that is no field.
  std::string take_body() { return std::move(rest_); }

 private:
  bool may_continue(std::string_view line) const;
  bool take_line(std::string_view line);

  Fields fields_;
  std::string rest_;  // not recognised yet; then the body
  std::size_t size_ = 0;
  bool complete_ = false;
};

bool has_field(const Fields& fields, std::string_view name);
// Without Bcc and Resent-Bcc: nobody else shall see them.
void remove_bcc(Fields& fields);
// `sender` as it goes into the envelope; the name goes into quotes, or is encoded (RFC 2047) if it is not
// ASCII.
Field from_field(std::string_view full_name, std::string_view sender);
std::string to_text(const Fields& fields);
// Header and body as one, where taking a field out must not make a field of the body: a body that begins with
// "From " has been kept from being an mbox line only by what stood before it.
std::string to_content(const Fields& fields, std::string_view body);

}  // namespace hikyaku::sendmail
