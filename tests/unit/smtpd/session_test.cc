// SPDX-License-Identifier: MIT
#include "daemon/base/text.h"
#include "doctest/doctest.h"
#include "tests/support/peers/smtpd_rig.h"

using namespace hikyaku;

namespace {

const std::string kHeader = "From: a@x.test\r\nDate: today\r\nMessage-ID: <1@x.test>\r\n";
const std::string kEnvelope = "MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\n";
const std::string kMessage = kEnvelope + "DATA\r\n" + kHeader + "\r\nhi\r\n.\r\n";

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++found;
  return found;
}

// Counts the writes that go through it.
class CountingStream final : public io::Stream {
 public:
  CountingStream(io::StreamPtr under, int& writes) : under_(std::move(under)), writes_(writes) {}
  Task<Result<std::size_t, IoError>> read_some(std::span<char> into, io::Until until) override {
    return under_->read_some(into, until);
  }
  Task<Result<void, IoError>> write(std::string_view bytes, io::Until until) override {
    ++writes_;
    return under_->write(bytes, until);
  }
  Task<Result<void, IoError>> shut_down(io::Until until) override { return under_->shut_down(until); }
  std::optional<Endpoint> peer() const override { return under_->peer(); }
  std::optional<Endpoint> local() const override { return under_->local(); }

 private:
  io::StreamPtr under_;
  int& writes_;
};

std::string received_of(const test::StoredMail& mail) {
  return mail.content.substr(0, mail.content.size() - test::below_received(mail.content).size());
}

}  // namespace

TEST_CASE("smtpd: a Received field stands on top, and says who, how, and for whom") {
  test::SmtpdRig rig;
  rig.burst("EHLO app.test\r\n" + kMessage + "QUIT\r\n");
  CHECK(rig.only_content() == kHeader + "\r\nhi\r\n");
  std::string received = received_of(rig.sink.mails().front());
  CHECK(received.starts_with("Received: from app.test ([127.0.0.1])"));
  CHECK(received.find("by mx.test (hikyaku) with ESMTP id 0000000000001") != received.npos);
  CHECK(received.find("for <b@y.test>") != received.npos);
  CHECK_FALSE(rig.sink.mails().front().envelope.uid);
}

TEST_CASE("smtpd: HELO makes it SMTP, and two recipients are not told to each other") {
  test::SmtpdRig rig;
  rig.burst(
      "HELO app.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nRCPT "
      "TO:<c@y.test>\r\nDATA\r\n\r\n.\r\n");
  REQUIRE(rig.sink.mails().size() == 1);
  std::string received = received_of(rig.sink.mails().front());
  CHECK(received.find("with SMTP id") != received.npos);
  CHECK(received.find("y.test") == received.npos);
}

TEST_CASE("smtpd: what was seen of the content on its way in is kept with the envelope") {
  auto traits_of = [](const std::string& content) {
    test::SmtpdRig rig;
    rig.burst(
        cat("EHLO app.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\n", content, ".\r\n"));
    REQUIRE(rig.sink.mails().size() == 1);
    return rig.sink.mails().front().envelope.traits;
  };
  using Traits = mail::ContentTraits;
  CHECK(traits_of("Subject: x\r\n\r\nplain\r\n") == Traits{.is_seven_bit = true, .has_no_dot_line = true});
  CHECK(traits_of("Subject: x\r\n\r\n..dot\r\n") == Traits{.is_seven_bit = true, .has_no_dot_line = false});
  CHECK(traits_of("Subject: \xc3\xa4\r\n\r\nx\r\n") ==
        Traits{.is_seven_bit = false, .has_no_dot_line = true});
}

TEST_CASE("smtpd: over the Unix socket the kernel's word for the caller is in Received") {
  test::SmtpdRig rig;
  rig.wire = {.first_address = {}, .second_address = {}, .uid = 1042};
  rig.burst("EHLO root\r\n" + kMessage);
  REQUIRE(rig.sink.mails().size() == 1);
  CHECK(rig.sink.mails().front().content.starts_with("Received: from localhost (from userid 1042)"));
  CHECK(rig.sink.mails().front().envelope.uid == 1042);
}

TEST_CASE("smtpd: no byte of the client's comes back to it") {
  test::SmtpdRig rig;
  std::string replies = rig.burst(
      "EHLO zzq\x1b]0;h\x07\r\nEHLO zzq\r\nHELO zzq\r\nMAIL FROM:<zzq>\r\nRCPT TO:<zzq zzq>\r\nRCPT "
      "TO:<zzq>\r\n"
      "VRFY zzq\r\nNOOP zzq\r\nHELP zzq\r\nzzq\r\nAUTH zzq\r\nMAIL FROM:<a@b> zzq=1\r\nBDAT 3\r\nzzq"
      "GET /zzq HTTP/1.1\r\n");
  CHECK(count(replies, "\r\n") > 12);
  CHECK(replies.find("zzq") == replies.npos);
  CHECK(replies.find('\x1b') == replies.npos);
}

TEST_CASE("smtpd: a pipelined group is answered in one write") {
  test::SmtpdRig rig;
  int writes = 0;
  io::MemoryPair pair = io::make_memory_pair(rig.loop);
  auto options = std::make_shared<const smtpd::SessionOptions>(rig.options);
  smtpd::Session session({rig.loop, rig.sink, rig.observer, rig.stop}, options,
                         std::make_unique<CountingStream>(std::move(pair.first), writes));
  test::TestClient client(rig.loop, std::move(pair.second));
  auto talk = [](test::SmtpdRig& r, smtpd::Session& s, test::TestClient& c, int& w) -> Task<void> {
    r.nursery.spawn(s.run());
    std::string greeting = co_await c.reply();
    CHECK(w == 1);
    co_await c.send(kEnvelope + "RCPT TO:<c@y.test>\r\nDATA\r\n");
    for (int i = 0; i < 4; ++i) std::string reply = co_await c.reply();
    CHECK(w == 2);
    co_await c.send("hi\r\n.\r\n" + kEnvelope + "DATA\r\n");
    for (int i = 0; i < 4; ++i) std::string reply = co_await c.reply();
    CHECK(w == 3);
    co_await c.finish();
    std::string rest = co_await c.rest();
    co_await r.nursery.drained({});
  };
  rig.loop.run(talk(rig, session, client, writes));
}

TEST_CASE(
    "smtpd: a hundred thousand recipients: those within the limit get it, the log hears of the rest once") {
  test::SmtpdRig rig;
  rig.options.limits.max_recipients = 150;
  std::string recipients;
  for (int i = 0; i < 100'000; ++i) recipients += cat("RCPT TO:<u", std::to_string(i), "@y.test>\r\n");
  std::string replies =
      rig.burst("MAIL FROM:<a@x.test>\r\n" + recipients + "DATA\r\n" + kHeader + "\r\n.\r\n");
  CHECK(count(replies, "250 2.1.5") == 150);
  CHECK(count(replies, "452 4.5.3") == 99'850);
  REQUIRE(rig.sink.mails().size() == 1);
  CHECK(rig.sink.mails().front().envelope.recipients.size() == 150);
  CHECK(rig.observer.lines.size() == 2);
}

TEST_CASE("smtpd: recipients for whom there is no memory get 452 4.5.3, and so do all behind them") {
  test::SmtpdRig rig;
  mail::Envelope three;
  three.recipients.resize(3);
  rig.sink.envelope_memory = mail::memory_of(three) + 50;
  const std::string too_long(64, 'u');
  std::string replies = rig.burst(kEnvelope + "RCPT TO:<c@y.test>\r\nRCPT TO:<" + too_long +
                                  "@y.test>\r\nRCPT TO:<d@y.test>\r\nDATA\r\n" + kHeader + "\r\n.\r\n");
  CHECK(count(replies, "250 2.1.5") == 2);
  CHECK(count(replies, "452 4.5.3 No memory for more") == 2);
  REQUIRE(rig.sink.mails().size() == 1);
  const auto& recipients = rig.sink.mails().front().envelope.recipients;
  REQUIRE(recipients.size() == 2);
  CHECK(recipients[0].address == "b@y.test");
  CHECK(recipients[1].address == "c@y.test");
  CHECK(rig.observer.lines.size() == 2);
}

TEST_CASE("smtpd: no memory for any recipient, for the sender, or for the content is 451") {
  test::SmtpdRig rig;
  rig.sink.envelope_memory = mail::memory_of(mail::Envelope()) + 50;
  std::string replies = rig.burst(kEnvelope + "DATA\r\n");
  CHECK(count(replies, "451 4.3.2 Too much mail") == 1);
  CHECK(count(replies, "503 5.5.1 No valid recipient") == 1);
  rig.sink.envelope_memory = 10;
  CHECK(count(rig.burst("MAIL FROM:<a@x.test>\r\n"), "451 4.3.2 Too much mail") == 1);
  rig.sink.envelope_memory = {};
  rig.sink.failures.write = mail::SinkErrorKind::no_memory;
  CHECK(count(rig.burst(kMessage + "NOOP\r\n"), "451 4.3.2 Too much mail") == 1);
  CHECK(rig.sink.mails().empty());
}

TEST_CASE("smtpd: a million header lines and one endless header line pass in linear time, or are too big") {
  test::SmtpdRig rig;
  std::string header = "From: a@x.test\r\nDate: today\r\nMessage-ID: <1@x.test>\r\n";
  for (int i = 0; i < 200'000; ++i) header += "X: y\r\n";
  rig.burst(kEnvelope + "DATA\r\n" + header + "X: " + std::string(2'000'000, 'y') + "\r\n\r\nbody\r\n.\r\n");
  CHECK(rig.only_content().ends_with("y\r\n\r\nbody\r\n"));
  CHECK(rig.only_content().starts_with(header));
}

TEST_CASE("smtpd: ten megabytes without a line end are neither kept nor waited for") {
  test::SmtpdRig rig;
  std::string replies = rig.burst(std::string(10'000'000, 'x'));
  CHECK(replies == "421 4.7.0 Line without an end, closing\r\n");
}

TEST_CASE("smtpd: commands without a message are counted, RCPT is not, and a message begins anew") {
  test::SmtpdRig rig;
  rig.options.limits.commands = 5;
  std::string replies =
      rig.burst("NOOP\r\nNOOP\r\n" + kMessage + "NOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\n");
  CHECK(count(replies, "250 2.0.0 Ok\r\n") == 7);
  CHECK(replies.ends_with("421 4.7.0 Too many commands without a message, closing\r\n"));
  CHECK(rig.sink.mails().size() == 1);
}

TEST_CASE("smtpd: the sink hears the announced size") {
  test::SmtpdRig rig;
  rig.burst("MAIL FROM:<a@x.test> SIZE=4711\r\n");
  CHECK(rig.sink.expected_size() == 4711);
}

TEST_CASE("smtpd: who watches refusals hears of which mail they are: helo, sender, size") {
  test::SmtpdRig rig;
  rig.options.limits.max_size = 100;
  rig.burst("RCPT TO:<b@y.test>\r\nEHLO app.test\r\nMAIL FROM:<a@x.test> SIZE=4711\r\n" + kEnvelope +
            "RCPT TO:<b@y.test> NO=SUCH\r\nDATA\r\n" + std::string(120, 'x') +
            "\r\n.\r\nRCPT TO:<c@y.test>\r\n" + kEnvelope + "BDAT 130\r\n" + std::string(130, 'x') +
            "MAIL FROM:<>\r\nRSET\r\nDATA\r\n");
  std::vector<std::string> refusals;
  for (const std::string& line : rig.observer.lines)
    if (line.starts_with("rejected ")) refusals.push_back(line.substr(line.find(" helo=") + 1));
  CHECK(refusals == std::vector<std::string>{"helo=", "helo=app.test from=<a@x.test> size=4711",
                                             "helo=app.test from=<a@x.test> size=0",
                                             "helo=app.test from=<a@x.test> size=122", "helo=app.test",
                                             "helo=app.test from=<a@x.test> size=130", "helo=app.test"});
}

TEST_CASE("smtpd: a hook's reply is given instead of the good one, and 421 closes") {
  using smtpd::Stage;
  test::SmtpdRig rig;
  rig.options.refuse = [](Stage stage, std::string_view subject) -> std::optional<smtpd::Reply> {
    if (stage == Stage::mail && subject == "bad@x.test") return smtpd::Reply(550, {5, 7, 1}, "not yours");
    if (stage == Stage::rcpt && subject == "c@y.test") return smtpd::Reply(450, {4, 2, 0}, "later");
    if (stage == Stage::message) return smtpd::Reply(421, {4, 3, 0}, "bye");
    return std::nullopt;
  };
  std::string replies = rig.burst("MAIL FROM:<bad@x.test>\r\n" + kEnvelope +
                                  "RCPT TO:<c@y.test>\r\nDATA\r\nx\r\n.\r\nNOOP\r\n");
  CHECK(replies ==
        "550 5.7.1 not yours\r\n250 2.1.0 Sender ok\r\n250 2.1.5 Recipient ok\r\n450 4.2.0 later\r\n"
        "354 End with a line of a single dot\r\n421 4.3.0 bye\r\n");
  CHECK(rig.sink.mails().empty());
}

TEST_CASE("smtpd: what another library throws ends the session with 421 and is reported") {
  test::SmtpdRig rig;
  rig.options.refuse = [](smtpd::Stage, std::string_view) -> std::optional<smtpd::Reply> {
    throw std::runtime_error("oops");
  };
  CHECK(rig.burst("NOOP\r\nMAIL FROM:<a@x.test>\r\nNOOP\r\n") ==
        "250 2.0.0 Ok\r\n421 4.3.0 Internal error, try again later\r\n");
  CHECK(rig.observer.saw("broke down oops"));
}
