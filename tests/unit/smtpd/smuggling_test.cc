// SPDX-License-Identifier: MIT
// SECURITY.md S1: whatever stands for an end of data elsewhere, here only CR LF dot CR LF is one.
#include "daemon/base/text.h"
#include "doctest/doctest.h"
#include "tests/support/peers/smtpd_rig.h"

using namespace hikyaku;

namespace {

const std::string kBegin = "EHLO a.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\n";
const std::string kSmuggled =
    "MAIL FROM:<evil@x.test>\r\nRCPT TO:<v@y.test>\r\nDATA\r\nSubject: x\r\n\r\nz\r\n.\r\n";

// Every sequence of one to `longest` of CR, LF and dot.
std::vector<std::string> sequences(std::size_t longest) {
  std::vector<std::string> all = {""};
  for (std::size_t begin = 0; all.back().size() < longest;) {
    std::size_t end = all.size();
    for (; begin < end; ++begin)
      for (char c : {'\r', '\n', '.'}) all.push_back(all[begin] + c);
  }
  return all;
}

bool is_end_of_data(const std::string& content) {
  return ("\r\n" + content).find("\r\n.\r\n") != content.npos;
}

bool is_canonical(std::string_view content) {
  for (std::size_t i = 0; i < content.size(); ++i) {
    if (content[i] == '\r' && (i + 1 == content.size() || content[i + 1] != '\n')) return false;
    if (content[i] == '\n' && (i == 0 || content[i - 1] != '\r')) return false;
  }
  return true;
}

// Plays it, and says what is wrong.
std::string try_to_smuggle(const std::string& prefix, const std::string& sequence) {
  test::SmtpdRig rig;
  std::string replies = rig.burst(kBegin + prefix + sequence + kSmuggled + "QUIT\r\n");
  std::string after = replies.substr(replies.find("354"));
  if (after !=
      "354 End with a line of a single dot\r\n250 2.0.0 Ok: queued as 0000000000001\r\n221 2.0.0 Bye\r\n")
    return cat("replies: ", printable(after));
  if (rig.sink.mails().size() != 1) return "not one mail";
  const test::StoredMail& mail = rig.sink.mails().front();
  if (mail.envelope.sender != "a@x.test" || mail.envelope.recipients.size() != 1) return "another envelope";
  if (!is_canonical(mail.content)) return cat("not repaired: ", printable(mail.content));
  return mail.content.find("MAIL FROM:<evil@x.test>\r\n") == std::string::npos ? "content lost" : "";
}

}  // namespace

TEST_CASE("smtpd: no mix of CR, LF and dots but the one ends the data") {
  std::size_t tried = 0;
  for (const std::string& prefix : {std::string("Subject: s\r\n\r\na"), std::string()}) {
    for (const std::string& sequence : sequences(5)) {
      if (is_end_of_data(prefix + sequence)) continue;
      CAPTURE(printable(sequence));
      CHECK(try_to_smuggle(prefix, sequence) == "");
      ++tried;
    }
  }
  CHECK(tried > 700);
}

TEST_CASE("smtpd: NUL and other bytes around a dot end nothing either") {
  for (std::string sequence : {"\r\n.\v\r\n", "\r\n\v.\r\n", "\r\n. \r\n", "\r\n.\x85\r\n", "\r\n.\f\r\n"}) {
    CAPTURE(printable(sequence));
    CHECK(try_to_smuggle("Subject: s\r\n\r\na", sequence) == "");
  }
}

TEST_CASE("smtpd: what follows a smuggling attempt is the next command, wherever the segments end") {
  for (std::size_t segment : {1UZ, 2UZ, 3UZ, 7UZ}) {
    test::SmtpdRig rig;
    rig.wire.largest_read = segment;
    std::string replies = rig.burst(kBegin + "S: s\r\n\r\na\n.\r\n" + kSmuggled + "NOOP\r\nQUIT\r\n");
    CHECK(replies.ends_with("queued as 0000000000001\r\n250 2.0.0 Ok\r\n221 2.0.0 Bye\r\n"));
    CHECK(rig.sink.mails().size() == 1);
  }
}
