// SPDX-License-Identifier: MIT
// Which addresses somebody means: the patterns of `senders`, `routes` and `rewrite.unless`. A pattern says all
// that it matches in its own characters; there is no regular expression. Pure.
//
//   *                   everything, <> included
//   <>                  the null sender only
//   user@example.com    this address
//   *@example.com       every address at this domain, not at the domains below it
//   *@*.example.com     every address at a domain below it, however deep, not at the domain itself
//
// ASCII case makes no difference, nor do quotes that a local part does not need ("\"anna\"@example.com" is
// anna@example.com). Bytes from 0x80 are compared as they are: bücher.example and its form in ASCII,
// xn--bcher-kva.example, are two domains here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/error.h"

namespace hikyaku::mail {

class AddressPattern {
 public:
  // Fails with what a pattern must be, as the end of a sentence that begins with the key ("must be …").
  static Result<AddressPattern, std::string> parse(std::string_view text);

  static AddressPattern all() { return {"*", Users::all, Domains::any}; }

  // `address` is one as parse_path (address.h) returns it; empty is the null sender. Anything else, such as an
  // address with a source route, a second "@" outside quotes or a dot at its end, is matched by "*" only.
  bool matches(std::string_view address) const;
  // As it was written.
  const std::string& text() const { return text_; }

  bool operator==(const AddressPattern&) const = default;

 private:
  enum class Users : std::uint8_t { nobody, one, all };  // nobody: <>
  enum class Domains : std::uint8_t { any, exactly, below };

  AddressPattern(std::string_view text, Users users, Domains domains)
      : text_(text), users_(users), domains_(domains) {}
  static Result<AddressPattern, std::string> parse_domain(std::string_view text);
  static Result<AddressPattern, std::string> parse_address(std::string_view text);
  bool has_domain(std::string_view domain) const;

  std::string text_;
  Users users_;
  Domains domains_;
  std::string user_{};    // alias_key() of the local part
  std::string domain_{};  // in lower case; below: with the dot before it
};

using AddressPatterns = std::vector<AddressPattern>;
bool matches_any(const AddressPatterns& patterns, std::string_view address);
// "*@example.com, *@*.example.com", for people.
std::string to_text(const AddressPatterns& patterns);

}  // namespace hikyaku::mail
