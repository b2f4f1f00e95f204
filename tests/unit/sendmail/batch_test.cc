// SPDX-License-Identifier: MIT
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "daemon/base/error.h"
#include "daemon/base/text.h"
#include "daemon/sendmail/smtp_pipe.h"
#include "doctest/doctest.h"
#include "tests/unit/sendmail/given_input.h"

using namespace hikyaku;
using namespace hikyaku::sendmail;

namespace {

// A daemon that takes no recipient with "bad" in it. Keeps the lines it has got.
class FakeDaemon {
 public:
  explicit FakeDaemon(std::string hangs_up_at = "nothing") : hangs_up_at_(std::move(hangs_up_at)) {
    int ends[2];
    check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "a pipe");
    ours_.reset(ends[0]);
    theirs_.reset(ends[1]);
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeDaemon() { wait(); }

  Fd connection() { return std::move(theirs_); }
  const std::vector<std::string>& wait() {
    if (thread_.joinable()) thread_.join();
    return lines_;
  }

 private:
  void serve() {
    say("220 here");
    bool has_recipient = false;
    while (auto line = next()) {
      lines_.push_back(*line);
      if (line->starts_with(hangs_up_at_)) break;
      if (*line == "DATA") {
        say(has_recipient ? "354 go" : "503 no");
        if (has_recipient) swallow();
        has_recipient = false;
      } else if (line->starts_with("RCPT")) {
        bool is_bad = line->find("bad") != line->npos;
        has_recipient |= !is_bad;
        say(is_bad ? "550 5.1.1 no" : "250 ok");
      } else if (line->starts_with("BDAT 3 ")) {
        while (bytes_.size() < 3 && more()) continue;
        lines_.push_back(bytes_.substr(0, 3));
        bytes_.erase(0, 3);
        say("250 chunk");
      } else {
        say(*line == "QUIT" ? "221 bye" : "250 ok");
        if (*line == "QUIT") break;
      }
    }
    ours_.reset();
  }

  void swallow() {
    for (auto line = next(); line && *line != "."; line = next()) lines_.push_back(*line);
    say("250 stored");
  }

  bool more() {
    char piece[4096];
    ssize_t got = ::read(ours_.get(), piece, sizeof piece);
    if (got > 0) bytes_.append(piece, static_cast<std::size_t>(got));
    return got > 0;
  }

  std::optional<std::string> next() {
    while (bytes_.find("\r\n") == bytes_.npos)
      if (!more()) return std::nullopt;
    std::size_t end = bytes_.find("\r\n");
    std::string line = bytes_.substr(0, end);
    bytes_.erase(0, end + 2);
    return line;
  }

  void say(std::string_view reply) {
    std::string line = cat(reply, "\r\n");
    ::send(ours_.get(), line.data(), line.size(), MSG_NOSIGNAL);
  }

  std::string hangs_up_at_;
  Fd ours_;
  Fd theirs_;
  std::string bytes_;
  std::vector<std::string> lines_;
  std::thread thread_;
};

struct Carried {
  std::vector<std::string> lines;
  std::string codes;
  Exit exit;
};

Carried carry(std::string_view input, const std::string& hangs_up_at = "nothing") {
  test::GivenInput given(input);
  FakeDaemon daemon(hangs_up_at);
  Carried carried{};
  carried.exit = carry_batch(daemon.connection(), given.fd(), [&carried](std::string_view reply) {
    carried.codes += cat(reply.substr(0, 3), " ");
    return true;
  });
  carried.lines = daemon.wait();
  return carried;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("batch: every mail is carried to the daemon, whatever its line ends, dots as they are") {
  for (std::string_view end : {"\r\n", "\n"}) {
    std::string input;
    for (std::string_view line :
         {"HELO x", "MAIL FROM:<a@b>", "RCPT TO:<c@d>", "DATA", "..x", "RSET", ".", "QUIT"})
      input += cat(line, end);
    auto carried = carry(input);
    CHECK(carried.codes == "220 250 250 250 354 250 221 ");
    CHECK(carried.lines ==
          Lines{"HELO x", "MAIL FROM:<a@b>", "RCPT TO:<c@d>", "DATA", "..x", "RSET", "QUIT"});
    CHECK(carried.exit == Exit::ok);
  }
}

TEST_CASE("batch: the daemon never sees a message whose DATA it has refused, and gets the next one") {
  auto carried = carry(
      "MAIL FROM:<a@b>\r\nRCPT TO:<bad@d>\r\nDATA\r\nMAIL FROM:<evil@b>\r\nRCPT "
      "TO:<v@d>\r\nDATA\r\nx\r\n.\r\n"
      "RSET\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\ny\r\n.\r\n");
  CHECK(carried.codes == "220 250 550 503 250 250 250 354 250 ");
  CHECK(carried.lines == Lines{"MAIL FROM:<a@b>", "RCPT TO:<bad@d>", "DATA", "RSET", "MAIL FROM:<a@b>",
                               "RCPT TO:<c@d>", "DATA", "y"});
}

TEST_CASE("batch: chunks are carried as they are") {
  CHECK(carry("MAIL FROM:<a@b>\nBDAT 3 LAST\nDATQUIT\n").lines ==
        Lines{"MAIL FROM:<a@b>", "BDAT 3 LAST", "DAT", "QUIT"});
}

TEST_CASE("batch: input that ends inside a message, and a daemon that hangs up, are told") {
  std::string_view begin = "RCPT TO:<c@d>\r\nDATA\r\nx\r\n";
  auto half = carry(begin);
  CHECK(half.codes == "220 250 354 451 ");
  auto lost = carry(cat(begin, ".\r\nNOOP\r\n"), "RCPT");
  CHECK(lost.codes == "220 421 ");
  CHECK(lost.exit == Exit::try_again);
  CHECK(carry("BDAT 3 LAST\r\nx").codes == "220 451 ");
  CHECK(carry(std::string(300'000, 'x')).codes == "220 500 ");
}

TEST_CASE("batch: the first bad reply is what counts, in any cut") {
  BatchReplies good;
  good.take("220 x\r\n250-a\r\n250 b\r\n354 go\r\n");
  CHECK(good.verdict().has_value());
  BatchReplies bad;
  for (char c : std::string_view("250 a\r\n550 5.1.1 \x1bno\r\n451 later\r\n")) bad.take({&c, 1});
  REQUIRE_FALSE(bad.verdict().has_value());
  CHECK(bad.verdict().error().kind == Exit::damaged);
  CHECK(bad.verdict().error().text.find('\x1b') == std::string::npos);
  BatchReplies later;
  later.take("451 later\n");
  CHECK(later.verdict().error().kind == Exit::try_again);
}
