// SPDX-License-Identifier: MIT
#include "daemon/log/journal.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "daemon/base/error.h"
#include "daemon/base/text.h"
#include "daemon/log/mail_log.h"
#include "doctest/doctest.h"

namespace hikyaku::log {
namespace {

using Fields = std::multimap<std::string, std::string>;

// Reads an entry as journald does (systemd.io/JOURNAL_NATIVE_PROTOCOL).
Fields fields_of(std::string_view entry) {
  Fields fields;
  while (!entry.empty()) {
    const std::size_t end = entry.find('\n');
    REQUIRE(end != entry.npos);
    const std::string_view line = entry.substr(0, end);
    const std::size_t equals = line.find('=');
    std::size_t length = equals == line.npos ? 0 : line.size() - equals - 1;
    std::size_t begin = equals + 1;
    if (equals == line.npos) {
      REQUIRE(entry.size() >= end + 9);
      for (std::size_t i = 0; i < 8; ++i)
        length |= std::size_t{static_cast<unsigned char>(entry[end + 1 + i])} << (8 * i);
      begin = end + 9;
    }
    REQUIRE(entry.size() > begin + length);
    CHECK(entry[begin + length] == '\n');
    fields.emplace(line.substr(0, equals), entry.substr(begin, length));
    entry.remove_prefix(begin + length + 1);
  }
  return fields;
}

std::string one(const Fields& fields, const std::string& name) {
  REQUIRE(fields.count(name) == 1);
  return fields.find(name)->second;
}

// Listens where journald would.
class Journald {
 public:
  Journald() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  ~Journald() { std::filesystem::remove_all(folder_); }

  std::string path() const { return cat(folder_, "/socket"); }
  void stop() { socket_.reset(); }
  // The next entry; it comes, or the test hangs. nullopt with `if_there`: there is none.
  std::optional<std::string> read(bool if_there = false) const {
    std::string entry(300'000, '\0');
    const ssize_t length = ::recv(socket_.get(), entry.data(), entry.size(), if_there ? MSG_DONTWAIT : 0);
    if (length < 0) return std::nullopt;
    entry.resize(static_cast<std::size_t>(length));
    return entry;
  }

 private:
  std::string make_folder() {
    std::string name = cat(std::filesystem::temp_directory_path().string(), "/journal-XXXXXX");
    check(::mkdtemp(name.data()) != nullptr, "no directory for the test");
    return name;
  }
  std::string folder_ = make_folder();
  Fd socket_;
};

// A log for a journal, and what goes to standard error instead.
struct JournalLog {
  ManualClock clock{false};
  std::vector<std::string> lines;
  std::function<void()> write_now;
  MailLog log;

  JournalLog(const std::string& path, LogFormat format = LogFormat::text,
             LogAddresses addresses = LogAddresses::plain)
      : log(clock, {.format = format, .journal = true, .journal_socket = path, .addresses = addresses},
            [this](LogLevel, std::string_view line) { lines.emplace_back(line); }) {}
};

Outcome an_outcome() {
  Outcome outcome;
  outcome.id = "1c";
  outcome.from = "a@example.com";
  outcome.to = "b@example.org";
  outcome.smarthost = "main";
  outcome.address = Endpoint::parse("192.0.2.1:587");
  outcome.reply = "250 2.0.0 queued";
  return outcome;
}

}  // namespace

TEST_CASE("journal: an entry has the line, its priority, and each field by a name of its own") {
  Line line{LogLevel::warning, "deferred", "", {{"id", std::string("1c")}, {"next_probe", std::uint64_t{7}}}};
  line.fields.push_back({"to", std::vector<Address>{{"a@x.example"}, {"b@x.example"}}});
  line.fields.push_back({"from", Address{""}});
  line.smarthost = "main";
  const Fields fields = fields_of(to_journal_entry(line, "warning deferred id=1c"));
  CHECK(one(fields, "MESSAGE") == "warning deferred id=1c");
  CHECK(one(fields, "PRIORITY") == "4");
  CHECK(one(fields, "SYSLOG_IDENTIFIER") == "hikyakud");
  CHECK(one(fields, "HIKYAKU_EVENT") == "deferred");
  CHECK(one(fields, "HIKYAKU_SMARTHOST") == "main");
  CHECK(one(fields, "HIKYAKU_ID") == "1c");
  CHECK(one(fields, "HIKYAKU_NEXT_PROBE") == "7");
  CHECK(one(fields, "HIKYAKU_FROM").empty());
  CHECK(fields.count("HIKYAKU_TO") == 2);
}

TEST_CASE("journal: of a long list the first ten addresses are told, as in a line") {
  Line line{LogLevel::info, "accepted", "", {{"to", std::vector<Address>(25, {"a@x.example"})}}};
  CHECK(fields_of(to_journal_entry(line, "x")).count("HIKYAKU_TO") == kMostAddresses);
}

TEST_CASE("journal: a text with line ends has its length in front, and cannot pretend to be a field") {
  const std::string entry = to_journal_entry({}, "one\nHIKYAKU_ID=forged\n");
  CHECK(entry.starts_with(std::string("MESSAGE\n\x16\0\0\0\0\0\0\0one\nHIKYAKU_ID=forged\n\n", 39)));
  const Fields fields = fields_of(entry);
  CHECK(one(fields, "MESSAGE") == "one\nHIKYAKU_ID=forged\n");
  CHECK(fields.count("HIKYAKU_ID") == 0);
}

TEST_CASE("journal: what a peer has sent is made printable in the fields, too") {
  Line line{LogLevel::info, "delivered", "", {{"reply", std::string("250 a\nHIKYAKU_ID=forged\x1b[31m")}}};
  const Fields fields = fields_of(to_journal_entry(line, "x"));
  CHECK(one(fields, "HIKYAKU_REPLY") == "250 a HIKYAKU_ID=forged\\x1b[31m");
}

TEST_CASE("journal: lines of one turn are written together, each an entry, and none to standard error") {
  Journald journald;
  JournalLog log(journald.path());
  log.log.gather([&](std::function<void()> write) { log.write_now = std::move(write); });
  log.log.accepted({"1c", "a@example.com", {"b@example.org"}, 2048, "127.0.0.1:4", "app", "ESMTP", {}});
  log.log.outcome(an_outcome());
  CHECK_FALSE(journald.read(true));
  log.write_now();
  const Fields accepted = fields_of(*journald.read());
  CHECK(one(accepted, "MESSAGE").starts_with("info accepted id=1c from=<a@example.com>"));
  CHECK(one(accepted, "PRIORITY") == "6");
  CHECK(one(accepted, "HIKYAKU_ID") == "1c");
  const Fields delivered = fields_of(*journald.read());
  CHECK(one(delivered, "HIKYAKU_EVENT") == "delivered");
  CHECK(one(delivered, "HIKYAKU_STATUS") == "delivered");
  CHECK(one(delivered, "HIKYAKU_SMARTHOST") == "main");
  CHECK(one(delivered, "HIKYAKU_REPLY") == "250 2.0.0 queued");
  CHECK(log.lines.empty());
}

TEST_CASE("journal: an error does not wait, and comes after the lines before it") {
  Journald journald;
  JournalLog log(journald.path());
  log.log.gather([&](std::function<void()> write) { log.write_now = std::move(write); });
  log.log.info("first");
  log.log.error("second");
  CHECK(one(fields_of(*journald.read()), "MESSAGE") == "info first");
  const Fields error = fields_of(*journald.read());
  CHECK(one(error, "MESSAGE") == "error second");
  CHECK(one(error, "PRIORITY") == "3");
}

TEST_CASE("journal: addresses are masked in the fields where the log has them masked") {
  Journald journald;
  JournalLog log(journald.path(), LogFormat::text, LogAddresses::masked);
  Outcome outcome = an_outcome();
  outcome.reply = "550 5.1.1 <b@example.org> unknown";
  log.log.outcome(outcome);
  const std::string entry = *journald.read();
  CHECK(one(fields_of(entry), "HIKYAKU_TO") == "b***@example.org");
  CHECK(entry.find("b@example.org") == std::string::npos);
  CHECK(entry.find("a@example.com") == std::string::npos);
}

TEST_CASE("journal: in Postfix's notation each line is an entry with the mail's fields") {
  Journald journald;
  JournalLog log(journald.path(), LogFormat::postfix);
  Outcome outcome = an_outcome();
  outcome.ends_mail = true;
  log.log.outcome(outcome);
  for (const char* words : {"status=sent", "removed"}) {
    const Fields fields = fields_of(*journald.read());
    CHECK(one(fields, "MESSAGE").starts_with("postfix/"));
    CHECK(one(fields, "MESSAGE").find(words) != std::string::npos);
    CHECK(one(fields, "HIKYAKU_ID") == "1c");
  }
}

TEST_CASE(
    "journal: where nobody listens lines go to standard error with their priority, until somebody does") {
  Journald gone;
  gone.stop();
  JournalLog log(gone.path());
  log.log.warning("x");
  CHECK(log.lines == std::vector<std::string>{"<4>warning x"});
  JournalLog nowhere("/nonexistent/journal");
  nowhere.log.info("y");
  CHECK(nowhere.lines == std::vector<std::string>{"<6>info y"});
}

// Its queue is as long as the kernel has it; nobody reads before all is sent.
TEST_CASE("journal: while journald is busy nobody waits for it, and it gets every line in order later") {
  Journald journald;
  constexpr int kLines = 5000;
  JournalSocket socket(journald.path());
  for (int i = 0; i < kLines; i += 2)
    REQUIRE(
        socket.send({to_journal_entry({}, std::to_string(i)), to_journal_entry({}, std::to_string(i + 1))}));
  for (int i = 0; i < kLines; ++i) REQUIRE(one(fields_of(*journald.read()), "MESSAGE") == std::to_string(i));
  CHECK_FALSE(journald.read(true));
}

TEST_CASE("journal: what is too much to be kept is lost, and the journal is told how much") {
  Journald journald;
  JournalSocket socket(journald.path());
  const std::size_t length = 100'000;
  const std::size_t lines = 2 * JournalSocket::kMostWaiting / length;
  for (std::size_t i = 0; i < lines; ++i)
    REQUIRE(socket.send({to_journal_entry({}, std::string(length, 'x'))}));
  std::size_t came = 0;
  std::string last;
  while (!last.ends_with("too long")) {
    last = one(fields_of(*journald.read()), "MESSAGE");
    came += last.size() == length;
  }
  CHECK(came >= JournalSocket::kMostWaiting / (length + 100));
  CHECK(came < lines);
  CHECK(last.starts_with(cat(std::to_string(lines - came), " lines of this log are lost")));
}

TEST_CASE("journal: a journald that stays busy does not keep the log from ending") {
  Journald journald;
  std::optional<JournalSocket> socket(std::in_place, journald.path());
  for (int i = 0; i < 5000; ++i) REQUIRE(socket->send({to_journal_entry({}, "x")}));
  socket.reset();
  CHECK(journald.read(true));
}

}  // namespace hikyaku::log
