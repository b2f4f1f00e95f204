// SPDX-License-Identifier: MIT
#include "daemon/mail/dialogue.h"

#include <doctest/doctest.h>

#include "daemon/base/text.h"

using namespace hikyaku;
using namespace hikyaku::mail;

namespace {

Dialogue some_dialogue() {
  return {.began = *parse_rfc3339("2026-09-21T14:13:20Z"),
          .smarthost = "main",
          .host = "smtp.example.com",
          .port = 587,
          .address = "192.0.2.1:587",
          .failure = "main: it refuses the sender",
          .lines = {{0ms, Speaker::nobody, "connected to 192.0.2.1:587"},
                    {12ms, Speaker::server, "220 hi"},
                    {61'003ms, Speaker::client, "MAIL FROM:<a@example.com>"}}};
}

}  // namespace

TEST_CASE("dialogue: as text, with the seconds since its beginning") {
  CHECK(to_text(some_dialogue()) ==
        "  2026-09-21T14:13:20Z with main, smtp.example.com port 587 (192.0.2.1:587)\n"
        "    0.000 -- connected to 192.0.2.1:587\n"
        "    0.012 <- 220 hi\n"
        "   61.003 -> MAIL FROM:<a@example.com>\n"
        "  failed: main: it refuses the sender\n");
}

TEST_CASE("dialogue: its JSON is read back as it was") {
  auto json = parse_json(to_object(some_dialogue()).text());
  REQUIRE(json);
  CHECK(json->list_of("lines")[1].text_of("from") == "server");
  CHECK(json->list_of("lines")[2].whole_number_of("after_ms") == 61'003);
  CHECK(parse_dialogue(*json) == some_dialogue());
  Dialogue unconnected = some_dialogue();
  unconnected.address.clear();
  unconnected.lines.clear();
  CHECK(parse_dialogue(*parse_json(to_object(unconnected).text())) == unconnected);
  CHECK(to_text(unconnected).find("port 587, without a connection\n") != std::string::npos);
  for (const char* other : {"null", "{}", "[]", "7", R"({"began":"yesterday","lines":[]})"})
    CHECK_FALSE(parse_dialogue(*parse_json(other)));
}

TEST_CASE("dialogue: no text in it forges a line or reaches the terminal, whoever sent the JSON") {
  Dialogue foreign = some_dialogue();
  foreign.lines[1].text = "250 ok\n    0.012 -> forged \x1b[2J";
  const std::string text = to_text(*parse_dialogue(*parse_json(to_object(foreign).text())));
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(split(text, '\n').size() == split(to_text(some_dialogue()), '\n').size());
}
