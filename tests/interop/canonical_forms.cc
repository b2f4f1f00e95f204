// SPDX-License-Identifier: MIT
// Canonical forms as dkim_test.py compares them with dkimpy's: standard input has a line for each, "body HEX" or
// "field HEX" (a header field with its line end); standard output has the form of each, in hexadecimal.
#include <iostream>
#include <optional>
#include <string>

#include "daemon/base/text.h"
#include "daemon/dkim/canonical.h"

using namespace hikyaku;

namespace {

std::string from_hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t at = 0; at + 1 < digits.size(); at += 2)
    bytes += static_cast<char>(hex_value(digits[at]).value() * 16 + hex_value(digits[at + 1]).value());
  return bytes;
}

std::string hex_of(const std::string& bytes) {
  return to_hex({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
}

std::string form_of_body(const std::string& body) {
  std::string out;
  dkim::RelaxedBody form([&out](std::string_view bytes) { out += bytes; });
  form.feed(body);
  form.finish();
  return out;
}

std::string form_of_field(const std::string& field) {
  const std::size_t colon = field.find(':');
  return dkim::relaxed_field(field.substr(0, colon), field.substr(colon + 1)) + "\r\n";
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const std::size_t blank = line.find(' ');
    const std::string bytes = from_hex(std::string_view(line).substr(blank + 1));
    std::cout << hex_of(line.starts_with("body") ? form_of_body(bytes) : form_of_field(bytes)) << "\n";
  }
}
