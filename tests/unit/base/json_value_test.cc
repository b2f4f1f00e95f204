// SPDX-License-Identifier: MIT
#include "daemon/base/json_value.h"

#include <doctest/doctest.h>

#include "daemon/base/text.h"

using namespace hikyaku;

namespace {

std::string text_in(std::string_view json) {
  auto value = parse_json(json);
  REQUIRE_MESSAGE(value, json);
  REQUIRE(value->text() != nullptr);
  return *value->text();
}

std::string error_of(std::string_view json) {
  auto value = parse_json(json);
  return value ? "none" : value.error();
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("json: every kind of value is read") {
  auto value = parse_json(
      " {\"ids\":[\"a\", \"b\"],\"all\" : true,\"none\":null,\"n\":12,\"no\":false,\"sub\":{\"x\":-1.5e2}} ");
  REQUIRE(value);
  REQUIRE(value->find("ids") != nullptr);
  REQUIRE(value->find("ids")->list() != nullptr);
  CHECK(value->find("ids")->list()->size() == 2);
  CHECK(*value->find("ids")->list()->at(1).text() == "b");
  CHECK(value->find("all")->boolean() == true);
  CHECK(value->find("no")->boolean() == false);
  CHECK(value->find("none")->is_null());
  CHECK(value->find("n")->whole_number() == 12);
  CHECK(value->find("sub")->find("x")->number() == -150);
  CHECK(value->find("missing") == nullptr);
  CHECK(value->find("n")->find("x") == nullptr);
  CHECK(value->members()->size() == 6);
  CHECK(parse_json("[]")->list()->empty());
  CHECK(parse_json("{}")->members()->empty());
}

TEST_CASE("json: a value of another kind than asked for is nothing") {
  auto value = parse_json("\"12\"");
  REQUIRE(value);
  CHECK_FALSE(value->boolean());
  CHECK_FALSE(value->number());
  CHECK_FALSE(value->whole_number());
  CHECK(value->list() == nullptr);
  CHECK(value->members() == nullptr);
  CHECK(parse_json("1")->text() == nullptr);
  CHECK(parse_json(R"({"a": "b", "c": 1})")->text_of("a") == "b");
  CHECK(parse_json(R"({"a": "b", "c": 1})")->text_of("c") == "");
  CHECK(parse_json("1")->text_of("a") == "");
}

TEST_CASE("json: numbers are whole only where they are") {
  struct Case {
    const char* json;
    std::optional<std::uint64_t> whole;
  };
  for (const Case& one : {Case{"0", 0}, Case{"1e3", 1000}, Case{"9007199254740991", 9007199254740991U},
                          Case{"9007199254740992", std::nullopt}, Case{"-1", std::nullopt},
                          Case{"1.5", std::nullopt}, Case{"1e300", std::nullopt}}) {
    CAPTURE(one.json);
    auto value = parse_json(one.json);
    REQUIRE(value);
    CHECK(value->number());
    CHECK(value->whole_number() == one.whole);
  }
}

TEST_CASE("json: texts keep their characters, escaped or not") {
  CHECK(text_in(R"("a\"\\\/\b\f\n\r\tz")") == "a\"\\/\b\f\n\r\tz");
  CHECK(text_in(R"("\u0041\u00e9\u20ac\ud83d\ude00")") == "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  CHECK(text_in("\"\xc3\xa9\"") == "\xc3\xa9");
  CHECK(text_in(R"("\u0000")") == std::string(1, '\0'));
}

TEST_CASE("json: what is none is refused, with the place") {
  struct Case {
    std::string json;
    std::string error;
  };
  const Case cases[] = {
      {"", "byte 0: expected a value"},
      {"tru", "byte 0: expected a value"},
      {"nan", "byte 0: expected a value"},
      {"01", "byte 0: expected a value"},
      {"1.", "byte 0: expected a value"},
      {".5", "byte 0: expected a value"},
      {"-", "byte 0: expected a value"},
      {"1e", "byte 0: expected a value"},
      {"1e999", "byte 0: expected a value"},
      {"+1", "byte 0: expected a value"},
      {"inf", "byte 0: expected a value"},
      {"1 2", "byte 2: something follows the value"},
      {"[1,]", "byte 3: expected a value"},
      {"[1 2]", "byte 3: expected , or ]"},
      {"{\"a\":1,}", "byte 7: expected a name in quotes"},
      {"{\"a\" 1}", "byte 5: expected :"},
      {"{\"a\":1 \"b\":2}", "byte 7: expected , or }"},
      {"{a:1}", "byte 1: expected a name in quotes"},
      {"{\"a\":1,\"a\":2}", "byte 10: duplicate name"},
      {"\"a", "byte 2: unterminated string"},
      {"\"a\nb\"", "byte 2: a control character must be escaped"},
      {"\"\\x\"", "byte 2: invalid escape"},
      {"\"\\u12\"", "byte 2: invalid escape"},
      {"\"\\ud800\"", "byte 6: invalid escape"},
      {"\"\\udc00\"", "byte 6: invalid escape"},
      {"\"\\ud800\\u0041\"", "byte 12: invalid escape"},
      {"\"\\", "byte 2: invalid escape"},
      {"\"\xff\"", "it is not UTF-8"},
      {std::string("{\0}", 3), "byte 1: expected a name in quotes"},
      {std::string("[1\0", 3), "byte 2: expected , or ]"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.json);
    CHECK(error_of(one.json) == one.error);
  }
}

TEST_CASE("json: depth and the number of an object's members are bounded") {
  CHECK(error_of(nested(kMaxJsonDepth + 1)) == "none");
  CHECK(error_of(nested(kMaxJsonDepth + 2)).ends_with("nested too deeply"));
  CHECK(error_of(std::string(1'000'000, '[')).ends_with("nested too deeply"));
  std::string many;
  for (std::size_t i = 0; i <= kMaxJsonMembers; ++i) many += cat(",\"", std::to_string(i), "\":0");
  CHECK(error_of(cat("{", many.substr(1), "}")).ends_with("too many members"));
  many.resize(many.rfind(','));
  CHECK(error_of(cat("{", many.substr(1), "}")) == "none");
}
