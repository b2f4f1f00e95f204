// SPDX-License-Identifier: MIT
// What the text of a refusal is about, in the words of servers and providers that use one code for
// everything. Used only where a code says too little, and never to make a refusal more final. Texts quote
// what strangers choose: quoted text is ignored, and no single word means anything. Pure.
#pragma once

#include <string>

#include "daemon/mail/smtp_reply.h"

namespace hikyaku::smtpc {

struct ReplyWords {
  bool authentication = false;
  bool relaying = false;
  bool sender = false;
  bool tls = false;
  bool limit = false;        // of what our account may send; not of a message's size
  bool rate = false;         // that too much comes from us at the moment
  bool account = false;      // ours, that may not send at all
  bool machine = false;      // ours: its address, or what it calls itself in EHLO
  bool protocol = false;     // that it has been broken
  bool passwords = false;    // that log-ins with one are not taken (any more)
  bool connections = false;  // that there are too many, or too much comes through them
};

// All false unless the reply is 4yz or 5yz.
ReplyWords words_of(const mail::Reply& reply);

// The server's own words: in lower case, one space before and behind each. An underscore replaces what
// somebody else may have chosen: "…", '…' and <…>, words with an @, host names and URLs, and all that follows
// "said:" and the like, which quotes another server.
std::string own_words(const mail::Reply& reply);

}  // namespace hikyaku::smtpc
