// SPDX-License-Identifier: MIT
// What any reply means: a mail fails only by a 5yz, goes on only by the reply that was hoped for, and a
// log-in has succeeded only by 235. The first byte is stage and context, the rest the reply.
#include <algorithm>

#include "daemon/base/text.h"
#include "smtpc/reply_words.h"
#include "smtpc/verdict.h"
#include "tests/fuzz/fuzz.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;

namespace {

constexpr mail::Stage kStages[] = {mail::Stage::greeting, mail::Stage::ehlo, mail::Stage::tls,
                                   mail::Stage::mail,     mail::Stage::rcpt, mail::Stage::data,
                                   mail::Stage::message};

bool is_failure(Action action) { return action == Action::fail_message || action == Action::fail_recipient; }
bool is_transaction(mail::Stage stage) {
  return stage == mail::Stage::mail || stage == mail::Stage::rcpt || stage == mail::Stage::data ||
         stage == mail::Stage::message;
}

void check_verdict(mail::Stage stage, const mail::Reply& reply, const Context& context) {
  const Verdict follows = verdict(stage, reply, context);
  check(verdict(stage, reply, context) == follows, "the same reply means something else");
  check(!is_failure(follows.action) || reply.is_permanent(), "a mail fails by what is no 5yz");
  check(!is_failure(follows.action) || is_transaction(stage), "a mail fails before it was named");
  check(follows.action != Action::proceed || !reply.is_transient(), "4yz goes on");
  check(follows.action != Action::proceed || !reply.is_permanent(), "5yz goes on");
  check(follows.action != Action::proceed || stage != mail::Stage::data || reply.code == 354,
        "content follows another reply than 354");
  check(context.peer == Peer::smarthost || !is_transaction(stage) || follows.action == Action::proceed ||
            concerns(stage, follows.action) != mail::Concerns::smarthost,
        "a destination's word about a mail stops other mail");
  const bool is_about_message = concerns(stage, follows.action) == mail::Concerns::message;
  check(!is_about_message || is_transaction(stage), "a message is blamed before it was named");
}

void check_words(const mail::Reply& reply) {
  const ReplyWords words = words_of(reply);
  const bool speaks = words.authentication || words.relaying || words.sender || words.tls || words.limit ||
                      words.account || words.machine || words.protocol || words.connections;
  check(!speaks || reply.is_transient() || reply.is_permanent(), "words are heard in what is no refusal");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto reply = mail::parse_reply(test::as_text(data + 1, size - 1));
  if (!reply) return 0;
  const Context context{.logged_in = (data[0] & 1) != 0,
                        .proven = (data[0] & 2) != 0,
                        .encrypted = (data[0] & 4) != 0,
                        .peer = (data[0] & 8) != 0 ? Peer::destination : Peer::smarthost};
  for (mail::Stage stage : kStages) check_verdict(stage, *reply, context);
  check_words(*reply);
  const AuthVerdict login =
      auth_verdict(*reply, {.ever_worked = context.proven, .encrypted = context.encrypted});
  check((login.action == AuthAction::logged_in) == (reply->code == 235), "a log-in that is none");
  check((login.action == AuthAction::challenge) == (reply->code == 334), "a challenge that is none");
  return 0;
}
