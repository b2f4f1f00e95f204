// SPDX-License-Identifier: MIT
#include "daemon/tryout/mail_folder.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>

#include "daemon/base/json.h"
#include "daemon/io/loop.h"
#include "daemon/system/files.h"
#include "daemon/system/temporary_directory.h"

using namespace hikyaku;
using namespace hikyaku::tryout;

namespace {

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(directory))
    names.push_back(file.path().filename().string());
  return names;
}

mail::Envelope envelope() {
  mail::Envelope made;
  made.sender = "\"a b\"@example.com";
  made.recipients.resize(2);
  made.recipients[0].address = "c@example.com";
  made.recipients[0].notify.failure = made.recipients[0].notify.delay = true;
  made.recipients[0].orcpt = "rfc822;d@example.com";
  made.recipients[1].address = "ü@example.com";
  made.smtputf8 = true;
  made.envid = "E1";
  return made;
}

Task<bool> store(mail::MailWriter& writer, std::string content) {
  auto first = co_await writer.write(content.substr(0, 3));
  auto second = co_await writer.write(content.substr(3));
  auto done = co_await writer.commit(envelope());
  co_return first&& second&& done;
}

}  // namespace

TEST_CASE("app: a mail becomes its content as it came, and its envelope as JSON") {
  system::TemporaryDirectory place("hikyaku-test");
  ManualClock clock;
  io::Loop loop(clock);
  MailFolder folder(place.path(), clock);
  auto writer = folder.begin();
  REQUIRE(writer);
  mail::MailId id = (*writer)->id();
  REQUIRE(loop.run(store(**writer, "Subject: x\r\n\r\n.\r\n")));
  CHECK(system::read_whole_file(folder.content_file(id)) == "Subject: x\r\n\r\n.\r\n");
  CHECK(system::read_whole_file(folder.envelope_file(id)) ==
        "{\"id\":\"" + mail::to_text(id) +
            R"(","size":17,"sender":"\"a b\"@example.com","recipients":[)"
            R"({"address":"c@example.com","notify":["failure","delay"],"orcpt":"rfc822;d@example.com"},)"
            R"({"address":"ü@example.com","notify":[],"orcpt":null}],)"
            R"("ret":null,"envid":"E1","body":null,"smtputf8":true,"uid":null})"
            "\n");
  CHECK(names_in(place.path()).size() == 2);
}

TEST_CASE("app: a mail that is not committed leaves nothing behind, and is not there before") {
  system::TemporaryDirectory place("hikyaku-test");
  ManualClock clock;
  io::Loop loop(clock);
  MailFolder folder(place.path(), clock);
  auto writer = folder.begin();
  REQUIRE(writer);
  REQUIRE(loop.run((*writer)->write("Subject: x\r\n")));
  for (const std::string& name : names_in(place.path())) CHECK(name.ends_with(".part"));
  writer->reset();
  CHECK(names_in(place.path()).empty());
}

TEST_CASE("app: two folders in one directory, one after the other, do not meet") {
  system::TemporaryDirectory place("hikyaku-test");
  ManualClock clock;
  io::Loop loop(clock);
  for (int run = 0; run < 2; ++run) {
    MailFolder folder(place.path(), clock);
    for (int i = 0; i < 3; ++i) REQUIRE(loop.run(store(*folder.begin().value(), "Subject: x\r\n")));
    clock.advance(1s);
  }
  CHECK(names_in(place.path()).size() == 12);
}

TEST_CASE("app: a directory that is not there is an error of the sink") {
  ManualClock clock;
  MailFolder folder("/nonexistent", clock);
  auto writer = folder.begin();
  REQUIRE_FALSE(writer);
  CHECK(writer.error().kind == mail::SinkErrorKind::write_failed);
}

TEST_CASE("app: a temporary directory is private, and goes with all that is in it") {
  std::string path;
  {
    system::TemporaryDirectory place("hikyaku-test");
    path = place.path();
    std::filesystem::create_directories(place.file("a/b"));
    system::write_new_file(place.file("a/b/c"), "x");
    CHECK(std::filesystem::status(path).permissions() == std::filesystem::perms::owner_all);
    CHECK_THROWS(system::write_new_file(place.file("a/b/c"), "y"));
  }
  CHECK_FALSE(std::filesystem::exists(path));
}
