// SPDX-License-Identifier: MIT
// A mail's content as it leaves with its signatures: a reader over the content that a smarthost gets, which puts
// DKIM-Signature fields before it. The content is read once before it is sent, to be hashed; what takes long
// (an RSA signature, the hash of a long body) runs on the pool, so the loop is never held up. The loop's thread.
#pragma once

#include <string>
#include <string_view>

#include "daemon/dkim/key_ring.h"
#include "daemon/dkim/signed_header.h"
#include "daemon/io/loop.h"
#include "daemon/mail/mail_source.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::dkim {

// Longer content is hashed on the pool.
inline constexpr std::uint64_t kLongContent = 1024UL * 1024;

class SigningReader final : public mail::ContentReader {
 public:
  // All outlive the reader. The content is at its beginning.
  SigningReader(io::Loop& loop, mail::ContentReader& content, const KeyRing& keys,
                const mail::SigningRules& rules)
      : loop_(loop), content_(content), keys_(keys), rules_(rules) {}

  // Reads the content, of `size` bytes, and signs it, or finds out why not. Once, first.
  Task<Result<void, mail::SourceError>> prepare(std::uint64_t size);
  // What the signatures add.
  std::uint64_t added() const { return fields_.size(); }
  // For the log: "example.com/hk202612", several with commas between, or one word that says why there is none.
  const std::string& word() const { return word_; }

  Task<Result<std::string_view, mail::SourceError>> next() override;
  Task<Result<void, mail::SourceError>> rewind() override;
  bool may_be_sent() const override { return content_.may_be_sent(); }

 private:
  using KeyList = std::vector<const DomainKey*>;

  Task<Result<void, mail::SourceError>> read(std::uint64_t size);
  KeyList choose_keys(const SignedHeader& header);
  Task<void> sign(const SignedHeader& header, const std::string& body_hash, KeyList keys);

  io::Loop& loop_;
  mail::ContentReader& content_;
  const KeyRing& keys_;
  const mail::SigningRules& rules_;
  std::string fields_;
  std::string word_;
  bool has_begun_ = false;
};

// Which keys sign mail with this header, or why none does. `domain`: of From, as far as it is known.
struct SigningChoice {
  std::vector<const DomainKey*> keys;
  std::optional<Unsigned> trouble;
  std::string domain;
};
SigningChoice choose_signatures(const SignedHeader& header, const KeyRing& keys);

}  // namespace hikyaku::dkim
