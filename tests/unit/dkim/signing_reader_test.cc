// SPDX-License-Identifier: MIT
#include "daemon/dkim/signing_reader.h"

#include <doctest/doctest.h>

#include "daemon/base/base64.h"
#include "daemon/base/text.h"
#include "daemon/dkim/tags.h"
#include "tests/unit/dkim/rfc_examples.h"

using namespace hikyaku;
using namespace hikyaku::dkim;

namespace {

class Stored final : public mail::ContentReader {
 public:
  explicit Stored(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}
  Task<Result<std::string_view, mail::SourceError>> next() override {
    if (at_ == pieces_.size() && is_damaged) co_return fail(mail::SourceErrorKind::damaged, "damaged");
    co_return at_ == pieces_.size() ? std::string_view() : std::string_view(pieces_[at_++]);
  }
  Task<Result<void, mail::SourceError>> rewind() override {
    at_ = 0;
    co_return Result<void, mail::SourceError>{};
  }
  bool is_damaged = false;

 private:
  std::vector<std::string> pieces_;
  std::size_t at_ = 0;
};

SigningKey key_of(std::string_view pem) {
  auto key = SigningKey::parse(pem);
  REQUIRE(key);
  return *key;
}

struct Signing {
  std::string sign(std::vector<std::string> pieces, std::uint64_t size = 100) {
    Stored stored(std::move(pieces));
    SigningReader reader(loop, stored, keys, rules);
    REQUIRE(loop.run(reader.prepare(size)));
    word = reader.word();
    const std::string once = read_all(reader);
    REQUIRE(loop.run(reader.rewind()));
    CHECK(read_all(reader) == once);
    added = reader.added();
    return once;
  }
  std::string read_all(SigningReader& reader) {
    std::string all;
    for (;;) {
      auto piece = loop.run(reader.next());
      REQUIRE(piece);
      if (piece->empty()) return all;
      all += *piece;
    }
  }
  // Of the signature that stands first.
  static std::string tag(const std::string& message, std::string_view name) {
    const std::size_t colon = message.find(':') + 1;
    std::size_t end = message.find("\r\n", colon);
    while (is_blank(message[end + 2])) end = message.find("\r\n", end + 2);
    auto tags = Tags::parse(std::string_view(message).substr(colon, end - colon));
    REQUIRE(tags);
    return std::string(tags->find(name).value_or("(none)"));
  }

  ManualClock clock;
  io::Loop loop{clock};
  KeyRing keys{{{"football.example.com", "test", key_of(kRsaKeyOf8463)}}};
  mail::SigningRules rules;
  std::string word;
  std::uint64_t added = 0;
};

}  // namespace

TEST_CASE("dkim: a message leaves with its signature first and is otherwise untouched") {
  Signing signing;
  const std::string sent = signing.sign({message_of_rfcs()});
  CHECK(signing.word == "football.example.com/test");
  CHECK(sent.starts_with("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;"));
  CHECK(sent.ends_with("\r\n" + message_of_rfcs()));
  CHECK(sent.size() == signing.added + message_of_rfcs().size());
  CHECK(Signing::tag(sent, "bh") == kBodyHashOfRfcs);
  CHECK(Signing::tag(sent, "d") == "football.example.com");
  CHECK(Signing::tag(sent, "s") == "test");
  CHECK(Signing::tag(sent, "l") == "(none)");
}

TEST_CASE("dkim: the signature is the same however the content comes, and on the pool too") {
  Signing signing;
  const std::string message = message_of_rfcs();
  const std::string whole = signing.sign({message});
  CHECK(signing.sign({message}, kLongContent + 1) == whole);
  for (std::size_t at = 1; at < message.size(); at += 7)
    CHECK(signing.sign({message.substr(0, at), message.substr(at)}) == whole);
}

TEST_CASE("dkim: an Ed25519 key signs beside the RSA key") {
  Signing signing;
  signing.keys = KeyRing(
      {{"example.com", "hk1", key_of(kRsaKeyOf8463)}, {"example.com", "hk1-2", key_of(kEd25519KeyOf8463)}});
  const std::string sent = signing.sign({message_of_rfcs()});
  CHECK(signing.word == "example.com/hk1,example.com/hk1-2");
  CHECK(sent.find("a=rsa-sha256") < sent.find("a=ed25519-sha256"));
  CHECK(sent.ends_with(message_of_rfcs()));
}

TEST_CASE("dkim: what is not signed leaves as it is, with a word that says why") {
  Signing signing;
  const std::string none = "To: a@example.com\r\n\r\nx\r\n";
  CHECK(signing.sign({none}) == none);
  CHECK(signing.word == "no_from");
  const std::string other = "From: a@example.net\r\n\r\nx\r\n";
  CHECK(signing.sign({other}) == other);
  CHECK(signing.word == "no_key");
  const std::string there = cat("DKIM-Signature: d=football.example.com; s=test; b=x\r\n", message_of_rfcs());
  CHECK(signing.sign({there}) == there);
  CHECK(signing.word == "already_signed");
  signing.rules.sign = false;
  CHECK(signing.sign({message_of_rfcs()}) == message_of_rfcs());
  CHECK(signing.word == "off");
}

TEST_CASE("dkim: a header without a body is signed, with the hash of nothing") {
  Signing signing;
  const std::string sent = signing.sign({std::string(kHeaderOfRfcs)});
  CHECK(Signing::tag(sent, "bh") == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

TEST_CASE("dkim: content that is damaged is not signed and not sent") {
  Signing signing;
  Stored stored({message_of_rfcs()});
  stored.is_damaged = true;
  SigningReader reader(signing.loop, stored, signing.keys, signing.rules);
  auto prepared = signing.loop.run(reader.prepare(100));
  REQUIRE_FALSE(prepared);
  CHECK(prepared.error().kind == mail::SourceErrorKind::damaged);
}
