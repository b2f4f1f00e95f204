// SPDX-License-Identifier: MIT
#include "daemon/sendmail/drop.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <limits>

#include "daemon/base/checksum.h"
#include "daemon/base/text.h"
#include "daemon/mail/drop_format.h"
#include "daemon/sendmail/process_hygiene.h"
#include "doctest/doctest.h"
#include "tests/unit/sendmail/drop_place.h"

using namespace hikyaku;
using namespace hikyaku::sendmail;

namespace {

constexpr std::string_view kCommands = "MAIL FROM:<me>\r\nRCPT TO:<a@b>\r\n";

// What stands behind the first line, which must tell the truth about it.
std::string checked(const std::string& file) {
  auto header = mail::decode_drop_header(std::string_view(file).substr(0, mail::kDropHeader));
  REQUIRE(header.has_value());
  std::string rest = file.substr(mail::kDropHeader);
  CHECK(header->length == rest.size());
  CHECK(header->checksum == checksum(rest, mail::kDropSeed));
  return rest;
}

}  // namespace

TEST_CASE("drop: a committed draft is one file with the agreed name, mode and content") {
  test::DropPlace place;
  auto directory = DropDirectory::open(place.path());
  REQUIRE(directory.has_value());
  auto draft = Draft::begin(*directory, kCommands);
  REQUIRE(draft.has_value());
  CHECK((*draft)->append("A: b\r\n\r\n").has_value());
  CHECK((*draft)->append("body\r\n").has_value());
  REQUIRE(place.names().size() == 1);
  CHECK(place.names()[0].starts_with('.'));
  CHECK((*draft)->commit().has_value());
  draft->reset();
  REQUIRE(place.names().size() == 1);
  CHECK(mail::is_drop_name(place.names()[0]));
  CHECK(checked(place.content()) == cat(kCommands, "BDAT 00000000000000000014 LAST\r\nA: b\r\n\r\nbody\r\n"));
  struct stat found{};
  REQUIRE(::stat((place.path() + "/" + place.names()[0]).c_str(), &found) == 0);
  CHECK((found.st_mode & 07777) == 0640);
  CHECK(found.st_uid == ::getuid());
}

TEST_CASE("drop: the mode is exact whatever the umask") {
  for (mode_t mask : {0u, 0777u}) {
    mode_t before = ::umask(mask);
    test::DropPlace place;
    auto directory = DropDirectory::open(place.path());
    auto draft = Draft::begin(*directory, kCommands);
    struct stat found{};
    CHECK(::stat((place.path() + "/" + place.names()[0]).c_str(), &found) == 0);
    CHECK((found.st_mode & 07777) == 0640);
    ::umask(before);
  }
}

TEST_CASE("drop: what is not committed leaves nothing, and an empty message is one") {
  test::DropPlace place;
  auto directory = DropDirectory::open(place.path());
  {
    auto draft = Draft::begin(*directory, kCommands);
    CHECK(place.names().size() == 1);
  }
  CHECK(place.names().empty());
  auto draft = Draft::begin(*directory, kCommands);
  CHECK((*draft)->commit().has_value());
  CHECK(checked(place.content()).ends_with("BDAT 00000000000000000000 LAST\r\n"));
}

TEST_CASE("drop: a draft can be read back, from the first byte of its content, as often as needed") {
  test::DropPlace place;
  auto directory = DropDirectory::open(place.path());
  auto draft = Draft::begin(*directory, kCommands);
  std::string content;
  while (content.size() < 1'000'000) content += "a line of some letters\r\n";
  MemoryContent memory(content);
  REQUIRE((*draft)->append_all(memory).has_value());
  FileContent file = (*draft)->content();
  CHECK(file.size() == content.size());
  for (int round = 0; round < 2; ++round) {
    std::string read;
    REQUIRE(file.rewind());
    for (auto piece = file.next(); piece && !piece->empty(); piece = file.next()) read += *piece;
    CHECK(read == content);
  }
}

TEST_CASE("drop: a directory that is not what it should be is not written into") {
  for (mode_t mode : {0700u, 0777u, 01777u, 0730u, 01700u, 01720u, 01732u}) {
    CAPTURE(mode);
    test::DropPlace place(mode);
    auto directory = DropDirectory::open(place.path());
    REQUIRE_FALSE(directory.has_value());
    CHECK(directory.error().kind == Exit::try_again);
    CHECK(directory.error().text.find("1730") != std::string::npos);
  }
  test::DropPlace place;
  std::string link = place.path() + ".link";
  REQUIRE(::symlink(place.path().c_str(), link.c_str()) == 0);
  CHECK_FALSE(DropDirectory::open(link).has_value());
  ::unlink(link.c_str());
  CHECK_FALSE(DropDirectory::open(place.path() + "/nowhere").has_value());
  CHECK_FALSE(DropDirectory::open("/etc/passwd").has_value());
}

TEST_CASE("drop: a limit on the size of files is an error that leaves nothing") {
  test::DropPlace place;
  pid_t child = ::fork();
  if (child == 0) {
    watch_signals();
    rlimit limit{1024, 1024};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    auto directory = DropDirectory::open(place.path());
    auto draft = Draft::begin(*directory, kCommands);
    bool refused = draft && !(*draft)->append(std::string(5000, 'x'));
    draft->reset();
    ::_exit(refused ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(place.names().empty());
}

TEST_CASE("drop: a signal removes the draft and says 75; one that waits comes later") {
  for (int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGXCPU, SIGUSR1}) {
    CAPTURE(number);
    test::DropPlace place;
    pid_t child = ::fork();
    if (child == 0) {
      std::signal(number, SIG_DFL);
      watch_signals();
      auto directory = DropDirectory::open(place.path());
      auto draft = Draft::begin(*directory, kCommands);
      {
        SignalBlock signal_block;
        ::kill(::getpid(), number);
        if (place.names().size() != 1) ::_exit(1);
      }
      ::_exit(2);
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == static_cast<int>(Exit::try_again));
    CHECK(place.names().empty());
  }
}

TEST_CASE("drop: a draft is locked as long as its writer lives, so that the daemon knows a dead one") {
  test::DropPlace place;
  auto directory = DropDirectory::open(place.path());
  auto draft = Draft::begin(*directory, kCommands);
  REQUIRE(place.names().size() == 1);
  Fd other(::open((place.path() + "/" + place.names()[0]).c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(other);
  CHECK(::flock(other.get(), LOCK_EX | LOCK_NB) != 0);
  draft->reset();
  CHECK(::flock(other.get(), LOCK_EX | LOCK_NB) == 0);
}

TEST_CASE("drop: what min_free keeps is not for drafts") {
  test::DropPlace place;
  auto directory = DropDirectory::open(place.path(), std::numeric_limits<std::uint64_t>::max());
  REQUIRE(directory.has_value());
  auto draft = Draft::begin(*directory, kCommands);
  REQUIRE_FALSE(draft.has_value());
  CHECK(draft.error().kind == Exit::try_again);
  CHECK(draft.error().text.find("`spool.min_free`") != std::string::npos);
  CHECK(place.names().empty());
}
