// SPDX-License-Identifier: MIT
#include <string>

#include "daemon/mail/smtp_command.h"
#include "doctest/doctest.h"

using namespace hikyaku::mail;

namespace {

Command parse_with(std::string_view start, std::string_view parameters, bool smtputf8) {
  return parse_command(std::string(start) + std::string(parameters),
                       {.default_domain = "x.example", .smtputf8 = smtputf8});
}
Command mail_from(std::string_view parameters) { return parse_with("MAIL FROM:<a@b> ", parameters, false); }
Command rcpt(std::string_view parameters) { return parse_with("RCPT TO:<a@b> ", parameters, false); }

Envelope envelope(std::string_view parameters) {
  return std::get<command::Mail>(mail_from(parameters)).envelope;
}
Recipient recipient(std::string_view parameters) {
  return std::get<command::Rcpt>(rcpt(parameters)).recipient;
}

std::string status_of(const Command& command) {
  auto* error = std::get_if<CommandError>(&command);
  return error ? std::to_string(error->reply_code) + " " + to_text(error->enhanced) : "ok";
}

}  // namespace

TEST_CASE("smtp_parameters: all of MAIL's at once, in any case and order") {
  auto given =
      std::get<command::Mail>(mail_from("size=1000 Body=8BitMime SMTPUTF8 RET=HDRS ENVID=QQ+2B1 AUTH=<>"));
  CHECK(given.size == 1000);
  CHECK(given.envelope.body == Body::eight_bit_mime);
  CHECK(given.envelope.smtputf8);
  CHECK(given.envelope.ret == Ret::headers);
  CHECK(given.envelope.envid == "QQ+1");
}

TEST_CASE("smtp_parameters: what is not given stays absent") {
  auto given = std::get<command::Mail>(mail_from(""));
  CHECK_FALSE(given.size.has_value());
  CHECK(given.envelope == Envelope{.sender = "a@b", .recipients = {}, .envid = {}, .uid = {}});
  CHECK(recipient("").notify.is_absent());
}

TEST_CASE("smtp_parameters: SIZE is a number below 2^63") {
  CHECK(std::get<command::Mail>(mail_from("SIZE=0")).size == 0);
  CHECK(std::get<command::Mail>(mail_from("SIZE=9223372036854775807")).size == 9223372036854775807U);
  CHECK(status_of(mail_from("SIZE=9223372036854775808")) == "552 5.3.4");
  CHECK(status_of(mail_from("SIZE=99999999999999999999")) == "552 5.3.4");
  for (auto bad : {"SIZE", "SIZE=", "SIZE=-1", "SIZE=+1", "SIZE=1x", "SIZE=0x10", "SIZE=1=2",
                   "SIZE=999999999999999999999"})
    CHECK_MESSAGE(status_of(mail_from(bad)) == "501 5.5.4", bad);
}

TEST_CASE("smtp_parameters: BODY is 7BIT or 8BITMIME, never BINARYMIME") {
  CHECK(envelope("BODY=7BIT").body == Body::seven_bit);
  for (auto bad : {"BODY=BINARYMIME", "BODY=X", "BODY=", "BODY", "BODY=8BITMIME=", "BODY=\"7BIT\""})
    CHECK_MESSAGE(status_of(mail_from(bad)) == "501 5.5.4", bad);
}

TEST_CASE("smtp_parameters: RET, SMTPUTF8 and AUTH are checked") {
  CHECK(envelope("RET=full").ret == Ret::full);
  for (auto good : {"AUTH=<>", "AUTH=e+3Dmc2@example.com", "AUTH=root"})
    CHECK_MESSAGE(status_of(mail_from(good)) == "ok", good);
  for (auto bad : {"RET=", "RET", "RET=BODY", "SMTPUTF8=1", "SMTPUTF8=", "AUTH", "AUTH=", "AUTH=e+0D+0AX",
                   "AUTH=a+b@c", "AUTH=a@b@c", "AUTH=\"x"})
    CHECK_MESSAGE(status_of(mail_from(bad)) == "501 5.5.4", bad);
}

TEST_CASE("smtp_parameters: ENVID is decoded and never brings a control") {
  CHECK(envelope("ENVID=a+20b+3D").envid == "a b=");
  CHECK(envelope("ENVID=" + std::string(100, 'a')).envid.size() == 100);
  for (auto bad : {"ENVID", "ENVID=", "ENVID=a+00b", "ENVID=a+0Ab", "ENVID=+", "ENVID=a=b", "ENVID=a+FFb"})
    CHECK_MESSAGE(status_of(mail_from(bad)) == "501 5.5.4", bad);
  CHECK(status_of(mail_from("ENVID=" + std::string(101, 'a'))) == "501 5.5.4");
}

TEST_CASE("smtp_parameters: NOTIFY is NEVER or a list") {
  CHECK(recipient("NOTIFY=never").notify == Notify{.never = true});
  CHECK(recipient("NOTIFY=SUCCESS,failure,DELAY").notify ==
        Notify{.success = true, .failure = true, .delay = true});
  CHECK(recipient("NOTIFY=DELAY").notify == Notify{.delay = true});
  for (auto bad : {"NOTIFY", "NOTIFY=", "NOTIFY=X", "NOTIFY=NEVER,SUCCESS", "NOTIFY=SUCCESS,NEVER",
                   "NOTIFY=SUCCESS,", "NOTIFY=,DELAY"})
    CHECK_MESSAGE(status_of(rcpt(bad)) == "501 5.5.4", bad);
}

TEST_CASE("smtp_parameters: ORCPT is decoded, and a plus survives") {
  CHECK(recipient("ORCPT=rfc822;a+2Bb@example.com").orcpt == "rfc822;a+b@example.com");
  CHECK(recipient("orcpt=RFC822;x").orcpt == "RFC822;x");
  for (auto bad : {"ORCPT", "ORCPT=", "ORCPT=rfc822", "ORCPT=rfc822;", "ORCPT=;a@b", "ORCPT=rfc822;a+0Aroot",
                   "ORCPT=rfc822;a+0D+0Ab", "ORCPT=rfc822;a+00", "ORCPT=rfc 822;a", "ORCPT=rfc822;a=b",
                   "ORCPT=rfc822;\xc3\xa4"})
    CHECK_MESSAGE(status_of(rcpt(bad)) == "501 5.5.4", bad);
  CHECK(status_of(rcpt("ORCPT=rfc822;" + std::string(500, 'a'))) == "501 5.5.4");
}

TEST_CASE("smtp_parameters: ORCPT may hold UTF-8 within a transaction that has SMTPUTF8") {
  Command command = parse_with("RCPT TO:<a@b> ", "ORCPT=utf-8;\xc3\xa4@b", true);
  CHECK(std::get<command::Rcpt>(command).recipient.orcpt == "utf-8;\xc3\xa4@b");
}

TEST_CASE("smtp_parameters: XHIKYAKU is a peer's alone; for anybody else there is no such parameter") {
  auto of_peer = [](std::string_view parameters) {
    return parse_command("MAIL FROM:<a@b> " + std::string(parameters),
                         {.default_domain = "x.example", .is_peer = true});
  };
  const auto given = std::get<command::Mail>(of_peer("SIZE=9 xhikyaku=5,6,7,1 BODY=7BIT"));
  CHECK(given.handover == parse_handover("5,6,7,1"));
  CHECK(given.size == 9);
  CHECK_FALSE(std::get<command::Mail>(of_peer("SIZE=9")).handover);
  for (auto bad :
       {"XHIKYAKU", "XHIKYAKU=", "XHIKYAKU=5,6,7", "XHIKYAKU=5,6,7,2", "XHIKYAKU=5,6,7,1 XHIKYAKU=5,6,7,1"})
    CHECK_MESSAGE(status_of(of_peer(bad)) == "501 5.5.4", bad);
  for (auto foreign : {"XHIKYAKU=5,6,7,1", "XHIKYAKU=", "XHIKYAKU"})
    CHECK_MESSAGE(status_of(mail_from(foreign)) == "555 5.5.4", foreign);
}

TEST_CASE("smtp_parameters: given twice is an error, whatever the case") {
  for (auto twice :
       {"SIZE=1 SIZE=1", "SIZE=1 size=2", "SMTPUTF8 SMTPUTF8", "RET=FULL RET=FULL", "AUTH=<> AUTH=<>"})
    CHECK_MESSAGE(status_of(mail_from(twice)) == "501 5.5.4", twice);
  CHECK(status_of(rcpt("NOTIFY=NEVER NOTIFY=NEVER")) == "501 5.5.4");
}

TEST_CASE("smtp_parameters: unknown is 555, malformed is 501, each command has its own") {
  for (auto unknown : {"FOO", "FOO=1", "SIZE-X=1", "NOTIFY=NEVER", "HOLDFOR=9"})
    CHECK_MESSAGE(status_of(mail_from(unknown)) == "555 5.5.4", unknown);
  CHECK(status_of(rcpt("SIZE=1")) == "555 5.5.4");
  for (auto malformed : {"=", "=1", "-A=1", "<c@d>", "a,b", "\xc3\xa4=1"})
    CHECK_MESSAGE(status_of(mail_from(malformed)) == "501 5.5.4", malformed);
}
