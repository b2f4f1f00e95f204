// SPDX-License-Identifier: MIT
// What the text of a refusal speaks of, in the words of servers and providers that use one code for
// everything. Only where a code says too little, and never to make anything more final. Pure.
#pragma once

#include "daemon/mail/smtp_reply.h"

namespace hikyaku::smtpc {

struct ReplyWords {
  bool authentication = false;
  bool relaying = false;
  bool sender = false;
  bool tls = false;
  bool limit = false;        // of what our account may send; not of a message's size
  bool account = false;      // ours, that may not send at all
  bool machine = false;      // ours: its address, or what it calls itself in EHLO
  bool protocol = false;     // that it has been broken
  bool connections = false;  // that there are too many, or too much comes through them
};

// All false unless the reply is 4yz or 5yz. Addresses in the text are not looked at.
ReplyWords words_of(const mail::Reply& reply);

}  // namespace hikyaku::smtpc
