// SPDX-License-Identifier: MIT
#include "daemon/checkup/test_mail.h"

#include <utility>

#include "daemon/base/random.h"
#include "daemon/base/text.h"
#include "daemon/mail/received.h"

namespace hikyaku::checkup {
namespace {

std::string text_of(const TestMailFacts& facts, const std::string& subject) {
  const std::string host = facts.smarthost.direct ? "its own mail server" : facts.smarthost.host;
  return cat("From: ", facts.sender, "\r\nTo: ", facts.recipient, "\r\nSubject: ", subject,
             "\r\nDate: ", to_rfc5322_date(facts.now), "\r\nMessage-ID: ",
             mail::make_message_id(facts.now, random_token(12), facts.domain, facts.hostname),
             "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n",
             "This is a test mail. `hikyaku check --send-to` has sent it on ", facts.hostname,
             "\r\nthrough the smarthost ", facts.smarthost.name, " (", host,
             ").\r\nIf you can read it, mail leaves that machine.\r\n");
}

}  // namespace

TestMail make_test_mail(const TestMailFacts& facts) {
  TestMail test;
  test.subject = cat("Test mail from ", facts.hostname);
  std::string text = text_of(facts, test.subject);
  test.mail.envelope.sender = facts.sender;
  test.mail.envelope.recipients.push_back({.address = facts.recipient, .notify = {}, .orcpt = {}});
  test.mail.arrival = facts.now;
  test.mail.size = text.size();
  test.content = std::make_unique<mail::TextContent>(std::move(text));
  return test;
}

}  // namespace hikyaku::checkup
