// SPDX-License-Identifier: MIT
#include "daemon/config/authinfo.h"

#include <algorithm>

#include "doctest/doctest.h"
#include "tests/unit/config/loading.h"

namespace hikyaku::config {
namespace {

AuthinfoEntry entry_of(std::string_view line) {
  auto entries = parse_authinfo(line, "authinfo");
  for (const Problem& problem : entries ? Problems{} : entries.error()) FAIL(to_text(problem));
  REQUIRE(entries->size() == 1);
  return entries->at(0);
}

std::string problem_of(std::string_view line) {
  auto entries = parse_authinfo(line, "authinfo");
  if (entries) return "";
  REQUIRE(entries.error().size() == 1);
  return to_text(entries.error()[0]);
}

struct Notation {
  const char* line;
  const char* host;
  std::optional<std::uint16_t> port;
  const char* user;
  const char* password;
};

const Notation kNotations[] = {
    {R"(AuthInfo:relay.example.jp "U:id" "I:id" "P:pass word" "R:realm" "M:PLAIN LOGIN")",
     "relay.example.jp",
     {},
     "id",
     "pass word"},
    {R"(authinfo:Relay.example.jp  "I:me"	"P=cGFzcw==")", "relay.example.jp", {}, "me", "pass"},
    {R"(AuthInfo:[192.0.2.1] "I:me" "P:p")", "192.0.2.1", {}, "me", "p"},
    {R"(AuthInfo: "U:me" "P:p:=#")", "", {}, "me", "p:=#"},
    {"machine smtp.example.com port 587 login me password secret", "smtp.example.com", 587, "me", "secret"},
    {"  machine smtp.example.com login me password se#c:re\\t", "smtp.example.com", {}, "me", "se#c:re\\t"},
    {R"(machine "smtp.example.com" login 'me you' port submission password "a \"b\" \\c")",
     "smtp.example.com", 587, "me you", R"(a "b" \c)"},
    {"machine [::1] user me account x password a:b:c", "::1", {}, "me", "a:b:c"},
    {"default login me password secret", "", {}, "me", "secret"},
    {"[smtp.example.com]:587 me:secret", "smtp.example.com", 587, "me", "secret"},
    {"smtp.example.com\tme@example.com:se cr:et", "smtp.example.com", {}, "me@example.com", "se cr:et"},
    {"[2001:DB8::1]:submissions me:p", "2001:db8::1", 465, "me", "p"},
    {"192.0.2.1:25 me:p", "192.0.2.1", 25, "me", "p"},
    {"me:smtp.example.com:sec ret:with:colons#", "smtp.example.com", {}, "me", "sec ret:with:colons#"},
    {"me@example.com:SMTP.example.com:p", "smtp.example.com", {}, "me@example.com", "p"},
    {"machine:smtp.example.com:p", "smtp.example.com", {}, "machine", "p"},
    {"me:192.0.2.1:p\r", "192.0.2.1", {}, "me", "p"},
};

TEST_CASE("authinfo: all four notations") {
  for (const Notation& n : kNotations) {
    std::string line = n.line;
    CAPTURE(line);
    AuthinfoEntry entry = entry_of(line);
    CHECK(entry.host == n.host);
    CHECK(entry.port == n.port);
    CHECK(entry.credentials.user == n.user);
    CHECK(entry.credentials.password.reveal() == n.password);
  }
}

TEST_CASE(
    "authinfo: sendmail's fields; a user that is missing is taken from the other, a repeated one left out") {
  mail::Credentials all =
      entry_of(R"(AuthInfo:a.example "U:boss" "I:me" "P:p" "R:realm" "M:plain login")").credentials;
  CHECK(all.authzid == "boss");
  CHECK(all.user == "me");
  CHECK(all.realm == "realm");
  CHECK(all.mechanisms == std::vector<std::string>{"PLAIN", "LOGIN"});
  CHECK(entry_of(R"(AuthInfo:a.example "U:me" "P:p")").credentials.authzid == "");
  CHECK(entry_of(R"(AuthInfo:a.example "U:me" "I:me" "P:p")").credentials.authzid == "");
  CHECK(entry_of(R"(AuthInfo:a.example "I=bWU=" "P:p")").credentials.user == "me");
}

TEST_CASE("authinfo: comments, blank lines and any line end; entries know their line") {
  auto entries =
      parse_authinfo("# me:a.example:x\r\n\r\n  # y\nme:a.example:p#\r\n\t\nme:b.example:q\r\r\n", "f");
  REQUIRE(entries);
  REQUIRE(entries->size() == 2);
  CHECK(entries->at(0).credentials.password.reveal() == "p#");
  CHECK(entries->at(0).credentials.origin == "f:4");
  CHECK(entries->at(1).credentials.password.reveal() == "q\r");
  CHECK(entries->at(1).credentials.origin == "f:6");
  CHECK(parse_authinfo("", "f")->empty());
}

struct Wrong {
  std::string line;
  const char* part;
};

const Wrong kWrong[] = {
    {"hunter2", "in none of the notations"},
    {"password hunter2", "in none of the notations"},
    {"this is a note: hunter2", "in none of the notations"},
    {"me:not a host:hunter2", "in none of the notations"},
    {"me:smtp.example.com:", "in none of the notations"},
    {"smtp.example.com hunter2", "in none of the notations"},
    {"smtp.example.com:99999 me:hunter2", "in none of the notations"},
    {"smtp.example.com me:hunter2:x", "fits two notations, Postfix's"},
    {"my user:smtp.example.com:hunter2", "and clsmtpc's"},
    {std::string("me:a.example:hun\0ter2", 21), "NUL"},
    {"AuthInfo:a.example:587 \"U:me\" \"P:hunter2\"", "host name or address after AuthInfo:"},
    {"AuthInfo:a.example U:me P:hunter2", "field 1 after the host is not in double quotes"},
    {"AuthInfo:a.example \"U:me\" \"P:hunter2", "field 2 after the host has no closing double quote"},
    {"AuthInfo:a.example \"U:me\" \"P:hunt\"er2\"", "field 2 after the host has a double quote inside"},
    {"AuthInfo:a.example \"U:me\" \"P=hunter2!\"", "field 2 after the host is not valid Base64"},
    {"AuthInfo:a.example \"U:me\" \"X:hunter2\"", "must begin with U, I, P, R or M"},
    {"AuthInfo:a.example \"hunter2\"", "field 1 after the host must be one of"},
    {"AuthInfo:a.example \"P:hunter2\"", "needs the user"},
    {"AuthInfo:a.example \"U:me\"", "needs the password"},
    {"machine a.example:587 login me password hunter2", "a port as `port PORT`"},
    {"machine a.example login me", "needs `password PASSWORD` on the same line"},
    {"machine a.example password hunter2", "needs `login USER`"},
    {"machine a.example port x login me password hunter2", "after `port`"},
    {"machine a.example login me password hunter2 words", "without a value"},
    {"machine a.example login me password my hunter2", "needs quotes"},
    {"machine a.example login me password \"hunter2", "a quote that does not end"},
    {"machine a.example login me password \"\"", "an empty value"},
    {"machine", "after `machine`"},
    {"default", "needs `login USER`"},
};

TEST_CASE("authinfo: a line that is wrong is told by its number and never shown") {
  for (const Wrong& w : kWrong) {
    CAPTURE(w.line);
    std::string problem = problem_of("\n" + w.line);
    CAPTURE(problem);
    CHECK(problem.starts_with("authinfo:2: "));
    CHECK(contains(problem, w.part));
    CHECK(!contains(problem, "hunter"));
    CHECK(!contains(problem, "a.example"));
  }
}

TEST_CASE("authinfo: all wrong lines are told at once") {
  auto entries = parse_authinfo("x\nme:a.example:p\ny\n", "f");
  REQUIRE(!entries);
  REQUIRE(entries.error().size() == 2);
  CHECK(entries.error()[1].line == 3);
}

// Entries' passwords name them.
std::string found(std::string_view file, const AuthinfoQuery& query) {
  auto entries = parse_authinfo(file, "f");
  REQUIRE(entries);
  auto credentials = find_credentials(*entries, query);
  return credentials ? std::string(credentials->password.reveal()) : "nothing";
}

TEST_CASE("authinfo: the most specific entry wins, wherever it stands, and among equals the first") {
  std::vector<std::string> lines{"AuthInfo: \"U:me\" \"P:default\"", "[192.0.2.1] me:address",
                                 "[192.0.2.1]:587 me:address-port", "[a.example] me:host",
                                 "[a.example]:587 me:host-port"};
  AuthinfoQuery query{"A.example", 587, "", false, {*IpAddress::parse("192.0.2.1")}};
  const char* expected[] = {"default", "address", "address-port", "host", "host-port"};
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::vector<std::string> known(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    CHECK(found(join(known, "\n"), query) == expected[i]);
    std::ranges::reverse(known);
    CHECK(found(join(known, "\n"), query) == expected[i]);
  }
  CHECK(found("[a.example] me:first\n[a.example] me:second\n", query) == "first");
}

TEST_CASE("authinfo: an entry of another host, port or user is not used") {
  CHECK(found("[a.example]:465 me:p", {"a.example", 587}) == "nothing");
  CHECK(found("[b.example] me:p", {"a.example", 587}) == "nothing");
  CHECK(found("[192.0.2.1] me:p", {"a.example", 587}) == "nothing");
  CHECK(found("[192.0.2.1] me:p", {"192.0.2.1", 587}) == "p");
  CHECK(found("[2001:DB8:0::1] me:p", {"2001:db8::1", 587}) == "p");
  std::string two = "[a.example]:587 me:mine\n[a.example] you:yours\ndefault login them password theirs\n";
  CHECK(found(two, {"a.example", 587, "you"}) == "yours");
  CHECK(found(two, {"a.example", 587, "me"}) == "mine");
  CHECK(found(two, {"a.example", 587}) == "mine");
  CHECK(found(two, {"a.example", 587, "them"}) == "theirs");
  CHECK(found(two, {"a.example", 587, "nobody"}) == "nothing");
}

TEST_CASE("authinfo: the default for any host is never given to a host that MX records name") {
  for (const char* line : {"AuthInfo: \"U:me\" \"P:p\"", "default login me password p"}) {
    CHECK(found(line, {"a.example", 25, "", false}) == "p");
    CHECK(found(line, {"a.example", 25, "", true}) == "nothing");
  }
  CHECK(found("[a.example] me:p", {"a.example", 25, "", true}) == "p");
}

TEST_CASE("authinfo: each smarthost gets its credentials, but not where it does not log in") {
  Settings settings = settings_of(
      "smarthosts:\n"
      "  - submission://a.example\n"
      "  - {name: b, url: 'submission://a.example', user: you}\n"
      "  - {name: c, url: 'submission://a.example', auth: none}\n"
      "  - submission://d.example\n");
  auto entries = *parse_authinfo("[a.example]:587 me:1\n[a.example]:587 you:2\n", "f");
  for (mail::Smarthost& smarthost : settings.smarthosts) attach_credentials(smarthost, entries);
  CHECK(settings.smarthosts[0].credentials->user == "me");
  CHECK(settings.smarthosts[1].credentials->user == "you");
  CHECK(!settings.smarthosts[2].credentials);
  CHECK(!settings.smarthosts[3].credentials);
}

TEST_CASE("authinfo: addresses are looked up only where an entry by address could be the better one") {
  mail::Smarthost smarthost = settings_of("smarthost: submission://a.example\n").smarthosts[0];
  auto entries =
      *parse_authinfo("default login any password 1\nmachine 192.0.2.7 login me password 2\n", "f");
  CHECK(depends_on_addresses(smarthost, entries));
  attach_credentials(smarthost, entries);
  CHECK(smarthost.credentials->user == "any");
  attach_credentials(smarthost, entries, {*IpAddress::parse("192.0.2.7")});
  CHECK(smarthost.credentials->user == "me");
  CHECK_FALSE(depends_on_addresses(smarthost, *parse_authinfo("default login any password 1\n", "f")));
  CHECK_FALSE(depends_on_addresses(
      smarthost,
      *parse_authinfo("machine a.example login me password 1\nmachine 192.0.2.7 login x password 2\n", "f")));
  smarthost.lookup_mx = true;  // the addresses are those of other names
  CHECK_FALSE(depends_on_addresses(smarthost, entries));
  smarthost.lookup_mx = smarthost.auth = false;
  CHECK_FALSE(depends_on_addresses(smarthost, entries));
}

}  // namespace
}  // namespace hikyaku::config
