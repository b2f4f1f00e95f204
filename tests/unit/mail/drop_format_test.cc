// SPDX-License-Identifier: MIT
#include "daemon/mail/drop_format.h"

#include <string>

#include "daemon/base/text.h"
#include "doctest/doctest.h"

using namespace hikyaku;
using namespace hikyaku::mail;
using Part = DropCommands::Part;

TEST_CASE("drop: the first line is as the format's page has it, and comes back") {
  const DropHeader header{1234, 0x00abcdef12345678};
  CHECK(encode_drop_header(header) == "hikyaku-drop 1 00000000000000001234 00abcdef12345678\n");
  CHECK(encode_drop_header(header).size() == kDropHeader);
  CHECK(decode_drop_header(encode_drop_header(header)) == header);
  const DropHeader most{UINT64_MAX, UINT64_MAX};
  CHECK(encode_drop_header(most).size() == kDropHeader);
  CHECK(decode_drop_header(encode_drop_header(most)) == most);
  CHECK(decode_drop_header(encode_drop_header({})) == DropHeader{});
}

TEST_CASE("drop: no other first line is taken") {
  for (std::string_view line : {
           "",
           "hikyaku-drop 1 00000000000000001234 00abcdef1234567\n",
           "hikyaku-drop 2 00000000000000001234 00abcdef12345678\n",
           "hikyaku-drop 1 00000000000000001234 00ABCDEF12345678\n",
           "hikyaku-drop 1 +0000000000000001234 00abcdef12345678\n",
           "hikyaku-drop 1 0000000000000000123x 00abcdef12345678\n",
           "hikyaku-drop 1 99999999999999999999 00abcdef12345678\n",
           "hikyaku-drop 1 00000000000000001234 00abcdef1234567g\n",
           "hikyaku-drop 1 00000000000000001234-00abcdef12345678\n",
           "hikyaku-drop 1 00000000000000001234 00abcdef12345678\r",
           "hikyaku-drop 1 00000000000000001234 00abcdef12345678\n\n",
           "MAIL FROM:<a@b>\r\n",
       }) {
    CAPTURE(std::string(line));
    CHECK_FALSE(decode_drop_header(line));
  }
}

TEST_CASE("drop: a name is time, process and chance; nothing else is one") {
  CHECK(is_drop_name("0006441f3a9b2c4d.1234.0badcafe"));
  CHECK(is_drop_name("0006441f3a9b2c4d.1.0badcafe"));
  CHECK(is_drop_name("0006441f3a9b2c4d.4294967295.0badcafe"));
  for (std::string_view name :
       {"", ".", "..", ".0006441f3a9b2c4d.1234.0badcafe", "0006441f3a9b2c4d.1234.0badcafe.x",
        "0006441f3a9b2c4d.12345678901.0badcafe", "0006441f3a9b2c4d..0badcafe",
        "0006441f3a9b2c4.1234.0badcafe", "0006441F3a9b2c4d.1234.0badcafe", "0006441f3a9b2c4d.1234.0badcaf",
        "0006441f3a9b2c4d.12\n4.0badcafe", "0006441f3a9b2c4d.-234.0badcafe", "../../etc/passwd", "x",
        "0006441f3a9b2c4d/1234.0badcafe"}) {
    CAPTURE(std::string(name));
    CHECK_FALSE(is_drop_name(name));
  }
}

TEST_CASE("drop_format: the name says when it was left") {
  CHECK(drop_time("0000000000000010.1.0badcafe") == WallTime(16us));
  CHECK(drop_time("ffffffffffffffff.1.0badcafe") == WallTime::max());
  CHECK(drop_time("0006441f3a9b2c4d.1.0badcafe") == WallTime(std::chrono::microseconds(0x6441f3a9b2c4d)));
}

TEST_CASE("drop: MAIL, recipients, content, in this order and once") {
  DropCommands commands;
  CHECK(commands.next("MAIL FROM:<a@b> SIZE=5") == Part::mail);
  CHECK(commands.next("RCPT TO:<c@d>") == Part::recipient);
  CHECK(commands.next("rcpt to:<e@f> NOTIFY=NEVER") == Part::recipient);
  CHECK(commands.next(drop_content_line(1234)) == Part::content);
  CHECK(commands.content_length() == 1234);
  for (std::string_view line : {"MAIL FROM:<a@b>", "RCPT TO:<c@d>", "QUIT"}) CHECK_FALSE(commands.next(line));
  CHECK_FALSE(commands.next(drop_content_line(1)));
}

TEST_CASE("drop: what else a client might say is refused, wherever it stands") {
  const std::string lines[] = {"EHLO x",      "RSET",         "DATA",          "BDAT 5 LAST",
                               "BDAT 5",      "QUIT",         "VRFY x",        "",
                               "STARTTLS",    "AUTH PLAIN x", "MAIL TO:<a@b>", drop_content_line(5) + " ",
                               "RCPT TO <a>", "\x16\x03\x01", "GET / HTTP/1.1"};
  for (const std::string& line : lines) {
    CAPTURE(line);
    DropCommands commands;
    CHECK_FALSE(commands.next(line));
    REQUIRE(commands.next("MAIL FROM:<>"));
    CHECK_FALSE(commands.next(line));
    CHECK_FALSE(commands.next("MAIL FROM:<>"));
    CHECK_FALSE(commands.next(drop_content_line(5)));
    REQUIRE(commands.next("RCPT TO:<a@b>"));
    CHECK_FALSE(commands.next(line));
    CHECK_FALSE(commands.next("MAIL FROM:<>"));
  }
}

TEST_CASE("drop: a line longer than the session takes is none") {
  DropCommands commands;
  const std::string start = "MAIL FROM:<a@b>";
  CHECK_FALSE(commands.next(start + std::string(DropCommands::kMaxLine + 1 - start.size(), ' ')));
  CHECK(commands.next(start + std::string(DropCommands::kMaxLine - start.size(), ' ')));
}
