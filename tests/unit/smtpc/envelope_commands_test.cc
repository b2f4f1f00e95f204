// SPDX-License-Identifier: MIT
#include "doctest/doctest.h"
#include "smtpc/transaction.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;

namespace {

mail::Capabilities everything() {
  mail::Capabilities capabilities;
  capabilities.size = capabilities.eight_bit_mime = capabilities.smtputf8 = capabilities.dsn = true;
  return capabilities;
}

AsSent from(std::string sender, bool has_eight_bit, bool needs_utf8) {
  return {
      .sender = std::move(sender), .size = 1234, .has_eight_bit = has_eight_bit, .needs_utf8 = needs_utf8};
}

}  // namespace

TEST_CASE("smtpc: MAIL has no space behind the colon and always its brackets") {
  CHECK(mail_command({}, {}, from("a@b.example", true, false)) == "MAIL FROM:<a@b.example>");
  CHECK(mail_command({}, {}, from("", false, false)) == "MAIL FROM:<>");
}

TEST_CASE("smtpc: MAIL says what is offered and true, nothing else") {
  mail::Envelope envelope;
  auto said = [&](const mail::Capabilities& capabilities, bool has_eight_bit, bool needs_utf8) {
    return mail_command(envelope, capabilities, from("a@b.example", has_eight_bit, needs_utf8));
  };
  CHECK(said(everything(), false, false) == "MAIL FROM:<a@b.example> SIZE=1234");
  CHECK(said(everything(), true, false) == "MAIL FROM:<a@b.example> SIZE=1234 BODY=8BITMIME");
  CHECK(said(everything(), false, true) == "MAIL FROM:<a@b.example> SIZE=1234 SMTPUTF8");
  envelope.smtputf8 = true;
  CHECK(said(everything(), false, false) == "MAIL FROM:<a@b.example> SIZE=1234 SMTPUTF8");
  envelope.ret = mail::Ret::headers;
  envelope.envid = "id+1=x";
  CHECK(said({}, true, false) == "MAIL FROM:<a@b.example>");
  mail::Capabilities dsn;
  dsn.dsn = true;
  CHECK(said(dsn, true, false) == "MAIL FROM:<a@b.example> RET=HDRS ENVID=id+2B1+3Dx");
  envelope.ret = mail::Ret::full;
  CHECK(said(dsn, true, false) == "MAIL FROM:<a@b.example> RET=FULL ENVID=id+2B1+3Dx");
}

TEST_CASE("smtpc: RCPT carries NOTIFY and ORCPT where DSN is offered") {
  mail::Recipient recipient{.address = "b@c.example", .notify = {}, .orcpt = {}};
  CHECK(rcpt_command(recipient, everything()) == "RCPT TO:<b@c.example>");
  recipient.notify.success = recipient.notify.failure = recipient.notify.delay = true;
  recipient.orcpt = "rfc822;b+x@c.example";
  CHECK(rcpt_command(recipient, {}) == "RCPT TO:<b@c.example>");
  CHECK(rcpt_command(recipient, everything()) ==
        "RCPT TO:<b@c.example> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;b+2Bx@c.example");
  recipient.notify = {.never = true};
  recipient.orcpt.clear();
  CHECK(rcpt_command(recipient, everything()) == "RCPT TO:<b@c.example> NOTIFY=NEVER");
}

TEST_CASE("smtpc: only bytes from 0x80 need SMTPUTF8") {
  CHECK_FALSE(needs_smtputf8("a@b.example"));
  CHECK(needs_smtputf8("\xc3\xbc@b.example"));
}

TEST_CASE("smtpc: what travels with a mail that is handed over stands in MAIL") {
  AsSent sent = from("a@b.example", false, false);
  CHECK(mail_command({}, {}, sent) == "MAIL FROM:<a@b.example>");
  sent.handover = mail::parse_handover("5,6,7,1");
  CHECK(mail_command({}, {}, sent) == "MAIL FROM:<a@b.example> XHIKYAKU=5,6,7,1");
}
