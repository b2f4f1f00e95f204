// SPDX-License-Identifier: MIT
// The simulated disk is what the crash tests stand on, so it is tested itself: what must survive a cut does
// with every seed, and what may be lost is lost with some.
#include "tests/support/disk/sim_disk.h"

#include <map>
#include <set>

#include "doctest/doctest.h"

using namespace hikyaku;
using namespace hikyaku::spool;
using test::DiskStep;
using test::SimDisk;

namespace {

constexpr std::uint64_t kSeeds = 200;

std::string found(Disk& disk, std::string_view path) {
  auto file = disk.open_for_reading(path);
  if (!file) return "(none)";
  return read_exactly(**file, 0, (*file)->size().value()).value();
}

// Everything that `path` may be after a cut.
std::set<std::string> possible(const SimDisk& disk, std::string_view path) {
  std::set<std::string> contents;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) contents.insert(found(*disk.after_cut(seed), path));
  return contents;
}

std::unique_ptr<DiskFile> durable_file(SimDisk& disk, std::string_view path, std::string_view content) {
  auto file = disk.create(path).value();
  REQUIRE(write_all(*file, content, 0));
  REQUIRE(file->flush());
  REQUIRE(disk.sync_directory(""));
  return file;
}

std::string sectors(std::string_view letters) {
  std::string bytes;
  for (char letter : letters) bytes.append(512, letter);
  return bytes;
}

}  // namespace

TEST_CASE("simulated cut: flushed content under a synced name survives every seed") {
  SimDisk disk;
  auto file = durable_file(disk, "a", "here");
  CHECK(possible(disk, "a") == std::set<std::string>{"here"});
}

TEST_CASE("simulated cut: a flush does not make the name durable") {
  SimDisk disk;
  auto file = disk.create("a").value();
  REQUIRE(write_all(*file, "here", 0));
  REQUIRE(file->flush());
  CHECK(possible(disk, "a") == std::set<std::string>{"(none)", "here"});
}

TEST_CASE("simulated cut: a synced name does not make the content durable") {
  SimDisk disk;
  auto file = disk.create("a").value();
  REQUIRE(write_all(*file, "here", 0));
  REQUIRE(disk.sync_directory(""));
  auto contents = possible(disk, "a");
  CHECK(contents.contains(""));
  CHECK(contents.contains("here"));
  CHECK(contents.contains(std::string(4, '\0')));  // the length came through, the data did not
  CHECK_FALSE(contents.contains("(none)"));
}

TEST_CASE("simulated cut: each unflushed sector is old or new by itself") {
  SimDisk disk;
  auto file = durable_file(disk, "a", sectors("aaa"));
  REQUIRE(write_all(*file, sectors("bbb"), 0));
  std::set<std::string> contents;
  for (std::string_view mix : {"aaa", "aab", "aba", "abb", "baa", "bab", "bba", "bbb"})
    contents.insert(sectors(mix));
  CHECK(possible(disk, "a") == contents);
}

TEST_CASE("simulated cut: a sector written twice may show what stood there in between") {
  SimDisk disk;
  auto file = durable_file(disk, "a", sectors("a"));
  REQUIRE(write_all(*file, sectors("b"), 0));
  REQUIRE(write_all(*file, sectors("c"), 0));
  CHECK(possible(disk, "a") == std::set<std::string>{sectors("a"), sectors("b"), sectors("c")});
}

TEST_CASE("simulated cut: an appended piece of a sector never harms the durable bytes before it") {
  SimDisk disk;
  auto file = durable_file(disk, "a", "old");
  REQUIRE(write_all(*file, "new", 3));
  CHECK(possible(disk, "a") == std::set<std::string>{"old", std::string("old\0\0\0", 6), "oldnew"});
}

TEST_CASE("simulated cut: a new block may show what a deleted file held") {
  SimDisk disk;
  auto old = durable_file(disk, "old", sectors("x"));
  REQUIRE(disk.unlink("old"));
  auto file = durable_file(disk, "a", "");
  REQUIRE(write_all(*file, sectors("n"), 0));
  CHECK(possible(disk, "a").contains(sectors("x")));
}

TEST_CASE("simulated cut: a directory's changes are applied up to some point, never out of order") {
  SimDisk disk;
  REQUIRE(disk.create("a"));
  REQUIRE(disk.create("b"));
  REQUIRE(disk.unlink("a"));
  std::set<std::vector<std::string>> lists;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) lists.insert(disk.after_cut(seed)->list("").value());
  CHECK(lists == std::set<std::vector<std::string>>{{}, {"a"}, {"a", "b"}, {"b"}});
}

TEST_CASE("simulated cut: a rename is all or nothing and keeps the replaced file until then") {
  SimDisk disk;
  auto a = durable_file(disk, "a", "A");
  auto b = durable_file(disk, "b", "B");
  REQUIRE(disk.rename("a", "b"));
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    auto after = disk.after_cut(seed);
    bool is_renamed = found(*after, "a") == "(none)";
    CHECK(found(*after, "b") == (is_renamed ? "A" : "B"));
  }
  CHECK(possible(disk, "b").size() == 2);
  REQUIRE(disk.sync_directory(""));
  CHECK(possible(disk, "b") == std::set<std::string>{"A"});
}

TEST_CASE("simulated cut: an un-synced directory takes its files with it") {
  SimDisk disk;
  REQUIRE(disk.make_directory("log"));
  auto file = disk.create("log/a").value();
  REQUIRE(write_all(*file, "here", 0));
  REQUIRE(file->flush());
  REQUIRE(disk.sync_directory("log"));
  CHECK(possible(disk, "log/a") == std::set<std::string>{"(none)", "here"});
}

TEST_CASE("simulated cut: the same seed gives the same disk") {
  SimDisk disk;
  auto file = durable_file(disk, "a", sectors("aaaaaaaa"));
  REQUIRE(write_all(*file, sectors("bbbbbbbb"), 0));
  for (std::uint64_t seed = 0; seed < 20; ++seed)
    CHECK(found(*disk.after_cut(seed), "a") == found(*disk.after_cut(seed), "a"));
}

TEST_CASE(
    "simulated cut: at a numbered step a write may survive, a flush has not happened, nothing goes on") {
  for (std::uint64_t step = 1; step <= 4; ++step) {
    SimDisk disk;
    disk.cut_power_at(step);
    auto file = disk.create("a");  // 1
    CHECK(file.has_value() == (step > 1));
    if (file) CHECK(write_all(**file, "x", 0).has_value() == (step > 2));  // 2
    if (file) CHECK((*file)->flush().has_value() == (step > 3));           // 3
    CHECK_FALSE(disk.sync_directory(""));                                  // 4
    CHECK(disk.is_off());
    CHECK(disk.list("").error().kind == std::errc::no_such_device);
    CHECK(disk.create("b").error().kind == std::errc::no_such_device);
    CHECK(possible(disk, "a").contains("(none)"));
  }
}

TEST_CASE("simulated cut: a photograph of a step is what a cut at that step leaves") {
  auto play = [](SimDisk& disk) {
    auto file = disk.create("a");
    if (!file) return;
    (void)write_all(**file, sectors("old"), 0);
    (void)(*file)->flush();
    (void)disk.sync_directory("");
    (void)write_all(**file, sectors("new"), 0);
    (void)(*file)->flush();
    (void)disk.rename("a", "b");
  };
  SimDisk whole;
  std::map<std::uint64_t, std::unique_ptr<SimDisk>> photos;
  whole.photograph_at({1, 2, 3, 4, 5, 6, 7}, [&](std::uint64_t step, std::unique_ptr<SimDisk> disk) {
    photos.emplace(step, std::move(disk));
  });
  play(whole);
  REQUIRE(photos.size() == 7);
  for (const auto& [step, photo] : photos) {
    SimDisk cut;
    cut.cut_power_at(step);
    play(cut);
    CHECK(photo->is_off());
    CHECK(photo->steps() == step);
    for (std::string_view path : {"a", "b"}) CHECK(possible(*photo, path) == possible(cut, path));
  }
}

TEST_CASE("simulated kill: what was written is there, and may be lost in a later cut") {
  SimDisk disk;
  auto file = durable_file(disk, "a", "old");
  REQUIRE(write_all(*file, "new", 0));
  REQUIRE(disk.create("b"));
  auto after = disk.after_kill();
  CHECK(found(*after, "a") == "new");
  CHECK(found(*after, "b").empty());
  CHECK(possible(*after, "a") == std::set<std::string>{"old", "new"});
  CHECK(possible(*after, "b") == std::set<std::string>{"", "(none)"});
}

TEST_CASE("simulated disk: a failed flush drops its pages, and the next one does not bring them back") {
  SimDisk disk;
  auto file = durable_file(disk, "a", sectors(std::string(64, 'a')));
  REQUIRE(write_all(*file, sectors(std::string(64, 'b')), 0));
  disk.fail_at(DiskStep::flush, 1, std::errc::io_error);
  CHECK(file->flush().error().kind == std::errc::io_error);
  CHECK(file->flush());
  CHECK(found(disk, "a") == sectors(std::string(64, 'b')));  // the cache still shows them
  auto contents = possible(disk, "a");
  CHECK(contents.size() == 1);
  CHECK(contents.begin()->contains('a'));
  REQUIRE(write_all(*file, sectors(std::string(64, 'c')), 0));  // written anew, they are dirty anew
  REQUIRE(file->flush());
  CHECK(possible(disk, "a") == std::set<std::string>{sectors(std::string(64, 'c'))});
}

TEST_CASE("simulated disk: the nth step of a kind fails, as often as told") {
  SimDisk disk;
  auto file = disk.create("a").value();
  disk.fail_at(DiskStep::write, 2, std::errc::io_error, 2);
  CHECK(write_all(*file, "x", 0));
  CHECK(write_all(*file, "x", 0).error().kind == std::errc::io_error);
  CHECK(write_all(*file, "x", 0).error().kind == std::errc::io_error);
  CHECK(write_all(*file, "x", 0));
  CHECK(disk.log().contains("fails"));
}

TEST_CASE("simulated disk: beyond its capacity a write is short, then ENOSPC") {
  SimDisk disk;
  disk.set_capacity(1000);
  auto file = disk.create("a").value();
  std::string bytes(900, 'x');
  std::string_view piece = bytes;
  CHECK(file->write_some({&piece, 1}, 0).value() == 900);
  CHECK(disk.space().value().free_bytes == 100);
  CHECK(file->write_some({&piece, 1}, 900).value() == 100);
  CHECK(is_disk_full(file->write_some({&piece, 1}, 1000).error()));
  CHECK(is_disk_full(file->allocate(1001).error()));
  CHECK(write_all(*file, piece, 0));  // in place it needs no room
}

TEST_CASE("simulated disk: short writes are continued, and read-only refuses") {
  SimDisk disk;
  disk.set_short_writes(1);
  auto file = disk.create("a").value();
  std::string bytes = sectors("abcdefghijklmnopqrstuvwxyz");
  REQUIRE(write_all(*file, bytes, 0));
  CHECK(found(disk, "a") == bytes);
  CHECK(disk.steps() > 2);  // the create and one write
  disk.set_read_only(true);
  CHECK(write_all(*file, "x", 0).error().kind == std::errc::read_only_file_system);
  CHECK(disk.unlink("a").error().kind == std::errc::read_only_file_system);
  CHECK(found(disk, "a") == bytes);
}

TEST_CASE("simulated disk: reads fail when told to, and are no steps") {
  SimDisk disk;
  auto file = durable_file(disk, "a", "x");
  std::uint64_t steps = disk.steps();
  disk.fail_at(DiskStep::read, 1, std::errc::io_error);
  CHECK(read_exactly(*file, 0, 1).error().kind == std::errc::io_error);
  CHECK(read_exactly(*file, 0, 1).value() == "x");
  CHECK(disk.steps() == steps);
}

TEST_CASE("simulated disk: without a free inode nothing new is made; an unlink gives one back") {
  SimDisk disk;
  disk.set_free_inodes(2);
  CHECK(disk.create("a"));
  CHECK(disk.make_directory("b"));
  CHECK(is_disk_full(disk.create("c").error()));
  CHECK(is_disk_full(disk.make_directory("c").error()));
  REQUIRE(disk.rename("a", "d"));
  CHECK(is_disk_full(disk.create("c").error()));
  REQUIRE(disk.unlink("d"));
  CHECK(disk.create("c"));
  CHECK(disk.space().value().free_inodes == 0);
}

TEST_CASE("simulated disk: what has lost its name is not flushed any more") {
  SimDisk disk;
  auto file = durable_file(disk, "a", "x");
  REQUIRE(disk.unlink("a"));
  CHECK_FALSE(file->flush());
}

TEST_CASE("simulated disk: a directory that vanishes takes everything with it, for good") {
  SimDisk disk;
  REQUIRE(disk.make_directory("log"));
  auto file = disk.create("log/a").value();
  disk.vanish("log");
  CHECK_FALSE(disk.list("log"));
  CHECK_FALSE(disk.create("log/b"));
  CHECK_FALSE(disk.sync_directory("log"));
  CHECK_FALSE(file->flush());
  CHECK(possible(disk, "log/a") == std::set<std::string>{"(none)"});
  CHECK(disk.make_directory("log"));
}

TEST_CASE("simulated disk: healed, nothing fails any more") {
  SimDisk disk;
  disk.set_capacity(0);
  disk.set_free_inodes(0);
  disk.set_read_only(true);
  disk.fail_at(DiskStep::write, 1, std::errc::io_error, 9);
  disk.heal();
  auto file = durable_file(disk, "a", "x");
  CHECK(found(disk, "a") == "x");
}

TEST_CASE("simulated disk: steps and flushes are counted") {
  SimDisk disk;
  auto file = durable_file(disk, "a", "x");
  CHECK(disk.steps() == 4);
  CHECK(disk.flushes() == 1);
  CHECK(disk.log() == "1 create a\n2 write a 1 bytes at 0\n3 flush a\n4 sync_directory ");
}

TEST_CASE("simulated disk: damage of the medium is durable") {
  SimDisk disk;
  auto file = durable_file(disk, "a", "good");
  disk.corrupt("a", 1, "xx");
  CHECK(disk.content("a") == "gxxd");
  CHECK(possible(disk, "a") == std::set<std::string>{"gxxd"});
}
