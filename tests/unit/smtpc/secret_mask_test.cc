// SPDX-License-Identifier: MIT
#include "smtpc/secret_mask.h"

#include "daemon/base/base64.h"
#include "daemon/base/text.h"
#include "doctest/doctest.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;

namespace {

constexpr const char* kPassword = "Tr0ub4dor+3/horse";

mail::Credentials credentials(const std::string& password, const std::string& user = "me@example.com") {
  mail::Credentials made;
  made.user = user;
  made.password = Secret(password);
  return made;
}

std::string masked(std::string_view text, const std::string& password = kPassword) {
  return SecretMask(credentials(password)).masked(text);
}

mail::Reply masked_reply(const std::string& text, const std::string& password = kPassword) {
  return SecretMask(credentials(password)).masked(*mail::parse_reply(text));
}

std::string hex(char c, const char* digits) {
  const auto byte = static_cast<unsigned char>(c);
  return {digits[byte >> 4], digits[byte & 15]};
}

// Those characters encoded whose bits are set.
std::string encoded(std::string_view text, unsigned which, char sign, const char* digits) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i)
    result += which >> i & 1 ? sign + hex(text[i], digits) : std::string(1, text[i]);
  return result;
}

constexpr const char* kUpper = "0123456789ABCDEF";
constexpr const char* kLower = "0123456789abcdef";

}  // namespace

TEST_CASE("smtpc: a reply that repeats the password, in whatever form, shows *** instead") {
  const std::string plain =
      to_base64(cat(std::string(1, '\0'), "me@example.com", std::string(1, '\0'), kPassword));
  struct Row {
    std::string heard, shown;
  };
  for (const auto& [heard, shown] : std::vector<Row>{
           {"535 5.7.8 Tr0ub4dor+3/horse is wrong", "535 5.7.8 *** is wrong"},
           {"535 <Tr0ub4dor+3/horse>", "535 <***>"},
           {"535 a piece of eight: r0ub4dor.", "535 a piece of eight: ***."},
           {"535 one of seven: 0ub4dor.", "535 one of seven: 0ub4dor."},
           {cat("500 5.5.2 unknown command \"AUTH PLAIN ", plain, "\""),
            "500 5.5.2 unknown command \"AUTH PLAIN ***\""},
           {cat("535 ", plain.substr(6, 8), " and ", plain.substr(plain.size() - 8)), "535 *** and ***"},
           {cat("535 ", to_base64(kPassword)), "535 ***="},
           {"535 VHIwdWI0ZG9yKzMvaG9yc2U", "535 ***"},
           {"535 Tr0ub4dor%2B3%2Fhorse", "535 ***"},
           {"535 %54%72%30%75%62%34%64%6f%72%2B%33%2f%68%6F%72%73%65", "535 ***"},
           {"535 =54r0ub4do=72=2b3/horse", "535 ***"},
           {"535 pass=Tr0ub4dor\\x2b3/horse", "535 pass=***"},
       }) {
    CHECK(masked(heard) == shown);
  }
}

TEST_CASE("smtpc: a text that has nothing of the password stays as it is") {
  for (const char* text :
       {"250 2.0.0 Ok: queued as 4Tr0ub4", "535 5.7.8 Username and Password not accepted", "", "\n\n", "250",
        "250-a\r\n250 b\r\n", "% = \\ %2 =\n\\x5", "354 End data with <CR><LF>.<CR><LF>"})
    CHECK(masked(text) == text);
}

TEST_CASE("smtpc: Base64 of the password is hidden at every offset, with whatever stands beside it") {
  for (std::size_t length = 4; length <= 14; ++length) {
    const std::string password = std::string("q7&Zp2!xM9~bK4").substr(0, length);
    const SecretMask mask(credentials(password));
    for (std::size_t offset = 0; offset < 6; ++offset) {
      for (unsigned neighbour = 1; neighbour < 256; ++neighbour) {
        const std::string beside(offset, static_cast<char>(neighbour));
        const std::string text = to_base64(cat(beside, password, beside));
        const std::size_t first = offset * 8 / 6;
        const std::size_t end = ((offset + length) * 8 + 5) / 6;
        const std::string expected = cat(text.substr(0, first), "***", text.substr(end));
        if (mask.masked(text) != expected) FAIL_CHECK(password, " in ", text, ": ", mask.masked(text));
      }
    }
  }
}

TEST_CASE("smtpc: the alphabet of URLs is Base64, too") {
  const std::string password = "\xfb\xef\xbe\xff\xff\xff~~~~";
  std::string text = to_base64(password);
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  REQUIRE(text.find_first_of("-_") != text.npos);
  CHECK(masked(text, password) == "***==");
}

TEST_CASE("smtpc: any characters of the password may be encoded, with large or small hex digits") {
  const std::string password = "s3 %=A+x";
  const SecretMask mask(credentials(password));
  for (unsigned which = 0; which < 256; ++which)
    for (const char* digits : {kUpper, kLower})
      for (char sign : {'%', '='})
        CHECK(mask.masked(cat("<", encoded(password, which, sign, digits), ">")) == "<***>");
  CHECK(mask.masked("<s3+%25%3dA%2bx>") == "<***>");  // as in a form
  CHECK(mask.masked("<s3_=25=3DA+x>") == "<***>");    // as in an encoded word
}

TEST_CASE("smtpc: Base64 that is percent-encoded is hidden, too") {
  CHECK(masked("VHIwdWI0ZG9yKzMv%61G9yc2U%3D") == "***%3D");
}

TEST_CASE("smtpc: a password over several lines of a reply is hidden, and its codes and statuses stay") {
  const std::string password = "two words 4me";
  const std::string base64 = to_base64(password);
  for (const std::string& secret : {password, base64.substr(0, 16)}) {
    for (std::size_t at = 1; at < secret.size(); ++at) {
      for (const char* between : {"\r\n535 5.7.8 ", "\r\n535 ", " \r\n535 5.7.8  ", "=\r\n535 "}) {
        auto reply =
            masked_reply(cat("535-5.7.8 no: ", secret.substr(0, at), between, secret.substr(at)), password);
        CHECK(reply.code == 535);
        CHECK(reply.status == mail::EnhancedStatus{5, 7, 8});
        REQUIRE(reply.lines.size() == 2);
        CHECK(reply.lines[0].substr(0, 13) == "5.7.8 no: ***");
        CHECK(reply.lines[1].ends_with("***"));
        CHECK(reply.lines[1].starts_with("5.7.8") ==
              (std::string_view(between).find("5.7.8") != std::string_view::npos));
      }
    }
  }
}

TEST_CASE("smtpc: a password of which each line has one character is hidden") {
  std::string text;
  for (char c : std::string_view(kPassword)) text += cat("535-5.7.8 ", std::string(1, c), "\r\n");
  auto reply = masked_reply(text + "535 5.7.8 sorry\r\n");
  REQUIRE(reply.lines.size() == std::string_view(kPassword).size() + 1);
  for (std::size_t i = 0; i + 1 < reply.lines.size(); ++i) CHECK(reply.lines[i] == "5.7.8 ***");
  CHECK(reply.lines.back() == "5.7.8 sorry");
  reply = masked_reply("535-5.7.8 Tr0ub\r\n535-5.7.8\r\n535-\r\n535-5.7.8 \r\n535 4dor+3/horse\r\n");
  CHECK(reply.lines == std::vector<std::string>{"5.7.8 ***", "5.7.8", "", "5.7.8 ", "***"});
}

TEST_CASE("smtpc: bytes that are no reply yet lose the password, not their codes") {
  CHECK(masked("535-5.7.8 Tr0ub4dor\r\n535 5.7.8 +3/horse\r\n") == "535-5.7.8 ***\r\n535 5.7.8 ***\r\n");
}

TEST_CASE("smtpc: a status and a code stay although the password is the same") {
  CHECK(to_text(masked_reply("535 5.7.8 wrong", "5.7.8")) == "535 5.7.8 wrong");
  CHECK(to_text(masked_reply("535 5.7.8 wrong 5.7.8", "5.7.8")) == "535 5.7.8 wrong ***");
  CHECK(to_text(masked_reply("535 5.7.8 abcdef", "5.7.8 abcdef")) == "535 5.7.8 ***");
  CHECK(masked("535 5.7.8 wrong", "535") == "535 5.7.8 wrong");
}

TEST_CASE("smtpc: a short password is hidden where it is whole, a very short one where it is a word") {
  CHECK(masked("535 pass1 passed", "pass1") == "535 *** passed");
  CHECK(masked("535 xpass1x", "pass1") == "535 x***x");
  CHECK(masked("535 ok, okay; <ok> tok", "ok") == "535 ***, okay; <***> tok");
  CHECK(masked("535 a b=%61 ab", "a") == "535 *** b=*** ab");
  CHECK(masked("334 b2s= b2sb", "ok") == "334 *** b2sb");
  CHECK(masked(cat("535 ", to_base64(std::string("\0me@example.com\0ok", 18))), "ok") == "535 ***");
}

TEST_CASE("smtpc: a password that is a word of SMTP does not hide what the smarthost offers") {
  CHECK(masked("250-AUTH PLAIN LOGIN", "LOGIN") == "250-AUTH PLAIN LOGIN");
  CHECK(masked("250-STARTTLS", "STARTTLS-1") == "250-STARTTLS");
  CHECK(masked("535 STARTTLS-1", "STARTTLS-1") == "535 ***");
  CHECK(masked("535 LOGIN1", "LOGIN") == "535 ***1");
}

TEST_CASE("smtpc: without a password nothing is hidden") {
  CHECK(SecretMask().masked("535 anything") == "535 anything");
  CHECK(masked("535 anything AA==", "") == "535 anything AA==");
}
