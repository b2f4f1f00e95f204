// SPDX-License-Identifier: MIT
#include "daemon/sendmail/message.h"

#include <fcntl.h>

#include <string>

#include "daemon/base/fd.h"
#include "daemon/base/text.h"
#include "doctest/doctest.h"
#include "tests/unit/sendmail/given_input.h"

using namespace hikyaku;
using namespace hikyaku::sendmail;

namespace {

constexpr std::uint64_t kMaxSize = 10'000'000;

Result<Message, Failure> read(const Request& request, std::string_view bytes,
                              std::uint64_t max_size = kMaxSize) {
  test::GivenInput given(bytes);
  Input input(given.fd(), request.dot_ends_input, max_size);
  return read_message(request, {"me"}, input);
}

Request to(std::vector<std::string> recipients) {
  Request request;
  request.recipients = std::move(recipients);
  return request;
}

Request with_t() {
  Request request;
  request.recipients_from_header = true;
  return request;
}

std::string content(std::string_view bytes, const Request& request = to({"r"})) {
  auto message = read(request, bytes);
  return message ? message->read : cat("!", message.error().text);
}

std::string recipients(std::string_view bytes, const Request& request = with_t()) {
  auto message = read(request, bytes);
  return message ? join(message->envelope.recipients, " ")
                 : cat("!", std::to_string(int(message.error().kind)));
}

}  // namespace

TEST_CASE("message: line ends become CR LF, and nothing else of a body changes") {
  CHECK(content("A: b\n\nx\n") == "A: b\r\n\r\nx\r\n");
  CHECK(content("A: b\r\n\r\nx\r\n") == "A: b\r\n\r\nx\r\n");
  CHECK(content("A: b\n\nx") == "A: b\r\n\r\nx\r\n");
  CHECK(content("A: b\n\nx\ry\n") == "A: b\r\n\r\nx\r\ny\r\n");
  CHECK(content("A: b\n\n\xff\xfe\x80\t \n") == "A: b\r\n\r\n\xff\xfe\x80\t \r\n");
  CHECK(content("") == "");
  CHECK(content("x") == "x\r\n");
  CHECK(content("\n") == "\r\n");
}

TEST_CASE("message: a line of a single dot ends it unless dots are to be ignored") {
  Request ignoring = to({"r"});
  ignoring.dot_ends_input = false;
  struct Row {
    const char* in;
    const char* ended;
    const char* ignored;
  };
  for (const Row& row : {Row{"\na\n.\nb\n", "\r\na\r\n", "\r\na\r\n.\r\nb\r\n"},
                         Row{"\na\r\n.\r\nb\r\n", "\r\na\r\n", "\r\na\r\n.\r\nb\r\n"},
                         Row{"\n..\n.x\nx.\n", "\r\n..\r\n.x\r\nx.\r\n", "\r\n..\r\n.x\r\nx.\r\n"},
                         Row{".\nb\n", "", ".\r\nb\r\n"}, Row{"\na\n.", "\r\na\r\n", "\r\na\r\n.\r\n"},
                         Row{"\n.\rx\n", "\r\n.\r\nx\r\n", "\r\n.\r\nx\r\n"}}) {
    CAPTURE(row.in);
    CHECK(content(row.in) == row.ended);
    CHECK(content(row.in, ignoring) == row.ignored);
  }
}

TEST_CASE("message: with -t the recipients are those of To, Cc and Bcc, in their order and once") {
  struct Row {
    const char* header;
    const char* recipients;
  };
  for (const Row& row : {Row{"To: a@b\n", "a@b"},
                         Row{"to:a@b\nCC: c@d\nbCc: e@f\n", "a@b c@d e@f"},
                         Row{"To : a@b\n", "a@b"},
                         Row{"To: a@b,\n \"x,y\" <c@d>;\n", "a@b c@d"},
                         Row{"Bcc: e@f\nBcc: g@h\n i@j\n", "!65"},
                         Row{"Bcc: e@f\nBcc: g@h,\n\ti@j\n", "e@f g@h i@j"},
                         Row{"To: a@b (to: z@z)\n", "a@b"},
                         Row{"To: list: a@b, c@d;\nCc: undisclosed-recipients:;\n", "a@b c@d"},
                         Row{"To: a@b\nCc: A <a@B>, x@y\n", "a@b x@y"},
                         Row{"To: root\n", "root"},
                         Row{"From: f@f\nTo: a@b\nX-To: z@z\nReply-To: z@z\nResent-From: z@z\n", "a@b"},
                         Row{"To: a@b\n\nTo: z@z\n", "a@b"},
                         Row{"To: a@b\nnot a field\nTo: z@z\n", "a@b"},
                         Row{"From me Mon Jan  1 00:00:00 2026\nTo: a@b\n", "a@b"},
                         Row{"To:\n a@b\n", "a@b"},
                         Row{"To: John Smith\n", "!65"},
                         Row{"To: a@b c@d\n", "!65"},
                         Row{"To: a@\n", "!65"},
                         Row{"To: a@b..c\n", "!65"},
                         Row{"To: \"a\tb\"@c\n", "!65"},
                         Row{"To: <>\n", "!64"},
                         Row{"Subject: x\n", "!64"},
                         Row{"", "!64"},
                         Row{" To: a@b\n", "!64"},
                         Row{"\nTo: a@b\n", "!64"}}) {
    CAPTURE(row.header);
    CHECK(recipients(cat(row.header, "\nbody\n")) == row.recipients);
  }
}

TEST_CASE("message: of one that was sent on only the latest sending counts") {
  struct Row {
    const char* header;
    const char* recipients;
  };
  for (const Row& row :
       {Row{"Resent-To: r@s\nTo: a@b\nCc: c@d\nBcc: e@f\n", "r@s"},
        Row{"Resent-To: r@s\nResent-Cc: t@u\nResent-Bcc: v@w\nTo: a@b\n", "r@s t@u v@w"},
        Row{"Resent-From: n\nResent-To: new@x\nResent-From: o\nResent-To: old@x\nTo: a@b\n", "new@x"},
        Row{"Resent-To: new@x\nReceived: x\nResent-To: old@x\nTo: a@b\n", "new@x"},
        Row{"Resent-From: n\nResent-Date: x\nTo: a@b\n", "a@b"}}) {
    CAPTURE(row.header);
    CHECK(recipients(cat(row.header, "\nbody\n")) == row.recipients);
  }
}

TEST_CASE("message: with -t the command line's recipients come on top") {
  Request request = with_t();
  request.recipients = {"x@y", "a@b"};
  CHECK(recipients("To: a@b, c@d\n\n", request) == "x@y a@b c@d");
  CHECK(recipients("Subject: x\n\n", request) == "x@y a@b");
}

TEST_CASE("message: no Bcc line and none of its folds stays, with -t and without") {
  std::string_view header =
      "Bcc: e@f,\n g@h\nTo: a@b\nBCC : i@j\n\t,k@l\nbcc:m@n\nResent-Bcc:\n o@p\nSubject: Bcc: x\n";
  std::string expected = "To: a@b\r\nSubject: Bcc: x\r\n\r\nBcc: stays@body\r\n";
  CHECK(content(cat(header, "\nBcc: stays@body\n"), with_t()) == expected);
  CHECK(content(cat(header, "\nBcc: stays@body\n"), to({"r"})) == expected);
}

TEST_CASE("message: where a Bcc is taken out the body stays the body") {
  CHECK(content("Bcc: x@y\nFrom me\nBcc: stays@body\n") == "\r\nFrom me\r\nBcc: stays@body\r\n");
}

TEST_CASE("message: fields that stay keep every byte, also where there is no empty line") {
  CHECK(content("A :  b \n\tc\nB:d\nno field\nx: y\n") == "A :  b \r\n\tc\r\nB:d\r\nno field\r\nx: y\r\n");
  CHECK(content("no header at all\n") == "no header at all\r\n");
  CHECK(content("A: b") == "A: b\r\n");
  CHECK(content(cat("A: ", std::string(5000, 'x'), "\n\ny\n")) ==
        cat("A: ", std::string(5000, 'x'), "\r\n\r\ny\r\n"));
  CHECK(content(cat("A: b\n ", std::string(5000, 'x'), "\nBcc: y\n\n")) ==
        cat("A: b\r\n ", std::string(5000, 'x'), "\r\n\r\n"));
  CHECK(content(std::string(5000, 'x')) == std::string(5000, 'x') + "\r\n");
}

TEST_CASE("message: -F becomes a From where there is none") {
  Request request = to({"r"});
  request.full_name = "Cron \"the\" Daemon";
  CHECK(content("A: b\n\nx\n", request) == "A: b\r\nFrom: \"Cron \\\"the\\\" Daemon\"\r\n <me>\r\n\r\nx\r\n");
  CHECK(content("x\n", request) == "From: \"Cron \\\"the\\\" Daemon\"\r\n <me>\r\nx\r\n");
  CHECK(content("from: x\n\nx\n", request) == "from: x\r\n\r\nx\r\n");
  request.sender = "a..b@c";
  CHECK(content("\n", request).find("<\"a..b\"@c>") != std::string::npos);
  request.sender = "";
  CHECK(content("\nx\n", request) == "\r\nx\r\n");
  request.sender = "a@b";
  request.full_name = "J\xc3\xbcrgen";
  CHECK(content("\n", request) == "From: =?UTF-8?B?SsO8cmdlbg==?=\r\n <a@b>\r\n\r\n");
  for (int i = 0; i < 60; ++i) request.full_name += "\xc3\xbc";
  CHECK(content("\n", request).find("?=\r\n =?UTF-8?B?") != std::string::npos);
}

TEST_CASE("message: the sender is the caller, or who -f names, or From if that is wished") {
  auto sender = [](const Request& request, std::string_view bytes) {
    auto message = read(request, bytes);
    return message ? message->envelope.sender : cat("!", std::to_string(int(message.error().kind)));
  };
  Request request = to({"r"});
  CHECK(sender(request, "From: x@y\n\n") == "me");
  request.sender = "a@b";
  CHECK(sender(request, "") == "a@b");
  request.sender = "Al <a@b>";
  CHECK(sender(request, "") == "a@b");
  request.sender = "";
  CHECK(sender(request, "") == "");
  request.sender = "root";
  CHECK(sender(request, "") == "root");
  for (const char* wrong : {"a@b>", "a b", "a@b,c@d", "a@b> SIZE=1", "a@", "\"a@b"}) {
    CAPTURE(wrong);
    request.sender = wrong;
    CHECK(sender(request, "") == "!65");
  }
  request.sender.reset();
  request.sender_from_header = true;
  CHECK(sender(request, "From: X <x@y>\n\n") == "x@y");
  CHECK(sender(request, "Resent-From: z@z\nFrom: X <x@y>\n\n") == "z@z");
  CHECK(sender(request, "Subject: x\n\n") == "me");
}

TEST_CASE("message: a user's name is quoted where it must be") {
  CHECK(address_of_user("www-data") == "www-data");
  CHECK(address_of_user("DOM\\al") == "\"DOM\\\\al\"");
  CHECK(address_of_user("a b") == "\"a b\"");
}

TEST_CASE("message: recipients of the command line are addresses as people write them") {
  CHECK(recipients("", to({"a@b", "Al <c@d>", "e@f, g@h", "|id@x", "-oQ/tmp@x"})) ==
        "a@b c@d e@f g@h |id@x -oQ/tmp@x");
  for (const char* wrong : {"a b", "a@b>\r\nRCPT TO:<e@x", "a@b\r\nRCPT TO:<e@x>", "<a@b", "\"a", "a@b\x01",
                            "x@[1]", "x\nBcc: e@x", "x\r\n e@x", "a\t@b"}) {
    CAPTURE(wrong);
    CHECK(recipients("", to({wrong})) == "!65");
  }
  CHECK(recipients("", to({""})) == "!64");
  CHECK(recipients("", to({})) == "!64");
  CHECK(recipients("", to({std::string(65, 'a')})) == "!65");
}

TEST_CASE("message: addresses beyond ASCII ask for SMTPUTF8") {
  CHECK(read(to({"\xc3\xbc@x"}), "")->envelope.smtputf8);
  CHECK_FALSE(read(to({"u@x"}), "")->envelope.smtputf8);
  CHECK(recipients("", to({"\xff@x"})) == "!65");
}

TEST_CASE("message: a NUL byte, too much, or an endless header is told before anything is stored") {
  using namespace std::string_view_literals;
  CHECK(content("\nab\0c\n"sv).find("NUL byte") != std::string::npos);
  auto big = read(to({"r"}), std::string(2000, 'x'), 1000);
  REQUIRE_FALSE(big.has_value());
  CHECK(big.error().kind == Exit::damaged);
  CHECK(big.error().text.find("max_size") != std::string::npos);
  std::string endless;
  while (endless.size() < 1'100'000) endless += "X-Filler: " + std::string(900, 'x') + "\n";
  CHECK(content(endless).find("empty line") != std::string::npos);
  CHECK(content(cat("X: ", std::string(1'100'000, 'x'), "\n")).find("empty line") != std::string::npos);
}

TEST_CASE("message: what is longer than the memory for it is read in part") {
  auto message = read(to({"r"}), "\n" + std::string(5'000'000, 'x'));
  REQUIRE(message.has_value());
  CHECK_FALSE(message->whole);
  CHECK(message->read.size() >= kMostInMemory);
  CHECK(message->read.size() < kMostInMemory + 200'000);
  CHECK(read(to({"r"}), "\nx\n")->whole);
}

TEST_CASE("message: what cannot be read is no message") {
  Input closed(-1, true, kMaxSize);
  CHECK(read_message(to({"r"}), {"me"}, closed).error().kind == Exit::no_input);
  Fd folder(::open("/", O_RDONLY | O_CLOEXEC));
  Input directory(folder.get(), true, kMaxSize);
  CHECK(read_message(to({"r"}), {"me"}, directory).error().kind == Exit::no_input);
}

TEST_CASE("message: the envelope becomes SMTP") {
  Envelope envelope;
  envelope.sender = "me";
  envelope.recipients = {"a@b", "root"};
  CHECK(mail_command(envelope, std::nullopt) == "MAIL FROM:<me>\r\n");
  CHECK(mail_command(envelope, 5) == "MAIL FROM:<me> SIZE=5\r\n");
  CHECK(rcpt_commands(envelope, envelope.recipients) == "RCPT TO:<a@b>\r\nRCPT TO:<root>\r\n");
  envelope = {.sender = "",
              .recipients = {"a@b"},
              .notify = "SUCCESS,DELAY",
              .ret = "HDRS",
              .envid = "a+b",
              .body = "8BITMIME",
              .smtputf8 = true};
  CHECK(mail_command(envelope, std::nullopt) ==
        "MAIL FROM:<> BODY=8BITMIME RET=HDRS ENVID=a+2Bb SMTPUTF8\r\n");
  CHECK(rcpt_commands(envelope, envelope.recipients) == "RCPT TO:<a@b> NOTIFY=SUCCESS,DELAY\r\n");
}
