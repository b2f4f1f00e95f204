// SPDX-License-Identifier: MIT
// What a spool that takes no new mail says of it, and when.
#include "spool/trouble.h"

#include <algorithm>

#include "tests/unit/spool/spool_fixture.h"

namespace hikyaku::spool {
namespace {

constexpr std::string_view kPlace = "/var/spool/hikyaku";

std::string words(std::errc error, std::string text) {
  return describe(trouble_with(DiskError{error, std::move(text)}, {.free_bytes = 3 << 20}), kPlace, 64_MiB);
}

// "" for each time that a trouble was over.
struct ToldFixture : SpoolFixture {
  std::vector<std::string> told;

  void listen() {
    spool->set_on_trouble([this](const std::optional<Trouble>& trouble) {
      told.push_back(trouble ? describe(*trouble, "S", options.min_free) : "");
    });
  }
  std::size_t times_told(std::string_view what) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(told, [&](const std::string& text) { return text.find(what) != text.npos; }));
  }
  std::size_t times_over() const { return static_cast<std::size_t>(std::ranges::count(told, "")); }
};

}  // namespace

TEST_CASE("spool trouble: people are told what is wrong, what to do, and what happens meanwhile") {
  auto full = trouble_with(DiskSpace{.free_bytes = 31'000'000, .free_inodes = 1000}, 64_MiB, 0);
  REQUIRE(full);
  CHECK(describe(*full, kPlace, 64_MiB) ==
        "the disk of /var/spool/hikyaku is full: 29MiB are free, less than `spool.min_free`, 64MiB: make "
        "room on "
        "it, or lower `min_free`; until then new mail is refused (452), while queued mail is still sent");
  auto inodes = trouble_with(DiskSpace{.free_bytes = 1 << 30, .free_inodes = 3}, 64_MiB, 0);
  REQUIRE(inodes);
  CHECK(
      describe(*inodes, kPlace, 64_MiB) ==
      "the file system of /var/spool/hikyaku is full: it has 3 free inodes left: remove files there that are "
      "not needed; until then new mail is refused (452), while queued mail is still sent");
  auto mounted =
      trouble_with(DiskSpace{.free_bytes = 1 << 30, .free_inodes = 1000, .is_read_only = true}, 64_MiB, 0);
  REQUIRE(mounted);
  CHECK(describe(*mounted, kPlace, 64_MiB).find(" is read-only (") != std::string::npos);
  CHECK_FALSE(trouble_with(DiskSpace{.free_bytes = 1 << 30, .free_inodes = 1000}, 64_MiB, 1000));
  CHECK(trouble_with(DiskSpace{.free_bytes = 1 << 30, .free_inodes = 1000}, 64_MiB, 1 << 30));
}

TEST_CASE("spool trouble: each error of the system has its own words") {
  CHECK(
      words(std::errc::no_space_on_device, "write log/1: No space left on device") ==
      "the disk of /var/spool/hikyaku is full (write log/1: No space left on device; 3072KiB are free): make "
      "room on it; until then new mail is refused (452), while queued mail is still sent");
  CHECK(
      words(static_cast<std::errc>(EDQUOT), "allocate log/2: Disk quota exceeded") ==
      "the daemon's user has used up its disk quota in /var/spool/hikyaku (allocate log/2: Disk quota "
      "exceeded): raise the quota, or make room; until then new mail is refused (452), while queued mail is "
      "still sent");
  CHECK(
      words(std::errc::read_only_file_system, "write log/1: Read-only file system") ==
      "the file system of /var/spool/hikyaku is read-only (write log/1: Read-only file system): find out why "
      "(see dmesg), repair it, and mount it writable; until then new mail is refused (451)");
  CHECK(words(std::errc::no_such_file_or_directory, "statvfs: No such file or directory") ==
        "the directory /var/spool/hikyaku is not in its place (statvfs: No such file or directory): bring it "
        "back; until then new mail is refused (451)");
  CHECK(words(std::errc::too_many_files_open, "create large/7: Too many open files").find("LimitNOFILE=") !=
        std::string::npos);
  CHECK(words(std::errc::io_error, "flush log/1: Input/output error") ==
        "the spool in /var/spool/hikyaku cannot be written (flush log/1: Input/output error): check the disk "
        "and "
        "its connection (see dmesg); until then new mail is refused (451)");
}

TEST_CASE_FIXTURE(ToldFixture,
                  "spool: a full disk is told at the first refusal, once a day, and when it is over") {
  options.min_free = 1_MiB;
  REQUIRE(start() == std::nullopt);
  listen();
  CHECK(told.empty());
  disk->fill_up(500'000);
  for (int i = 0; i < 10; ++i) CHECK_FALSE(spool->begin());
  REQUIRE(told.size() == 1);
  CHECK(told[0].find("488KiB are free") != std::string::npos);
  CHECK(spool->trouble());
  pass(24h);
  CHECK(told.size() == 2);
  disk->heal();
  pass(1s);
  CHECK(spool->begin());
  CHECK_FALSE(spool->trouble());
  CHECK(times_over() == 0);  // it might come back
  pass(10s);
  CHECK(times_over() == 1);
  CHECK(told.size() == 3);
}

TEST_CASE_FIXTURE(ToldFixture,
                  "spool: a disk that is full every few seconds is not told of every few seconds") {
  options.min_free = 1_MiB;
  REQUIRE(start() == std::nullopt);
  listen();
  for (int i = 0; i < 600; ++i) {
    disk->fill_up(500'000);
    CHECK_FALSE(spool->begin());
    pass(2s);
    disk->heal();
    pass(8s);
  }
  CHECK(times_told("is full") == 2);
  CHECK(times_over() == 1);
}

TEST_CASE_FIXTURE(ToldFixture, "spool: what was wrong before anybody listened is told as well") {
  options.min_free = 1_MiB;
  disk->fill_up(600'000);
  REQUIRE(start() == std::nullopt);
  listen();
  CHECK(times_told("is full") == 1);
}

TEST_CASE_FIXTURE(ToldFixture,
                  "spool: a quota, which no look at the disk shows, is told when it refuses mail") {
  REQUIRE(start() == std::nullopt);
  listen();
  disk->fail_at(test::DiskStep::allocate, 1, static_cast<std::errc>(EDQUOT), 1'000'000);
  std::optional<mail::SinkErrorKind> refused;
  for (int calm = 0; calm < 10;) {  // the log makes room in itself as long as it can
    auto last = try_accept(std::string(3000, 'q'));
    calm = last ? 0 : calm + 1;
    if (!last) refused = last.error().kind;
    if (!last) pass(1s);
  }
  CHECK(refused == mail::SinkErrorKind::no_space);
  CHECK(times_told("quota") >= 1);
  std::size_t lines = told.size();
  pass(1h);
  CHECK(told.size() == lines);
  CHECK(spool->trouble());
  disk->heal();
  pass(20min);
  CHECK_FALSE(spool->trouble());  // though nobody has tried
  CHECK(told.back().empty());
  CHECK(try_accept(std::string(6000, 'q')));
}

TEST_CASE_FIXTURE(ToldFixture, "spool: a large body that cannot be written is told of, small mail goes on") {
  REQUIRE(start() == std::nullopt);
  accept("small");
  listen();
  disk->fail_at(test::DiskStep::create, 1, static_cast<std::errc>(EDQUOT), 1'000'000);
  CHECK_FALSE(try_accept(std::string(100'000, 'l')));
  CHECK(times_told("quota") == 1);
  CHECK(try_accept("small"));
  CHECK(spool->trouble());
  pass(1h);
  CHECK(spool->trouble());
  CHECK(told.size() == 1);
  disk->heal();
  pass(10s);
  CHECK_FALSE(spool->trouble());
  CHECK(times_over() == 1);
}

TEST_CASE_FIXTURE(ToldFixture,
                  "spool: a file system that has turned read-only is told of, and that it is back") {
  REQUIRE(start() == std::nullopt);
  accept("before");
  listen();
  disk->set_read_only(true);
  CHECK_FALSE(try_accept("refused"));
  CHECK_FALSE(try_accept("refused"));
  CHECK(times_told("is read-only (") == 1);
  CHECK(told.size() == 1);
  disk->set_read_only(false);
  pass(10s);
  CHECK(times_over() == 1);
  CHECK(try_accept("after"));
}

TEST_CASE_FIXTURE(ToldFixture, "spool: below min_free a notice is stored, new mail is not") {
  options.min_free = 1_MiB;
  REQUIRE(start() == std::nullopt);
  disk->fill_up(500'000);
  CHECK_FALSE(spool->begin());
  auto notice = try_notice(3000);
  REQUIRE(notice);
  CHECK(queued() == std::vector{*notice});
}

}  // namespace hikyaku::spool
