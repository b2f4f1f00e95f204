// SPDX-License-Identifier: MIT
#include "daemon/base/json.h"

#include <doctest/doctest.h>

#include <vector>

using namespace hikyaku;

TEST_CASE("json: strings escape what JSON demands, and hold nothing that is not UTF-8") {
  CHECK(json_string("plain ü 飛") == "\"plain ü 飛\"");
  CHECK(json_string("q\" b\\ n\n t\t \x01") == "\"q\\\" b\\\\ n\\u000a t\\u0009 \\u0001\"");
  CHECK(json_string("\xff|\xc3") == "\"\xef\xbf\xbd|\xef\xbf\xbd\"");
  CHECK(json_string("\x7f \xc2\x9b \xc2\xa0") == "\"\\u007f \\u009b \xc2\xa0\"");
  CHECK(json_string("") == "\"\"");
}

TEST_CASE("json: objects and lists are written in the order in which they grow") {
  CHECK(JsonObject().text() == "{}");
  CHECK(JsonList().text() == "[]");
  JsonObject inner;
  inner.add("a\"b", "c");
  JsonObject json;
  json.add("text", std::string("x")).add("literal", "y").add("yes", true).add("count", std::size_t{7});
  json.add("minus", -1).add("inner", inner).add("list", JsonList(std::vector<std::string>{"p", "q"}));
  CHECK(
      json.text() ==
      R"({"text":"x","literal":"y","yes":true,"count":7,"minus":-1,"inner":{"a\"b":"c"},"list":["p","q"]})");
}

TEST_CASE("json: what is absent is null, and two objects become one") {
  JsonObject json;
  json.add("none", std::optional<std::string>()).add("some", std::optional<int>(3));
  json.add("empty", unless_empty("")).add("full", unless_empty("x"));
  CHECK(json.text() == R"({"none":null,"some":3,"empty":null,"full":"x"})");
  JsonObject joined;
  joined.append(JsonObject()).append(JsonObject().add("a", 1)).append(JsonObject().add("b", 2));
  CHECK(joined.text() == R"({"a":1,"b":2})");
  JsonList list;
  list.add("x").add(1).add(joined);
  CHECK(list.text() == R"(["x",1,{"a":1,"b":2}])");
  CHECK(list.count() == 3);
  CHECK(list.size() == list.text().size() - 2);
}
