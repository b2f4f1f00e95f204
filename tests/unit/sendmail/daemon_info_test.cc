// SPDX-License-Identifier: MIT
#include "daemon/sendmail/daemon_info.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "doctest/doctest.h"
#include "tests/unit/sendmail/drop_place.h"

using namespace hikyaku;
using namespace hikyaku::sendmail;

TEST_CASE("daemon info: what the daemon wrote is read, what is not known is passed over") {
  auto info = parse_daemon_info(
      "hikyaku-sendmail 1\nsubmit_socket /a/s p.sock\ncontrol_socket /a/c\ndrop /a/d\nlisten "
      "[::1]:25\nhostname h.x\n"
      "domain x\nmax_size 7\nmax_recipients 8\nmin_free 9\naliases /a/l\nlocal_mail o@x\nlater "
      "thing\n\nmax_size\n");
  REQUIRE(info.has_value());
  DaemonInfo expected{"/a/s p.sock", "/a/c", "/a/d", "[::1]:25", "h.x", "x", "/a/l", "o@x", 7, 8, 9};
  CHECK(*info == expected);
  CHECK(parse_daemon_info("hikyaku-sendmail 1") == DaemonInfo());
}

TEST_CASE("daemon info: anything else is not read at all") {
  for (const char* text : {"", "root:x:0:0\n", "hikyaku-sendmail 2\ndrop /x\n", "#\nhikyaku-sendmail 1\n",
                           "hikyaku-sendmail 1 \n", "hikyaku-sendmail 1\r\n"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_daemon_info(text).has_value());
  }
}

TEST_CASE("daemon info: values that make no sense leave what is compiled in") {
  CHECK(parse_daemon_info(
            "hikyaku-sendmail 1\ndrop relative\nmax_size -1\nmax_recipients 0\nhostname a b\ndomain \x1b\n"
            "listen\nsubmit_socket\n") == DaemonInfo());
}

TEST_CASE("daemon info: only a regular file counts, and nothing waits for another") {
  test::DropPlace place(0700);
  std::string path = place.path() + "/conf";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK(find_daemon_info(path) == find_daemon_info(""));
  ::unlink(path.c_str());
  CHECK(find_daemon_info(path) == find_daemon_info(""));
  CHECK(find_daemon_info("/dev/zero") == find_daemon_info(""));
  std::ofstream(path) << "hikyaku-sendmail 1\ndomain found.example\n";
  CHECK(find_daemon_info(path).domain == "found.example");
}
