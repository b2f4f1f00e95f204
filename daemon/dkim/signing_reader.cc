// SPDX-License-Identifier: MIT
#include "daemon/dkim/signing_reader.h"

#include <chrono>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/dkim/canonical.h"
#include "daemon/io/work.h"

namespace hikyaku::dkim {
namespace {

class BodyHash {
 public:
  void feed(std::string_view bytes) { body_.feed(bytes); }
  std::string finish() {
    body_.finish();
    return digest_.finish();
  }

 private:
  Sha256 digest_;
  RelaxedBody body_{[this](std::string_view canonical) { digest_.feed(canonical); }};
};

std::uint64_t unix_time(WallTime time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count());
}

// nullopt: OpenSSL refuses.
std::optional<std::string> field_by(const DomainKey& key, const SignedHeader& header,
                                    const std::string& canonical, const std::string& body_hash,
                                    std::uint64_t now) {
  std::string field = signature_field({.algorithm = algorithm(key.key.kind()),
                                       .domain = key.domain,
                                       .selector = key.selector,
                                       .time = now,
                                       .names = header.names(),
                                       .body_hash = body_hash});
  auto signature = key.key.sign(signed_text(canonical, field));
  if (!signature) return std::nullopt;
  return complete_field(std::move(field), *signature);
}

}  // namespace

SigningChoice choose_signatures(const SignedHeader& header, const KeyRing& keys) {
  const auto author = header.author();
  SigningChoice choice{.keys = {}, .trouble = author.trouble, .domain = author.domain};
  if (choice.trouble) return choice;
  choice.keys = keys.keys_for(author.domain);
  if (choice.keys.empty()) choice.trouble = Unsigned::no_key;
  std::erase_if(choice.keys,
                [&](const DomainKey* key) { return header.is_signed_by(key->domain, key->selector); });
  if (choice.keys.empty() && !choice.trouble) choice.trouble = Unsigned::already_signed;
  return choice;
}

Task<Result<void, mail::SourceError>> SigningReader::prepare(std::uint64_t size) {
  if (!rules_.sign) {
    word_ = word_of(Unsigned::off);
    co_return Result<void, mail::SourceError>{};
  }
  auto done = co_await read(size);
  if (!done) co_return done;
  auto rewound = co_await rewind();
  co_return rewound;
}

Task<Result<void, mail::SourceError>> SigningReader::read(std::uint64_t size) {
  SignedHeader header(SignedFields(keys_.signed_fields(), rules_.omit));
  BodyHash hash;
  KeyList keys;
  for (bool is_chosen = false;;) {
    auto piece = co_await content_.next();
    if (!piece) co_return std::unexpected(piece.error());
    std::string_view body = *piece;
    header.feed(body);
    if (piece->empty()) header.finish();
    if (header.is_over() && !std::exchange(is_chosen, header.is_over())) keys = choose_keys(header);
    if (is_chosen && keys.empty()) co_return Result<void, mail::SourceError>{};
    if (piece->empty()) break;
    if (size > kLongContent)
      co_await io::run_on_pool(loop_, [&hash, body] { hash.feed(body); });
    else
      hash.feed(body);
  }
  co_await sign(header, hash.finish(), std::move(keys));
  co_return Result<void, mail::SourceError>{};
}

SigningReader::KeyList SigningReader::choose_keys(const SignedHeader& header) {
  auto choice = choose_signatures(header, keys_);
  if (choice.trouble) word_ = word_of(*choice.trouble);
  return std::move(choice.keys);
}

Task<void> SigningReader::sign(const SignedHeader& header, const std::string& body_hash, KeyList keys) {
  const std::uint64_t now = unix_time(loop_.clock().wall());
  std::vector<std::optional<std::string>> made(keys.size());
  co_await io::run_on_pool(loop_, [&] {
    const std::string canonical = header.canonical();
    for (std::size_t i = 0; i < keys.size(); ++i)
      made[i] = field_by(*keys[i], header, canonical, body_hash, now);
  });
  std::vector<std::string> names;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!made[i]) continue;
    fields_ += *made[i];
    names.push_back(cat(keys[i]->domain, "/", keys[i]->selector));
  }
  word_ = names.empty() ? std::string(word_of(Unsigned::failed)) : join(names, ",");
}

Task<Result<std::string_view, mail::SourceError>> SigningReader::next() {
  if (!std::exchange(has_begun_, true) && !fields_.empty()) co_return std::string_view(fields_);
  auto piece = co_await content_.next();
  co_return piece;
}

Task<Result<void, mail::SourceError>> SigningReader::rewind() {
  has_begun_ = false;
  auto rewound = co_await content_.rewind();
  co_return rewound;
}

}  // namespace hikyaku::dkim
