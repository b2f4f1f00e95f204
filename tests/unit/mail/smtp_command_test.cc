// SPDX-License-Identifier: MIT
#include "daemon/mail/smtp_command.h"

#include <string>

#include "doctest/doctest.h"

using namespace hikyaku::mail;
using namespace std::string_view_literals;

namespace {

constexpr CommandOptions kOptions{.default_domain = "example.com", .smtputf8 = false};

Command parse_line(std::string_view line) { return parse_command(line, kOptions); }

// "501 5.5.4", or "ok" for whatever was understood.
std::string status_of_line(std::string_view line) {
  Command command = parse_line(line);
  auto* error = std::get_if<CommandError>(&command);
  return error ? std::to_string(error->reply_code) + " " + to_text(error->enhanced) : "ok";
}

template <class Expected>
bool is(std::string_view line) {
  return std::holds_alternative<Expected>(parse_line(line));
}

}  // namespace

TEST_CASE("smtp_command: verbs are read in either case, blanks at the end are forgiven") {
  CHECK(is<command::Data>("DATA"));
  CHECK(is<command::Data>("data "));
  CHECK(is<command::Rset>("RsEt"));
  CHECK(is<command::Quit>("quit\t"));
  CHECK(is<command::Noop>("NOOP whatever"));
  CHECK(is<command::Help>("HELP MAIL"));
  CHECK(is<command::StartTls>("starttls"));
}

TEST_CASE("smtp_command: EHLO and HELO keep the name as it came") {
  auto ehlo = std::get<command::Ehlo>(parse_line("EHLO app.example.com"));
  CHECK(ehlo.name == "app.example.com");
  CHECK_FALSE(ehlo.is_helo);
  CHECK(std::get<command::Ehlo>(parse_line("helo [127.0.0.1]")).is_helo);
  CHECK(std::get<command::Ehlo>(parse_line("EHLO a b")).name == "a b");
  CHECK(std::get<command::Ehlo>(parse_line("EHLO a\tb")).name == "a b");
  CHECK(status_of_line("EHLO") == "501 5.5.4");
  CHECK(status_of_line("HELO  ") == "501 5.5.4");
  CHECK(status_of_line("EHLO " + std::string(256, 'a')) == "501 5.5.4");
}

TEST_CASE("smtp_command: MAIL and RCPT take addresses with and without brackets and blanks") {
  for (auto line :
       {"MAIL FROM:<a@b>", "mail from: <a@b>", "MAIL FROM:a@b", "MAIL FROM: a@b", "MAIL  FROM : <a@b> "}) {
    CAPTURE(line);
    CHECK(std::get<command::Mail>(parse_line(line)).envelope.sender == "a@b");
  }
  CHECK_FALSE(std::get<command::Mail>(parse_line("MAIL FROM:<a@b>")).lenient);
  CHECK(std::get<command::Mail>(parse_line("MAIL FROM: <a@b>")).lenient);
  CHECK(std::get<command::Mail>(parse_line("MAIL FROM:<>")).envelope.sender.empty());
  CHECK(std::get<command::Rcpt>(parse_line("RCPT TO:<root>")).recipient.address == "root@example.com");
  CHECK(std::get<command::Rcpt>(parse_line("rcpt to:root")).lenient);
}

TEST_CASE("smtp_command: bad addresses get the code that says whose") {
  CHECK(status_of_line("MAIL FROM:<a b@c>") == "501 5.1.7");
  CHECK(status_of_line("MAIL FROM:<a@b>X") == "501 5.1.7");
  CHECK(status_of_line("MAIL FROM:") == "501 5.1.7");
  CHECK(status_of_line("MAIL FROM:<a@b") == "501 5.1.7");
  CHECK(status_of_line("RCPT TO:<>") == "501 5.1.3");
  CHECK(status_of_line("RCPT TO:<a@b>,<c@d>") == "501 5.1.3");
  CHECK(status_of_line("RCPT TO:<" + std::string(70, 'a') + "@b>") == "501 5.1.3");
  CHECK(status_of_line("MAIL FROM:<{:>999999999}@x>") == "501 5.1.7");
}

TEST_CASE("smtp_command: UTF-8 addresses are refused with 553 5.6.7 unless SMTPUTF8 was said") {
  CHECK(status_of_line("MAIL FROM:<\xc3\xbc@x>") == "553 5.6.7");
  CHECK(status_of_line("RCPT TO:<\xc3\xbc@x>") == "553 5.6.7");
  auto mail = std::get<command::Mail>(parse_line("MAIL FROM:<\xc3\xbc@x> SMTPUTF8"));
  CHECK(mail.envelope.sender == "\xc3\xbc@x");
  CHECK(mail.envelope.smtputf8);
  auto rcpt = parse_command("RCPT TO:<\xc3\xbc@x>", {.default_domain = "x", .smtputf8 = true});
  CHECK(std::get<command::Rcpt>(rcpt).recipient.address == "\xc3\xbc@x");
}

TEST_CASE("smtp_command: MAIL and RCPT without their FROM and TO are syntax errors") {
  for (auto line :
       {"MAIL", "MAIL a@b", "MAIL TO:<a@b>", "MAIL FROM a@b", "RCPT", "RCPT FROM:<a@b>", "RCPT a@b"}) {
    CAPTURE(line);
    CHECK(status_of_line(line) == "501 5.5.4");
  }
}

TEST_CASE("smtp_command: commands without arguments refuse any") {
  for (auto line :
       {"DATA x", "RSET now", "QUIT please", "STARTTLS x", "VRFY", "AUTH", "AUTH A B C", "AUTH \xc3\xbc"}) {
    CAPTURE(line);
    CHECK(status_of_line(line) == "501 5.5.4");
  }
}

TEST_CASE("smtp_command: BDAT takes a size and LAST") {
  auto chunk = std::get<command::Bdat>(parse_line("BDAT 1000"));
  CHECK(chunk.size == 1000);
  CHECK_FALSE(chunk.last);
  CHECK(std::get<command::Bdat>(parse_line("bdat 0 last")).last);
  CHECK(std::get<command::Bdat>(parse_line("BDAT 9223372036854775807")).size == 9223372036854775807U);
}

TEST_CASE("smtp_command: a BDAT that is not understood must close, for what follows may be content") {
  for (auto line :
       {"BDAT"sv, "BDAT x"sv, "BDAT -1"sv, "BDAT +1"sv, "BDAT 1x"sv, "BDAT 9223372036854775808"sv,
        "BDAT 18446744073709551616"sv, "BDAT 1 FIRST"sv, "BDAT 1 LAST LAST"sv, "BDAT LAST"sv, "BDAT 1\0"sv}) {
    CAPTURE(line);
    auto error = std::get<CommandError>(parse_line(line));
    CHECK(error.must_close);
    CHECK(error.reply_code == (line.back() == '\0' ? 500 : 501));
  }
  CHECK_FALSE(std::get<CommandError>(parse_line("MAIL")).must_close);
}

TEST_CASE("smtp_command: AUTH names a mechanism and may bring its first response") {
  auto plain = std::get<command::Auth>(parse_line("auth plain AGEAYg=="));
  CHECK(plain.mechanism == "PLAIN");
  CHECK(plain.initial == "AGEAYg==");
  CHECK_FALSE(std::get<command::Auth>(parse_line("AUTH SCRAM-SHA-256")).initial.has_value());
  CHECK(std::get<command::Auth>(parse_line("AUTH EXTERNAL =")).initial == "=");
}

TEST_CASE("smtp_command: VRFY keeps its argument and judges nothing") {
  CHECK(std::get<command::Vrfy>(parse_line("VRFY <\xc3\xbc@x>")).argument == "<\xc3\xbc@x>");
}

TEST_CASE("smtp_command: unknown and unimplemented commands") {
  for (auto line :
       {""sv, " "sv, " DATA"sv, "X"sv, "DAT"sv, "DATAX"sv, "MAILFROM:<a@b>"sv, "\xc3\xbc"sv, "EHLO:"sv}) {
    CAPTURE(line);
    CHECK(status_of_line(line) == "500 5.5.2");
  }
  CHECK(status_of_line("EXPN x") == "502 5.5.1");
  CHECK(status_of_line("ETRN x") == "502 5.5.1");
}

TEST_CASE("smtp_command: controls are refused wherever they stand") {
  for (auto line : {"NOOP \0"sv, "MAIL FROM:<a\0@b>"sv, "EHLO x\x1b]0;h\x07"sv, "DATA\r"sv, "RSET\rRSET"sv,
                    "\0"sv, "HELP \x7f"sv, "QUIT\n"sv}) {
    CAPTURE(line);
    CHECK(status_of_line(line) == "500 5.5.2");
  }
}

TEST_CASE("smtp_command: HTTP requests and TLS hellos are recognised") {
  for (auto line :
       {"GET / HTTP/1.1"sv, "post / HTTP/1.1"sv, "PUT /x"sv, "CONNECT a:25 HTTP/1.1"sv, "HEAD /"sv,
        "OPTIONS *"sv, "DELETE /"sv, "Host: localhost:25"sv, "host:x"sv, "PRI * HTTP/2.0"sv, "GET \x01"sv}) {
    CAPTURE(line);
    CHECK_FALSE(std::get<command::NotSmtp>(parse_line(line)).is_tls);
  }
  CHECK(std::get<command::NotSmtp>(parse_line("\x16\x03\x01\x02\0\x01"sv)).is_tls);
  CHECK(is_tls_hello("\x16\x03\x01"));
  CHECK_FALSE(is_tls_hello("\x16"));
  CHECK_FALSE(is_tls_hello("EHLO x"));
}

TEST_CASE("smtp_command: no error repeats a byte of the input") {
  for (auto line :
       {"ZZZZ", "MAIL FROM:<ZZZZ", "MAIL FROM:<a@b> ZZZZ=1", "MAIL FROM:<a@b> BODY=ZZZZ", "BDAT ZZZZ",
        "RCPT TO:<ZZZZ@b>,<c@d>", "RCPT TO:<a@b> NOTIFY=ZZZZ", "DATA ZZZZ", "AUTH A ZZZZ ZZZZ"}) {
    CAPTURE(line);
    CHECK(std::get<CommandError>(parse_line(line)).text.find("ZZZZ") == std::string::npos);
  }
}
