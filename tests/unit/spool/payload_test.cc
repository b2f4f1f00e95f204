// SPDX-License-Identifier: MIT
#include "spool/payload.h"

#include <doctest/doctest.h>

#include "daemon/mail/common_reason.h"

namespace hikyaku::spool {
namespace {

MessageHead full_head() {
  MessageHead head;
  head.arrival = WallTime(Duration(1'790'000'000'123'456));
  head.envelope.sender = "sender@example.com";
  head.envelope.envid = "QQ314159";
  head.envelope.ret = mail::Ret::headers;
  head.envelope.body = mail::Body::eight_bit_mime;
  head.envelope.smtputf8 = true;
  head.envelope.recipients = {
      {.address = "a@example.net", .notify = {.never = true}, .orcpt = ""},
      {.address = "\"b c\"@example.net",
       .notify = {.success = true, .failure = true, .delay = true},
       .orcpt = "rfc822;Bob@example.com"},
  };
  return head;
}

mail::Progress full_progress() {
  mail::Progress progress;
  progress.recipients = {{mail::RecipientState::delivered, "250 ok"},
                         {mail::RecipientState::failed, "550 5.1.1 no such user"},
                         {mail::RecipientState::pending, ""}};
  progress.attempts = 7;
  progress.waited = 5h;
  progress.next_wait = 90s;
  progress.held = true;
  progress.reason = "held by the operator";
  progress.smarthost = "main";
  progress.delay_noticed = true;
  return progress;
}

TEST_CASE("payload: an envelope comes back as it was, the empty one too") {
  CHECK(decode_message_head(encode_message_head(full_head())) == full_head());
  CHECK(decode_message_head(encode_message_head({})) == MessageHead{});
}

TEST_CASE(
    "payload: the uid of a local user is kept, that of root too, and takes no room where there is none") {
  MessageHead head = full_head();
  const std::size_t without = encode_message_head(head).size();
  for (std::uint32_t uid : {0U, 1000U, 0xffffffffU}) {
    head.envelope.uid = uid;
    CHECK(decode_message_head(encode_message_head(head)) == head);
    CHECK(encode_message_head(head).size() == without + 4);
  }
}

TEST_CASE("payload: what is known of the content is kept") {
  MessageHead head = full_head();
  for (int known = 0; known < 4; ++known) {
    head.envelope.traits = {.is_seven_bit = (known & 1) != 0, .has_no_dot_line = (known & 2) != 0};
    CHECK(decode_message_head(encode_message_head(head)) == head);
  }
}

TEST_CASE("payload: an envelope that was written before uids were kept is read as one without") {
  std::string bytes = encode_message_head(full_head());
  CHECK(bytes[10] == 1);  // SMTPUTF8 alone
  CHECK(decode_message_head(bytes) == full_head());
  bytes[10] = 0;
  REQUIRE(decode_message_head(bytes));
  CHECK_FALSE(decode_message_head(bytes)->envelope.smtputf8);
  CHECK_FALSE(decode_message_head(bytes)->envelope.uid);
  bytes[10] = 16;
  CHECK_FALSE(decode_message_head(bytes));
}

TEST_CASE("payload: progress comes back as it was, with what the index needs in front") {
  std::string bytes = encode_progress(full_progress(), 1 << 20);
  CHECK(decode_progress(bytes) == full_progress());
  auto brief = decode_progress_brief(bytes);
  REQUIRE(brief);
  CHECK(brief->held);
  CHECK(brief->next_wait == 90s);
  CHECK(brief->attempts == full_progress().attempts);
  CHECK(brief->reason == mail::reason_code(full_progress().reason, full_progress().smarthost));
  CHECK(decode_progress(encode_progress({}, 1 << 20)) == mail::Progress{});
}

TEST_CASE("payload: a copied message's head gives envelope and progress, and nothing but both") {
  MessageHead message = full_head();
  mail::Progress progress = full_progress();
  progress.recipients.resize(message.envelope.recipients.size());
  std::string head = encode_message_head(message);
  std::string bytes = head + encode_progress(progress, 1 << 20);
  CHECK(decode_folded_head(bytes) == FoldedHead{message, progress});
  CHECK(message_head_length(bytes) == head.size());
  CHECK_FALSE(decode_message_head(bytes));
  for (std::size_t length = 0; length < bytes.size(); ++length)
    CHECK_FALSE(decode_folded_head(std::string_view(bytes).substr(0, length)));
  CHECK_FALSE(decode_folded_head(bytes + 'x'));
  progress.recipients.pop_back();
  CHECK_FALSE(decode_folded_head(head + encode_progress(progress, 1 << 20)));
}

TEST_CASE("payload: that a sender is still to be told of a delivery is kept, and no other state is known") {
  mail::Progress progress = full_progress();
  progress.recipients[0].owes_notice = true;
  std::string bytes = encode_progress(progress, 1 << 20);
  CHECK(decode_progress(bytes) == progress);
  const std::size_t state = bytes.find("250 ok") - 5;
  REQUIRE(bytes[state] == 3);
  bytes[state] = 4;
  CHECK_FALSE(decode_progress(bytes));
}

TEST_CASE("payload: no truncation and no appended byte is taken") {
  std::string head = encode_message_head(full_head());
  std::string progress = encode_progress(full_progress(), 1 << 20);
  for (std::size_t length = 0; length < head.size(); ++length)
    CHECK_FALSE(decode_message_head(std::string_view(head).substr(0, length)));
  for (std::size_t length = 0; length < progress.size(); ++length)
    CHECK_FALSE(decode_progress(std::string_view(progress).substr(0, length)));
  CHECK_FALSE(decode_message_head(head + 'x'));
  CHECK_FALSE(decode_progress(progress + 'x'));
}

TEST_CASE("payload: a damaged count does not make the decoder reserve memory") {
  std::string head = encode_message_head({});
  head.replace(head.size() - 4, 4, "\xff\xff\xff\x7f");
  CHECK_FALSE(decode_message_head(head));
}

TEST_CASE("payload: progress that would not fit loses words, never states") {
  mail::Progress progress = full_progress();
  progress.reason = std::string(5000, 'r');
  progress.recipients.assign(1000, {mail::RecipientState::failed, std::string(1024, 'x')});
  std::string bytes = encode_progress(progress, 32 << 10);
  CHECK(bytes.size() <= 32 << 10);
  auto decoded = decode_progress(bytes);
  REQUIRE(decoded);
  REQUIRE(decoded->recipients.size() == 1000);
  for (const auto& recipient : decoded->recipients) CHECK(recipient.state == mail::RecipientState::failed);
  CHECK(decoded->attempts == 7);
  CHECK(decoded->recipients.front().last_reply.starts_with("xxx"));
}

TEST_CASE("payload: long replies stay whole where there is room") {
  mail::Progress progress = full_progress();
  progress.recipients[1].last_reply = std::string(1024, 'x');
  CHECK(decode_progress(encode_progress(progress, 32 << 10)) == progress);
}

}  // namespace
}  // namespace hikyaku::spool
