// SPDX-License-Identifier: MIT
#include "daemon/config/authinfo_edit.h"

#include "doctest/doctest.h"
#include "tests/unit/config/loading.h"

namespace hikyaku::config {
namespace {

AuthinfoEntry entry_for(std::string host, std::optional<std::uint16_t> port, std::string user,
                        std::string password) {
  AuthinfoEntry entry{std::move(host), port, {}};
  entry.credentials.user = std::move(user);
  entry.credentials.password = Secret(std::move(password));
  return entry;
}

AuthinfoChange changed(std::string_view text, const AuthinfoEntry& entry) {
  auto entries = parse_authinfo(text, "f");
  REQUIRE(entries);
  auto change = put_entry(text, *entries, entry);
  REQUIRE(change);
  return std::move(*change);
}

std::string text_after(std::string_view text, const AuthinfoEntry& entry) {
  return std::string(changed(text, entry).text.reveal());
}

TEST_CASE("authinfo: a new entry comes at the end, whether the last line has an end or not") {
  const AuthinfoEntry entry = entry_for("h.example", 587, "me", "pw");
  CHECK(text_after("", entry) == "machine h.example port 587 login me password pw\n");
  CHECK(text_after("# mine\n", entry) == "# mine\nmachine h.example port 587 login me password pw\n");
  CHECK(text_after("a:b.example:c", entry) ==
        "a:b.example:c\nmachine h.example port 587 login me password pw\n");
  CHECK(changed("a:b.example:c", entry).line == 2);
  CHECK(changed("a:b.example:c\n\n", entry).line == 3);
}

TEST_CASE("authinfo: an entry is replaced in its place and notation, and no other byte changes") {
  struct Row {
    const char* before;
    const char* after;
  };
  static constexpr Row kRows[] = {
      {"machine h.example login me password old", "machine h.example login me password n-w"},
      {"  h.example \t me: old one ", "  h.example \t me:n-w"},
      {"[H.example] me:old", "[H.example] me:n-w"},
      {"me:H.example:old", "me:H.example:n-w"},
      {"authinfo:h.example \"I:me\" \"P:old\" \"R:r\" \"M:plain LOGIN\" \"U:boss\"",
       "AuthInfo:h.example \"U:boss\" \"I:me\" \"P:n-w\" \"R:r\" \"M:PLAIN LOGIN\""},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.before);
    for (const char* end : {"\n", "\r\n"}) {
      const std::string before =
          cat("# \xff odd\n\n you:h.example:x\n", row.before, end, "me:other.example:y");
      const std::string after = cat("# \xff odd\n\n you:h.example:x\n", row.after, end, "me:other.example:y");
      const AuthinfoChange change = changed(before, entry_for("h.example", {}, "me", "n-w"));
      CHECK(change.text.reveal() == after);
      CHECK(change.line == 4);
      CHECK_FALSE(change.is_new);
    }
  }
}

TEST_CASE("authinfo: host, port and user together say which entry is meant") {
  const std::string text =
      "machine h.example login me password a\nmachine h.example port 25 login me password b\n";
  CHECK(contains(text_after(text, entry_for("h.example", 25, "me", "new")), "password a\n"));
  CHECK(contains(text_after(text, entry_for("h.example", {}, "me", "new")), "password b\n"));
  CHECK(changed(text, entry_for("h.example", 587, "me", "new")).is_new);
  CHECK(changed(text, entry_for("h.example", {}, "you", "new")).is_new);
}

TEST_CASE("authinfo: whatever the password, it is read back as it was given, or refused") {
  static const std::string kOdd[] = {
      " a",      "a ",     "a b",       "\"", "'",  "\\",  "a\\\"b",
      "#",       ":",      "a:b:c",     "\t", "\r", "x\r", std::string("\x01\x7f\xff"),
      "machine", "пароль", "\"quoted\""};
  static constexpr const char* kLines[] = {"", "machine h.example login me password x\n", "h.example me:x\n",
                                           "me:h.example:x\n", "AuthInfo:h.example \"I:me\" \"P:x\"\n"};
  for (const std::string& password : kOdd)
    for (const char* line : kLines) {
      CAPTURE(password);
      CAPTURE(line);
      const std::string text = text_after(line, entry_for("h.example", {}, "me", password));
      auto entries = parse_authinfo(text, "f");
      REQUIRE(entries);
      REQUIRE(entries->size() == 1);
      CHECK(entries->front().credentials.password.reveal() == password);
    }
}

TEST_CASE("authinfo: what no line can hold as it is becomes Base64, and needs an entry for all ports") {
  const std::string password = std::string("a\nb\0c", 5);
  CHECK(text_after("", entry_for("h.example", {}, "me", password)) ==
        "AuthInfo:h.example \"I:me\" \"P=YQpiAGM=\"\n");
  auto refused = put_entry("", {}, entry_for("h.example", 25, "me", password));
  REQUIRE_FALSE(refused);
  CHECK(contains(refused.error(), "leave the port out"));
}

TEST_CASE("authinfo: the default for any host, and addresses, are written as they are read") {
  CHECK(text_after("", entry_for("", {}, "me", "pw")) == "default login me password pw\n");
  CHECK(text_after("", entry_for("2001:db8::1", 25, "me", "pw")) ==
        "machine 2001:db8::1 port 25 login me password pw\n");
}

TEST_CASE("authinfo: lines are taken out whole") {
  CHECK(without_lines("a\nb\r\nc", {2}).reveal() == "a\nc");
  CHECK(without_lines("a\nb\nc", {1, 3}).reveal() == "b\n");
  CHECK(without_lines("a\n", {1}).reveal().empty());
}

}  // namespace
}  // namespace hikyaku::config
