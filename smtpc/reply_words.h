// SPDX-License-Identifier: MIT
// What the text of a refusal speaks of, in the words of servers and providers that use one code for
// everything. Only where a code says too little, and never to make anything more final. Texts quote what
// strangers choose: what is quoted is not looked at, and no single word means anything. Pure.
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

// The server's own words: in lower case, one space before and behind each. An underscore stands for what may
// be somebody else's: "…", '…' and <…>, words with an @, host names and addresses of pages, and all that
// follows "said:" and the like, which is another server's.
std::string own_words(const mail::Reply& reply);

}  // namespace hikyaku::smtpc
