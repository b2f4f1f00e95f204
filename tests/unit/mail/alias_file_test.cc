// SPDX-License-Identifier: MIT
#include "daemon/mail/alias_file.h"

#include <map>

#include "daemon/base/text.h"
#include "doctest/doctest.h"

using namespace hikyaku;
using namespace hikyaku::mail;

namespace {

std::string text_of(const AliasTarget& target) {
  std::string_view sign = target.kind == AliasTargetKind::final_name ? "\\" : "";
  return cat(sign, target.text, "#", std::to_string(target.line));
}

// "name=target#line,target#line;name=…", then "!line text" for each problem.
std::string read_file(std::string_view file) {
  ParsedAliases parsed = parse_aliases(file);
  std::vector<std::string> entries;
  for (const auto& [name, targets] : parsed.aliases.entries()) {
    std::vector<std::string> texts;
    for (const AliasTarget& target : targets) texts.push_back(text_of(target));
    entries.push_back(cat(name, "=", join(texts, ",")));
  }
  std::string all = join(entries, ";");
  for (const AliasProblem& problem : parsed.problems)
    all += cat("!", std::to_string(problem.line), " ", problem.text);
  return all;
}

struct FileRow {
  std::string_view file;
  std::string_view result;
};

void check_files(std::initializer_list<FileRow> rows) {
  for (const FileRow& row : rows) {
    CAPTURE(row.file);
    CHECK(read_file(row.file) == row.result);
  }
}

// A problem at `line` that says `part`, and nothing else of the entry's name.
void check_problem(std::string_view file, unsigned line, std::string_view part) {
  CAPTURE(file);
  auto problems = parse_aliases(file).problems;
  REQUIRE(problems.size() == 1);
  CAPTURE(problems[0].text);
  CHECK(problems[0].line == line);
  CHECK(problems[0].text.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("alias file: entries, comments, blank lines and continued lines") {
  check_files({{"", ""},
               {"# nothing\n\n  \t\n   # indented\n", ""},
               {"root: a@b", "root=a@b#1"},
               {"root:a@b\r\n\r\npostmaster :root\r\n", "postmaster=root#3;root=a@b#1"},
               {"root: a@b,\n\tc@d,\n e@f\nx: y@z\n", "root=a@b#1,c@d#2,e@f#3;x=y@z#4"},
               {"root:\n  a@b\n", "root=a@b#2"},
               {"root: a@b,\n# a comment between\n\n  c@d\n", "root=a@b#1,c@d#4"},
               {"root: a@b, \\\nc@d\nx: y@z", "root=a@b#1,c@d#2;x=y@z#3"},
               {"root: a@b,\n\\\nc@d\n", "root=a@b#1,c@d#3"},
               {"root: a@b, c@d,\n", "root=a@b#1,c@d#1"},
               {"root: ,a@b,,c@d", "root=a@b#1,c@d#1"}});
}

TEST_CASE("alias file: names and targets with quotes, comments, display names and brackets") {
  check_files({{"\"two words\": a@b", "two words=a@b#1"},
               {"\"a:b,c#d(e\": a@b", "a:b,c#d(e=a@b#1"},
               {"Root: a@b", "root=a@b#1"},
               {"root (the boss): a@b (office, or (home)), c@d", "root=a@b#1,c@d#1"},
               {"root: (nobody\n but) a@b, c@d", "root=a@b#2,c@d#2"},
               {"root: (\\) ,) a@b", "root=a@b#1"},
               {"root: Al <a@b>, \"B, C: <x>\" <c@d>,<e@f>", "root=a@b#1,c@d#1,e@f#1"},
               {"root: \"a, b\"@c", "root=\"a, b\"@c#1"},
               {"root: \"a \\\" , b\"@c", "root=\"a \\\" , b\"@c#1"},
               {"root: <other>, \\<another>, </x@y>", "root=other#1,\\another#1,/x@y#1"},
               {"root: me+cron@b, o'neill@b, a#b@c", "root=me+cron@b#1,o'neill@b#1,a#b@c#1"},
               {"a.b-c_d+e: x@y", "a.b-c_d+e=x@y#1"},
               {"root: a@[127.0.0.1], b@[IPv6:::1]", "root=a@[127.0.0.1]#1,b@[IPv6:::1]#1"}});
}

TEST_CASE("alias file: targets without a domain are names, final after a backslash or in their own entry") {
  check_files({{"root: admin, \\admin, root, Admin@localhost", "root=admin#1,\\admin#1,\\root#1,Admin#1"},
               {"root: \\root\n", "root=\\root#1"},
               {"\"root\": ROOT", "root=\\ROOT#1"}});
}

TEST_CASE("alias file: programs, files and lists elsewhere are refused by name, and the rest is taken") {
  check_problem("root: a@b,\n  \"|/usr/bin/procmail -f-, x\"", 2,
                "`\"|/usr/bin/procmail -f-, x\"` is a program");
  check_problem("x: |/bin/true", 1, "write an address instead");
  check_problem("x: \" | cat\"", 1, "is a program");
  check_problem("x: | (unclosed", 1, "is a program");
  check_problem("devnull: /dev/null", 1, "`/dev/null` is a file");
  check_problem("x: \"/var/mail/a b\"", 1, "is a file");
  check_problem("list: :include:/etc/list", 1, "write its addresses here");
  check_problem("list: \":INCLUDE:/etc/list\"", 1, "write its addresses here");
  check_problem("list: :fail: gone", 1, "instruction to another mail server");
  CHECK(read_file("root: a@b, |x\n").starts_with("root=a@b#1!1 "));
  CHECK(read_file("root: |x\n").starts_with("!1 "));
}

TEST_CASE("alias file: whatever else is wrong is told with its line and what to write") {
  check_problem("a: b@c\nroot\n", 2, "`root`: an alias is written `name: address`, with a colon");
  check_problem("root me@x", 1, "with a colon");
  check_problem(": a@b", 1, "no name before its colon");
  check_problem("root:", 1, "`root` has no addresses");
  check_problem("root: , (x),", 1, "`root` has no addresses");
  check_problem("two words: a@b", 1, "`two words` is not a valid name; a name with blanks");
  check_problem("<root>: a@b", 1, "is not a valid name");
  check_problem("\"root: a@b", 1, "with a colon");
  check_problem("root@example.com: a@b", 1, "has a domain; write only the name");
  check_problem("@example.com: a@b", 1, "is not a valid name");
  check_problem("root: a@b c@d", 1, "separate addresses with commas");
  check_problem("root: a@b\n  admin: c@d", 1, "a new alias begins at the start of its line");
  check_problem("root: a@b # me", 1, "`a@b # me`: a comment must be on a line of its own");
  check_problem("root: a@", 1, "`a@` is not an address");
  check_problem("root: @b", 1, "is not an address");
  check_problem("root: a@b@c", 1, "is not an address");
  check_problem("root: <>", 1, "is not an address");
  check_problem("root: me@ex\xc3\xa4mple.com", 1, "non-ASCII letters");
  check_problem(cat("root: ", std::string(300, 'x'), "@b"), 1, "is too long");
  check_problem("root: \"a@b", 1, "is not closed");
  check_problem("root: a@b (home", 1, "is not closed");
  check_problem("root: Me <a@b", 1, "is not closed");
  check_problem("root: a@b\n\nROOT: c@d", 3, "`ROOT` is defined twice");
  check_problem("  root: a@b\n", 1, "begins with a blank");
}

TEST_CASE("alias file: what is shown of a line is printable and short") {
  auto problems = parse_aliases(cat("root: \x1b[2J", std::string(200, 'x'))).problems;
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].text.starts_with("`\\x1b[2Jxxx"));
  CHECK(problems[0].text.size() < 250);
}

TEST_CASE("alias file: a loop is told with its names, and its last step is not taken") {
  CHECK(read_file("a: b\nb: a\nc: b, x@y\n") ==
        "a=b#1;c=b#3,x@y#3!2 `a` leads to `b` leads to `a` again; remove one of these aliases");
  CHECK(read_file("a: b, x@y\nb: c\nc: d@e, B\n")
            .starts_with("a=b#1,x@y#1;b=c#2;c=d@e#3!3 `b` leads to `c` leads to `b` again"));
  CHECK(read_file("a: b\nb: c, d\nc: x@y\nd: c\n") == "a=b#1;b=c#2,d#2;c=x@y#3;d=c#4");
  std::string ring;
  for (char c = 'a'; c < 'h'; ++c) ring += cat(std::string(1, c), ": ", std::string(1, c + 1), "\n");
  check_problem(ring + "h: a", 8, "`e` leads to others, which lead to `a` again");
}

TEST_CASE("alias file: nesting as deep as a file can be, and a file full of loops, take no long time") {
  std::string deep;
  for (int i = 0; i < 50'000; ++i) deep += cat("n", std::to_string(i), ": n", std::to_string(i + 1), "\n");
  ParsedAliases parsed = parse_aliases(deep);
  CHECK(parsed.problems.empty());
  CHECK(parsed.aliases.expand("n0", "d").at(0) == "n50000@d");
  CHECK(parse_aliases(deep + "n50000: n0").problems.size() == 1);
  std::string loops = "a: b\nb: x@y";
  for (int i = 0; i < 100'000; ++i) loops += ", a";
  CHECK(parse_aliases(loops).aliases.expand("a", "d") == std::vector<std::string>{"x@y"});
}

TEST_CASE("alias file: one that is something else altogether is not told line by line") {
  std::string other;
  for (int i = 0; i < 1000; ++i) other += "some prose\n";
  auto problems = parse_aliases(other).problems;
  REQUIRE(problems.size() == 51);
  CHECK(problems.back().text == "and 950 more like these; is this an aliases file?");
}
