// SPDX-License-Identifier: MIT
#include "daemon/dkim/canonical.h"

#include <doctest/doctest.h>

#include "daemon/base/base64.h"
#include "daemon/base/text.h"
#include "daemon/dkim/signing_key.h"
#include "tests/support/pieces.h"
#include "tests/unit/dkim/rfc_examples.h"

using namespace hikyaku;
using namespace hikyaku::dkim;

namespace {

std::string relaxed(const test::Pieces& pieces) {
  std::string out;
  RelaxedBody body([&out](std::string_view bytes) { out += bytes; });
  for (std::string_view piece : pieces) body.feed(piece);
  body.finish();
  return out;
}

struct BodyCase {
  std::string_view body;
  std::string_view canonical;
};

constexpr BodyCase kBodies[] = {
    {" C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n"},  // RFC 6376 3.4.5
    {"", ""},
    {"\r\n", ""},
    {" \t\r\n\r\n", ""},
    {"\r\n\r\nx\r\n", "\r\n\r\nx\r\n"},
    {"x", "x\r\n"},
    {"x \t ", "x\r\n"},
    {"x\r\n \r\ny \r\n \t\r\n", "x\r\n\r\ny\r\n"},
    {"a\rb \r c\r\n", "a\rb \r c\r\n"},  // a lone CR ends nothing
    {"a\r", "a\r\r\n"},
    {"a\r\r\n", "a\r\r\n"},
    {"a\nb\n", "a\nb\n\r\n"},
    {"\xe9 \xe9\r\n", "\xe9 \xe9\r\n"},
    {".\r\n", ".\r\n"},
};

struct FieldCase {
  std::string_view name, text, canonical;
};
constexpr FieldCase kFields[] = {
    {"A", " X\r\n", "a:X"},  // RFC 6376 3.4.5
    {"B ", " Y\t\r\n\tZ  \r\n", "b:Y Z"},
    {"Subject", "\r\n", "subject:"},
    {"Subject", "", "subject:"},
    {"SUBJECT", "\r\n folded\r\n \t \r\n\tagain", "subject:folded again"},
    {"Subject", " \xc3\xa9  x", "subject:\xc3\xa9 x"},
    {"X", " a\rb\nc ", "x:a\rb\nc"},
};

}  // namespace

TEST_CASE("dkim: a body in its relaxed form, however it is cut") {
  for (const BodyCase& each : kBodies) {
    CAPTURE(printable(each.body));
    test::for_each_cut(each.body,
                       [&](const test::Pieces& pieces) { CHECK(relaxed(pieces) == each.canonical); });
  }
}

TEST_CASE("dkim: a field in its relaxed form has no folds, no blanks at its ends, and single ones within") {
  for (const FieldCase& each : kFields) CHECK(relaxed_field(each.name, each.text) == each.canonical);
}

TEST_CASE("dkim: a canonical body is passed on in small pieces, whatever is held back") {
  std::size_t longest = 0;
  std::uint64_t all = 0;
  RelaxedBody body([&](std::string_view bytes) {
    longest = std::max(longest, bytes.size());
    all += bytes.size();
  });
  std::string ends;
  for (int i = 0; i < 100'000; ++i) ends += "\r\n";
  body.feed(ends);
  CHECK(all == 0);
  body.feed("x");
  body.finish();
  CHECK(all == 200'003);
  CHECK(longest < 5000);
}

TEST_CASE("dkim: the body of the RFCs' examples has their hash") {
  Sha256 digest;
  RelaxedBody body([&digest](std::string_view bytes) { digest.feed(bytes); });
  body.feed(kBodyOfRfcs);
  body.finish();
  CHECK(to_base64(digest.finish()) == kBodyHashOfRfcs);
}
