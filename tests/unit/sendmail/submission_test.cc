// SPDX-License-Identifier: MIT
#include "daemon/sendmail/submission.h"

#include <sys/socket.h>
#include <unistd.h>

#include "daemon/base/text.h"
#include "doctest/doctest.h"

using namespace hikyaku;
using namespace hikyaku::sendmail;

namespace {

constexpr std::string_view kHello =
    "220 x\r\n250-x\r\n250-PIPELINING\r\n250-SIZE "
    "1000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n250 DSN\r\n";
constexpr std::string_view kPlainHello = "220 x\r\n500 no\r\n250 x\r\n";

struct Played {
  Result<Taken, Refusal> result;
  std::string said;  // by us, after the greeting
};

// All replies are there before the first command: what we make of them is the question.
Played play(std::string_view replies, const Envelope& envelope, Content& content, bool server_stays = true) {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
  Fd ours(ends[0]);
  Fd theirs(ends[1]);
  REQUIRE(::write(theirs.get(), replies.data(), replies.size()) == static_cast<ssize_t>(replies.size()));
  if (!server_stays) ::shutdown(theirs.get(), SHUT_WR);
  Played played{std::unexpected(Refusal{}), {}};
  {
    auto submission = Submission::begin(std::move(ours), {});
    if (!submission) return {std::unexpected(submission.error()), {}};
    std::optional<SignalBlock> signal_block;
    played.result = submission->send(envelope, envelope.recipients, content, signal_block);
    CHECK((signal_block || !played.result));
    if (played.result) submission->end();
  }
  char bytes[65536];
  ssize_t got = 0;
  while ((got = ::read(theirs.get(), bytes, sizeof bytes)) > 0)
    played.said.append(bytes, static_cast<std::size_t>(got));
  std::size_t hello = played.said.rfind("LO localhost\r\n");
  played.said.erase(0, hello + 14);
  return played;
}

Envelope envelope(std::vector<Address> recipients) {
  Envelope envelope;
  envelope.sender = "me";
  envelope.recipients = std::move(recipients);
  return envelope;
}

Played play(std::string_view hello, std::string_view replies, const Envelope& given = envelope({"a@b"})) {
  MemoryContent content("x\r\n.y\r\n");
  return play(cat(hello, replies), given, content, false);
}

}  // namespace

TEST_CASE("submission: a mail goes in one chunk, with its size, and its id comes back") {
  auto played = play(kHello, "250 s\r\n250 r\r\n250 r\r\n250 2.0.0 Ok: queued as 00ab\r\n221 bye\r\n",
                     envelope({"a@b", "root"}));
  REQUIRE(played.result.has_value());
  CHECK(played.result->id == "00ab");
  CHECK(played.result->recipients == 2);
  CHECK(played.said ==
        "MAIL FROM:<me> SIZE=7\r\nRCPT TO:<a@b>\r\nRCPT TO:<root>\r\nBDAT 7 LAST\r\nx\r\n.y\r\nQUIT\r\n");
}

TEST_CASE("submission: a server without CHUNKING gets DATA with its dots stuffed") {
  auto played = play(kPlainHello, "250 s\r\n250 r\r\n354 go\r\n250 ok\r\n");
  REQUIRE(played.result.has_value());
  CHECK(played.result->id.empty());
  CHECK(played.said == "MAIL FROM:<me>\r\nRCPT TO:<a@b>\r\nDATA\r\nx\r\n..y\r\n.\r\nQUIT\r\n");
}

TEST_CASE("submission: an empty message is a message") {
  MemoryContent empty("");
  CHECK(play(cat(kHello, "250 s\r\n250 r\r\n250 ok\r\n"), envelope({"a@b"}), empty)
            .said.find("BDAT 0 LAST\r\nQUIT") != std::string::npos);
}

TEST_CASE("submission: what a refusal means depends on the reply") {
  struct Row {
    const char* replies;
    bool is_final;
    Exit exit;
  };
  for (const Row& row :
       {Row{"550 5.7.1 policy\r\n", true, Exit::no_permission}, Row{"501 5.1.7 bad\r\n", true, Exit::damaged},
        Row{"552 5.3.4 big\r\n", true, Exit::damaged}, Row{"503 5.5.1 what\r\n", true, Exit::protocol},
        Row{"550 no\r\n", true, Exit::unavailable}, Row{"452 4.3.1 full\r\n", true, Exit::try_again},
        Row{"451 4.3.0 broken\r\n", false, Exit::try_again},
        Row{"421 4.3.2 going\r\n", false, Exit::try_again},
        Row{"250 s\r\n550 5.1.1 nobody\r\n", true, Exit::damaged},
        Row{"250 s\r\n450 later\r\n", false, Exit::try_again},
        Row{"250 s\r\n452 4.5.3 too many\r\n", true, Exit::try_again},
        Row{"250 s\r\n250 r\r\n554 5.6.0 NUL\r\n", true, Exit::damaged},
        Row{"250 s\r\n250 r\r\n452 4.3.1 full\r\n", true, Exit::try_again},
        Row{"250 s\r\n250 r\r\n451 4.3.0 broken\r\n", false, Exit::try_again},
        Row{"250 s\r\n250 r\r\n", false, Exit::try_again},
        Row{"250 s\r\nnonsense\r\n", false, Exit::try_again}, Row{"", false, Exit::try_again}}) {
    CAPTURE(row.replies);
    auto played = play(kHello, row.replies);
    REQUIRE_FALSE(played.result.has_value());
    CHECK(played.result.error().is_final == row.is_final);
    CHECK(played.result.error().failure.kind == row.exit);
  }
}

TEST_CASE("submission: a greeting that sends us away is not about the mail") {
  for (const char* replies :
       {"421 4.3.2 too many\r\n", "554 5.7.1 not you\r\n", "220 x\r\n550 no\r\n550 no\r\n", "x\r\n", ""}) {
    CAPTURE(replies);
    auto played = play("", replies);
    REQUIRE_FALSE(played.result.has_value());
    CHECK_FALSE(played.result.error().is_final);
  }
}

TEST_CASE("submission: no content is sent where one recipient is refused") {
  auto played = play(kHello, "250 s\r\n250 r\r\n553 5.1.3 bad\r\n250 r\r\n", envelope({"a@b", "c@d", "e@f"}));
  REQUIRE_FALSE(played.result.has_value());
  CHECK(played.result.error().is_final);
  CHECK(played.said.find("BDAT") == std::string::npos);
}

TEST_CASE("submission: recipients beyond the daemon's number are left for another mail") {
  auto played = play(kHello, "250 s\r\n250 r\r\n452 4.5.3 many\r\n452 4.5.3 many\r\n250 ok\r\n",
                     envelope({"a@b", "c@d", "e@f"}));
  REQUIRE(played.result.has_value());
  CHECK(played.result->recipients == 1);
  played = play(kHello, "250 s\r\n250 r\r\n452 4.5.3 many\r\n250 r\r\n", envelope({"a@b", "c@d", "e@f"}));
  REQUIRE_FALSE(played.result.has_value());
  CHECK(played.said.find("BDAT") == std::string::npos);
}

TEST_CASE("submission: a thousand recipients are named in groups") {
  std::vector<Address> many;
  std::string replies = "250 s\r\n";
  for (int i = 0; i < 1000; ++i) {
    many.push_back(cat("u", std::to_string(i), "@x.example"));
    replies += "250 2.1.5 Recipient ok\r\n";
  }
  auto played = play(kHello, replies + "250 ok\r\n", envelope(many));
  REQUIRE(played.result.has_value());
  CHECK(played.result->recipients == 1000);
}

TEST_CASE("submission: what the server does not know is not asked of it") {
  Envelope dsn = envelope({"a@b"});
  dsn.notify = "NEVER";
  CHECK(play(kPlainHello, "", dsn).result.error().is_final);
  Envelope utf8 = envelope({"\xc3\xbc@b"});
  utf8.smtputf8 = true;
  CHECK(play(kPlainHello, "", utf8).result.error().failure.kind == Exit::unavailable);
  dsn.ret = "HDRS";
  CHECK(play(kHello, "250 s\r\n250 r\r\n250 ok\r\n", dsn)
            .said.starts_with("MAIL FROM:<me> SIZE=7 RET=HDRS\r\nRCPT TO:<a@b> NOTIFY=NEVER\r\n"));
}

TEST_CASE("submission: foreign bytes of a reply come out printable") {
  auto played = play(kHello, "550 5.1.1 \x1b[2J\r\n");
  REQUIRE_FALSE(played.result.has_value());
  CHECK(played.result.error().failure.text.find('\x1b') == std::string::npos);
}
