// SPDX-License-Identifier: MIT
// The mail of `hikyaku check --send-to`: a short text that says where it comes from, complete with its header, and
// canonical. It lives in memory and never enters the spool.
#pragma once

#include <memory>
#include <string>

#include "daemon/mail/mail_source.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::checkup {

struct TestMailFacts {
  std::string sender;
  std::string recipient;
  std::string hostname;  // ours
  std::string domain;    // for the Message-ID
  const mail::Smarthost& smarthost;
  WallTime now{};
};

struct TestMail {
  mail::QueuedMail mail;
  std::unique_ptr<mail::ContentReader> content;
  std::string subject;
};

TestMail make_test_mail(const TestMailFacts& facts);

}  // namespace hikyaku::checkup
