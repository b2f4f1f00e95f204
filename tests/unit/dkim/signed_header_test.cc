// SPDX-License-Identifier: MIT
#include "daemon/dkim/signed_header.h"

#include <doctest/doctest.h>

#include "daemon/base/text.h"
#include "daemon/dkim/tags.h"
#include "tests/support/pieces.h"
#include "tests/unit/dkim/rfc_examples.h"

using namespace hikyaku;
using namespace hikyaku::dkim;

namespace {

const Omitted kNothing;
const std::vector<std::string> kUsually{"default"};

struct Read {
  SignedHeader header;
  std::string body;
};

Read read(const test::Pieces& pieces, const Omitted& omitted = kNothing,
          const std::vector<std::string>& chosen = kUsually) {
  Read read{SignedHeader(SignedFields(chosen, omitted)), ""};
  for (std::string_view piece : pieces) {
    read.header.feed(piece);
    read.body += piece;
  }
  read.header.finish();
  return read;
}

std::string names_of(std::string_view message, const Omitted& omitted = kNothing) {
  return join(read({message}, omitted).header.names(), ":");
}

std::string author_of(std::string_view message) {
  const auto author = read({message}).header.author();
  return author.trouble ? std::string(word_of(*author.trouble)) : author.domain;
}

struct AuthorCase {
  std::string_view message;
  std::string_view author;  // the domain, or why not
};
constexpr AuthorCase kAuthors[] = {
    {"From: a@example.com\r\n\r\n", "example.com"},
    {"from : \"x, y\" <a@Example.COM>\r\n\r\n", "example.com"},
    {"From: =?utf-8?q?x?=\r\n <a@example.com>\r\n\r\n", "example.com"},
    {"From: a@example.com, b@EXAMPLE.com\r\n\r\n", "example.com"},
    {"From: a@b\xc3\xbc"
     "cher.example\r\n\r\n",
     "xn--bcher-kva.example"},
    {"From: a@example.com", "example.com"},
    {"To: a@example.com\r\n\r\nFrom: a@example.com\r\n", "no_from"},
    {"From: \r\n\r\n", "no_from"},
    {"From: root\r\n\r\n", "no_from"},
    {"From: undisclosed:;\r\n\r\n", "no_from"},
    {"From: <a@example.com\r\n\r\n", "no_from"},
    {"From: a@[192.0.2.1]\r\n\r\n", "no_from"},
    {"From: a@example.com\r\nFROM: a@example.com\r\n\r\n", "several_from"},
    {"From: a@example.com, b@shop.example.com\r\n\r\n", "several_domains"},
    {"From: a@example.com\r\nno field\r\n", "malformed_header"},
    {"From: a@example.com\r\nno fie", "malformed_header"},
};

}  // namespace

TEST_CASE("dkim: fields are signed as often as they are there, and the important ones once more") {
  CHECK(names_of(message_of_rfcs()) ==
        "From:From:To:To:Cc:Subject:Subject:Date:Date:Message-ID:Message-ID:Reply-To");
  CHECK(names_of(
            "Received: x\r\nFrom: a@b.example\r\nX-Tag: y\r\nReferences: <1>\r\nREFERENCES: <2>\r\n\r\n") ==
        "From:From:To:Cc:Subject:Date:Message-ID:Reply-To:References:References");
  CHECK(names_of("From: a@b.example\r\nList-Unsubscribe-Post: x\r\n\r\nList-Id: y\r\n") ==
        "From:From:To:Cc:Subject:Date:Message-ID:Reply-To:List-Unsubscribe-Post");
}

TEST_CASE("dkim: what the smarthost changes is not signed, not even as missing") {
  const Omitted omitted{"message-id", "Date", "X-Tag"};
  CHECK(names_of(message_of_rfcs(), omitted) == "From:From:To:To:Cc:Subject:Subject:Reply-To");
  CHECK(read({message_of_rfcs()}, omitted).header.canonical() ==
        "from:Joe SixPack <joe@football.example.com>\r\nto:Suzie Q <suzie@shopping.example.net>\r\n"
        "subject:Is dinner ready?\r\n");
  CHECK_FALSE(SignedFields(kUsually, omitted).has("Date"));
  CHECK(SignedFields(kUsually, omitted).has("SUBJECT"));
}

TEST_CASE("dkim: the configuration's fields are signed instead of the usual ones, or beside them") {
  const std::string message = cat("X-Tag: a\r\nx-tag: b\r\n", message_of_rfcs());
  const auto names = [&](const std::vector<std::string>& chosen, const Omitted& omitted = {}) {
    return join(read({message}, omitted, chosen).header.names(), ":");
  };
  CHECK(names({"Subject", "from", "X-TAG"}) == "Subject:Subject:from:from:X-TAG:X-TAG");
  CHECK(names({"default", "X-Tag", "X-Missing"}) == names({"default"}) + ":X-Tag:X-Tag");
  CHECK(names({"from", "default"}).starts_with("from:from:To:To:Cc:"));
  CHECK(names({"From", "X-Tag", "Date"}, {"x-tag", "Date"}) == "From:From");
  CHECK(read({message}, {}, {"From", "X-Tag"}).header.canonical() ==
        "from:Joe SixPack <joe@football.example.com>\r\nx-tag:b\r\nx-tag:a\r\n");
}

TEST_CASE("dkim: of fields with one name a verifier takes the last first") {
  CHECK(read({"From: a@b.example\r\nReferences: 1\r\nReferences: 2\r\n\r\n"}).header.canonical() ==
        "from:a@b.example\r\nreferences:2\r\nreferences:1\r\n");
}

TEST_CASE("dkim: header and body are told apart however the message is cut") {
  const std::string message = message_of_rfcs();
  test::for_each_cut(message, [](const test::Pieces& pieces) {
    const Read one = read(pieces);
    CHECK(one.body == kBodyOfRfcs);
    CHECK(
        one.header.canonical().ends_with("message-id:<20030712040037.46341.5F8J@football.example.com>\r\n"));
  });
}

TEST_CASE("dkim: the author's domain signs, and where it is in doubt nobody does") {
  for (const AuthorCase& each : kAuthors) {
    CAPTURE(printable(each.message));
    CHECK(author_of(each.message) == each.author);
  }
}

TEST_CASE("dkim: a header without end takes no memory, and is not signed") {
  SignedHeader header(SignedFields(kUsually, kNothing));
  std::string_view from = "From: a@example.com\r\nSubject: ";
  header.feed(from);
  const std::string piece(64 * 1024, 'x');
  for (int i = 0; i < 10; ++i) {
    std::string_view in = piece;
    header.feed(in);
  }
  std::string_view end = "\r\n\r\n";
  header.feed(end);
  CHECK(header.is_over());
  CHECK(header.author().trouble == Unsigned::header_too_long);
  std::string many = "From: a@example.com\r\n";
  for (int i = 0; i < 600; ++i) many += "To: b@example.com\r\n";
  CHECK(author_of(cat(many, "\r\n")) == "header_too_long");
}

TEST_CASE("dkim: a signature that is there already is known by domain and selector") {
  const std::string message = cat("DKIM-Signature: v=1; a=rsa-sha256; d=Example.com;\r\n\ts = hk1 ; b=x\r\n",
                                  "DKIM-Signature: d=other.example; s=hk1; s=hk2\r\n", kHeaderOfRfcs, "\r\n");
  const Read one = read({message});
  CHECK(one.header.is_signed_by("example.com", "hk1"));
  CHECK_FALSE(one.header.is_signed_by("example.com", "hk2"));
  CHECK_FALSE(one.header.is_signed_by("other.example", "hk1"));  // a list with a tag twice is none
}

TEST_CASE("dkim: our own field is folded, and is what is signed but for its signature") {
  SignatureFacts facts{.algorithm = "rsa-sha256",
                       .domain = "example.com",
                       .selector = "hk202612",
                       .time = 1796000000,
                       .names = read({message_of_rfcs()}).header.names(),
                       .body_hash = std::string(32, '\0')};
  const std::string field = signature_field(facts);
  CHECK(field ==
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com;\r\n"
        "\ts=hk202612; t=1796000000; h=From:From:To:To:Cc:Subject:Subject:\r\n"
        "\tDate:Date:Message-ID:Message-ID:Reply-To;\r\n"
        "\tbh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=;\r\n"
        "\tb=");
  CHECK(signed_text("from:x\r\n", field) ==
        "from:x\r\ndkim-signature:v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=hk202612; "
        "t=1796000000; "
        "h=From:From:To:To:Cc:Subject:Subject: Date:Date:Message-ID:Message-ID:Reply-To; "
        "bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=; b=");
  const std::string complete = complete_field(field, std::string(256, '\xff'));
  CHECK(complete.starts_with(field));
  for (std::string_view line : split(complete, '\n')) CHECK(line.size() <= 79);
  auto tags = Tags::parse(complete.substr(complete.find(':') + 1));
  REQUIRE(tags);
  CHECK(without_blanks(*tags->find("b")).size() == 344);
  CHECK(colon_list(*tags->find("h")).size() == 12);
}

TEST_CASE("dkim: lists of tags are read strictly") {
  CHECK(*Tags::parse("v=1; d = a.example ;")->find("d") == "a.example");
  CHECK(Tags::parse("v=DKIM1; p=")->find("p") == "");
  CHECK(Tags::parse("")->first_name() == "");
  CHECK_FALSE(Tags::parse("v=1; d"));
  CHECK_FALSE(Tags::parse("v=1;; d=x"));
  CHECK_FALSE(Tags::parse("d=1; d=2"));
  CHECK_FALSE(Tags::parse("1d=2"));
}
