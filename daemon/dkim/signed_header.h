// SPDX-License-Identifier: MIT
// Which fields of a message are signed and what they say, gathered as the header streams by; and the
// DKIM-Signature field made of them (RFC 6376 3.5, 3.7). Memory is bounded by kLongestSigned, not by the header.
// Pure.
//
// Signed is each field of the RFC's list (5.4.1) as often as it is there, with Message-ID, the MIME fields and
// what one click needs to unsubscribe (RFC 8058), unless the configuration has other ones. From, To, Cc, Subject,
// Date, Reply-To and Message-ID are named once more than they are there, so that nobody can add another one on the
// way without breaking the signature.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/mail/header_scanner.h"

namespace hikyaku::dkim {

inline constexpr std::size_t kLongestSigned = 256UL * 1024;

// Why a message is not signed.
enum class Unsigned : std::uint8_t {
  off,               // the smarthost's entry says so
  no_from,           // no From, or no address with a domain in it
  several_from,      // From stands there twice
  several_domains,   // From has addresses of several domains
  no_key,            // neither the domain nor one above it has a key
  already_signed,    // with the same domain and selector
  header_too_long,   // kLongestSigned
  malformed_header,  // no blank line behind it: receivers would see another one
  failed,            // OpenSSL's configuration forbids the algorithm
};
// One word for the log: "no_key".
std::string_view word_of(Unsigned why);
// For people, without a full stop.
std::string to_text(Unsigned why, std::string_view domain);

// Names of fields that are not to be signed, because the smarthost changes them.
using Omitted = std::vector<std::string>;

// Which fields are signed, in their order in h=.
class SignedFields {
 public:
  // `chosen`: as in config::DkimSettings.
  SignedFields(const std::vector<std::string>& chosen, const Omitted& omitted);

  struct Field {
    std::string name;            // as it stands in h=
    bool is_oversigned = false;  // once more than it is there
  };
  const std::vector<Field>& all() const { return fields_; }
  bool has(std::string_view name) const;

 private:
  void add(std::string_view name, const Omitted& omitted);

  std::vector<Field> fields_;
};

class SignedHeader {
 public:
  explicit SignedHeader(SignedFields fields) : signed_(std::move(fields)) {}

  // Takes the header off the front of `in`; what is left belongs to the body.
  void feed(std::string_view& in);
  // At the end of the message, or of the header.
  void finish();
  bool is_over() const { return is_over_; }  // the body has begun

  // The domain of From, as A-labels in lower case, or why there is none that could sign.
  struct Author {
    std::string domain;
    std::optional<Unsigned> trouble;
  };
  Author author() const;
  bool is_signed_by(std::string_view domain, std::string_view selector) const;

  // The names for h=, in their order, and the canonical fields in the same order, each with CR LF.
  std::vector<std::string> names() const;
  std::string canonical() const;

 private:
  struct Field {
    std::string name;  // lower case
    std::string canonical;
  };

  void begin_field(std::string_view piece);
  void end_field();
  void give_up();
  bool take_blank_line(std::string_view& in);
  std::vector<const Field*> fields_named(std::string_view name) const;

  SignedFields signed_;
  mail::HeaderScanner scanner_;
  std::vector<Field> fields_;
  std::vector<std::string> from_;
  std::vector<std::string> signatures_;  // DKIM-Signature fields that are there
  std::string name_, text_;              // of the field that is being read; no name: it is of no interest
  std::size_t bytes_ = 0;
  std::string blank_line_;
  bool is_over_ = false;
  bool is_too_long_ = false;
  bool is_malformed_ = false;
};

// All that a signature says.
struct SignatureFacts {
  std::string_view algorithm;
  std::string domain;
  std::string selector;
  std::uint64_t time = 0;  // Unix time
  std::vector<std::string> names;
  std::string body_hash;  // 32 bytes
};
// The field up to "b=", folded, without a line end.
std::string signature_field(const SignatureFacts& facts);
// What is signed: the fields, and the field that signature_field() gives.
std::string signed_text(const std::string& canonical_header, std::string_view field);
// The field with its signature, folded, with a line end.
std::string complete_field(std::string field, std::string_view signature);

}  // namespace hikyaku::dkim
