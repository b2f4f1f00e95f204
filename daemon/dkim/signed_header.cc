// SPDX-License-Identifier: MIT
#include "daemon/dkim/signed_header.h"

#include <algorithm>
#include <utility>

#include "daemon/base/base64.h"
#include "daemon/base/text.h"
#include "daemon/config/settings.h"
#include "daemon/dkim/canonical.h"
#include "daemon/dkim/tags.h"
#include "daemon/dns/domain_name.h"
#include "daemon/mail/address.h"
#include "daemon/mail/address_list.h"

namespace hikyaku::dkim {
namespace {

constexpr std::string_view kBlankLine = "\r\n";
constexpr std::size_t kMostFields = 500;  // each is named in the signature
constexpr std::size_t kLine = 76;         // of our own field
constexpr std::size_t kBase64Line = 72;
constexpr std::string_view kFrom = "from", kSignature = "dkim-signature", kSignatureName = "DKIM-Signature";

struct UsualField {
  std::string_view name;
  bool is_oversigned = false;
};
// RFC 6376 5.4.1, RFC 8058 4.
constexpr UsualField kUsual[] = {
    {"From", true},     {"To", true},         {"Cc", true},         {"Subject", true},
    {"Date", true},     {"Message-ID", true}, {"Reply-To", true},   {"In-Reply-To"},
    {"References"},     {"MIME-Version"},     {"Content-Type"},     {"Content-Transfer-Encoding"},
    {"Resent-Date"},    {"Resent-From"},      {"Resent-To"},        {"Resent-Cc"},
    {"List-Id"},        {"List-Help"},        {"List-Unsubscribe"}, {"List-Unsubscribe-Post"},
    {"List-Subscribe"}, {"List-Post"},        {"List-Owner"},       {"List-Archive"}};

bool is_omitted(std::string_view name, const Omitted& omitted) {
  return std::ranges::any_of(omitted, [name](const auto& each) { return equals_ignoring_case(each, name); });
}

// Folds before a word that would make the line too long. Blanks are allowed around what ":" separates.
class Folded {
 public:
  explicit Folded(std::string begin) : text_(std::move(begin)), column_(text_.size()) {}

  void add(std::string_view word, bool after_blank) {
    if (column_ + 1 + word.size() > kLine) {
      text_ += "\r\n\t";
      column_ = 8;
    } else if (after_blank) {
      text_ += ' ';
      ++column_;
    }
    text_ += word;
    column_ += word.size();
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  std::size_t column_;
};

}  // namespace

std::string_view word_of(Unsigned why) {
  switch (why) {
    case Unsigned::off: return "off";
    case Unsigned::no_from: return "no_from";
    case Unsigned::several_from: return "several_from";
    case Unsigned::several_domains: return "several_domains";
    case Unsigned::no_key: return "no_key";
    case Unsigned::already_signed: return "already_signed";
    case Unsigned::header_too_long: return "header_too_long";
    case Unsigned::malformed_header: return "malformed_header";
    case Unsigned::failed: break;
  }
  return "failed";
}

std::string to_text(Unsigned why, std::string_view domain) {
  switch (why) {
    case Unsigned::off: return "the smarthost's entry has `dkim: {sign: false}`";
    case Unsigned::no_from: return "there is no From with an address that has a domain";
    case Unsigned::several_from: return "From stands there twice";
    case Unsigned::several_domains: return "From has addresses of several domains";
    case Unsigned::no_key: return cat("there is no active key of ", domain, "; see 'hikyaku dkim list'");
    case Unsigned::already_signed: return "it has a signature with the same domain and selector";
    case Unsigned::header_too_long: return "the fields to be signed are more than 500, or than 256 KiB";
    case Unsigned::malformed_header: return "no blank line ends the header";
    case Unsigned::failed: break;
  }
  return "OpenSSL's configuration does not allow the algorithm";
}

SignedFields::SignedFields(const std::vector<std::string>& chosen, const Omitted& omitted) {
  for (const std::string& name : chosen) {
    if (name != config::kUsualFields)
      add(name, omitted);
    else
      for (const UsualField& usual : kUsual) add(usual.name, omitted);
  }
}

void SignedFields::add(std::string_view name, const Omitted& omitted) {
  if (has(name) || is_omitted(name, omitted)) return;
  const auto usual = std::ranges::find_if(
      kUsual, [name](const UsualField& each) { return equals_ignoring_case(each.name, name); });
  fields_.push_back({std::string(name), usual != std::end(kUsual) && usual->is_oversigned});
}

bool SignedFields::has(std::string_view name) const {
  return std::ranges::any_of(fields_,
                             [name](const Field& each) { return equals_ignoring_case(each.name, name); });
}

void SignedHeader::feed(std::string_view& in) {
  while (!is_over_) {
    if (scanner_.is_in_body()) {
      if (!take_blank_line(in)) return;
      break;
    }
    auto piece = scanner_.next(in);
    if (!piece) return;
    if (piece->part == mail::HeaderPart::name) begin_field(piece->bytes);
    if (piece->part == mail::HeaderPart::text && !name_.empty()) text_ += piece->bytes;
    if (piece->part == mail::HeaderPart::body) blank_line_ = piece->bytes;
    if (bytes_ + text_.size() > kLongestSigned || fields_.size() > kMostFields) give_up();
  }
}

// The line between header and body belongs to neither. It may come in pieces.
bool SignedHeader::take_blank_line(std::string_view& in) {
  while (blank_line_.size() < kBlankLine.size() && !in.empty()) {
    blank_line_ += in.front();
    in.remove_prefix(1);
  }
  if (blank_line_.size() < kBlankLine.size()) return false;
  finish();
  return true;
}

void SignedHeader::finish() {
  if (is_over_) return;
  end_field();
  is_over_ = true;
  is_malformed_ = (scanner_.is_in_body() && blank_line_ != kBlankLine) || !scanner_.rest().empty();
}

void SignedHeader::begin_field(std::string_view piece) {
  end_field();
  const std::string_view name = mail::field_name_of(piece);
  const bool is_signature = equals_ignoring_case(name, kSignature);
  if (is_too_long_ || !(is_signature || signed_.has(name) || equals_ignoring_case(name, kFrom))) return;
  name_ = to_lower(name);
}

void SignedHeader::give_up() {
  is_too_long_ = true;
  name_.clear();
  text_.clear();
}

void SignedHeader::end_field() {
  if (name_.empty()) return;
  bytes_ += name_.size() + text_.size();
  if (name_ == kFrom) from_.push_back(text_);
  if (name_ == kSignature)
    signatures_.push_back(std::move(text_));
  else
    fields_.push_back({name_, relaxed_field(name_, text_)});
  name_.clear();
  text_.clear();
}

SignedHeader::Author SignedHeader::author() const {
  if (is_malformed_) return {"", Unsigned::malformed_header};
  if (is_too_long_) return {"", Unsigned::header_too_long};
  if (from_.size() != 1) return {"", from_.empty() ? Unsigned::no_from : Unsigned::several_from};
  const auto list = mail::parse_address_list(from_.front());
  Author author;
  for (const mail::ListedMailbox& mailbox : list.mailboxes) {
    auto domain = mailbox.has_domain ? dns::to_a_labels(mail::domain_of(mailbox.address)) : std::nullopt;
    if (!domain || list.problem) return {"", Unsigned::no_from};
    if (!author.domain.empty() && author.domain != *domain) return {"", Unsigned::several_domains};
    author.domain = std::move(*domain);
  }
  if (author.domain.empty()) author.trouble = Unsigned::no_from;
  return author;
}

bool SignedHeader::is_signed_by(std::string_view domain, std::string_view selector) const {
  return std::ranges::any_of(signatures_, [&](const std::string& text) {
    const auto tags = Tags::parse(text);
    return tags && equals_ignoring_case(tags->find("d").value_or(""), domain) &&
           equals_ignoring_case(tags->find("s").value_or(""), selector);
  });
}

// From the last one to the first: so a verifier takes them (RFC 6376 5.4.2).
std::vector<const SignedHeader::Field*> SignedHeader::fields_named(std::string_view name) const {
  std::vector<const Field*> found;
  for (auto each = fields_.rbegin(); each != fields_.rend(); ++each)
    if (equals_ignoring_case(each->name, name)) found.push_back(&*each);
  return found;
}

std::vector<std::string> SignedHeader::names() const {
  std::vector<std::string> names;
  for (const SignedFields::Field& field : signed_.all()) {
    const std::size_t count = fields_named(field.name).size() + (field.is_oversigned ? 1 : 0);
    names.insert(names.end(), count, field.name);
  }
  return names;
}

std::string SignedHeader::canonical() const {
  std::string text;
  for (const SignedFields::Field& field : signed_.all())
    for (const Field* each : fields_named(field.name)) text += cat(each->canonical, "\r\n");
  return text;
}

std::string signature_field(const SignatureFacts& facts) {
  Folded field(cat(kSignatureName, ": v=1;"));
  field.add(cat("a=", facts.algorithm, ";"), true);
  field.add("c=relaxed/relaxed;", true);
  field.add(cat("d=", facts.domain, ";"), true);
  field.add(cat("s=", facts.selector, ";"), true);
  field.add(cat("t=", std::to_string(facts.time), ";"), true);
  for (std::size_t i = 0; i < facts.names.size(); ++i)
    field.add(cat(i == 0 ? "h=" : "", facts.names[i], i + 1 == facts.names.size() ? ";" : ":"), i == 0);
  field.add(cat("bh=", to_base64(facts.body_hash), ";"), true);
  return field.take() + "\r\n\tb=";
}

std::string signed_text(const std::string& canonical_header, std::string_view field) {
  const std::size_t colon = field.find(':');
  return cat(canonical_header, relaxed_field(field.substr(0, colon), field.substr(colon + 1)));
}

std::string complete_field(std::string field, std::string_view signature) {
  const std::string text = to_base64(signature);
  for (std::size_t at = 0; at < text.size(); at += kBase64Line)
    field += cat(at == 0 ? "" : "\r\n\t ", std::string_view(text).substr(at, kBase64Line));
  return field + "\r\n";
}

}  // namespace hikyaku::dkim
