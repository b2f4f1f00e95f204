// SPDX-License-Identifier: MIT
// A drop's way through the directories, and what a start makes of one that an earlier run has left on it.
#include "daemon/pickup/drop_directory.h"

#include <sys/file.h>

#include "daemon/base/text.h"
#include "daemon/pickup/pickup.h"
#include "tests/support/spool_rig.h"
#include "tests/unit/pickup/drop_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::pickup;
using Names = std::vector<std::string>;

namespace {

const std::string kName = test::drop_name(1);
const std::string kDrop = test::make_drop("a@x.example", {"b@y.example"}, "A: b\r\n\r\n");
constexpr std::uint64_t kMost = 1 << 20;
constexpr mail::MailId kId{4711};

}  // namespace

TEST_CASE("drop directory: drops are listed by age, the others apart, unfinished ones not at all") {
  test::DropPlace place;
  for (unsigned number : {3U, 1U, 2U}) place.drop(test::drop_name(number), kDrop);
  for (const char* name : {"x", "b", ".unfinished"}) std::ofstream(place.at(name)) << "x";
  auto listing = place.open().list();
  REQUIRE(listing);
  CHECK(listing->drops == Names{test::drop_name(1), test::drop_name(2), test::drop_name(3)});
  CHECK(listing->others == Names{"b", "x"});
  CHECK(place.names("drop").size() == 6);
}

TEST_CASE("drop directory: a drop is taken, given back, taken again and removed") {
  test::DropPlace place;
  place.drop(kName, kDrop);
  auto directory = place.open();
  auto file = directory.open_drop(kName, kMost);
  REQUIRE(file);
  REQUIRE(directory.take(kName, *file, kId));
  CHECK(place.names("drop").empty());
  CHECK(place.names("taken") == Names{cat(kName, ".", to_text(kId))});
  REQUIRE(directory.taken().size() == 1);
  CHECK(directory.taken().front().name == kName);
  CHECK(directory.taken().front().id == kId);
  REQUIRE(directory.give_back(kName, kId));
  CHECK(place.names("drop") == Names{kName});
  REQUIRE(directory.take(kName, *file, kId));
  REQUIRE(directory.remove(kName, kId));
  CHECK(place.names("drop").empty());
  CHECK(place.names("taken").empty());
  CHECK(directory.remove(kName, kId).error().kind == DropFault::gone);
}

TEST_CASE("drop directory: a file that has come in another's place is not taken for it") {
  test::DropPlace place;
  place.drop(kName, kDrop);
  auto directory = place.open();
  auto file = directory.open_drop(kName, kMost);
  REQUIRE(file);
  place.drop(kName, kDrop);  // the same bytes, another file
  auto taken = directory.take(kName, *file, kId);
  REQUIRE_FALSE(taken);
  CHECK(taken.error().kind == DropFault::gone);
  CHECK(place.names("drop") == Names{kName});
  CHECK(place.names("taken").empty());
}

TEST_CASE("drop directory: nothing is overwritten, neither in refused/ nor on the way back") {
  test::DropPlace place;
  auto directory = place.open();
  place.drop(kName, kDrop);
  REQUIRE(directory.refuse(kName));
  place.drop(kName, "another");
  CHECK_FALSE(directory.refuse(kName));
  CHECK(place.content("refused/" + kName) == kDrop);
  CHECK(place.content("drop/" + kName) == "another");
}

TEST_CASE("drop directory: other names in taken/ mean nothing") {
  test::DropPlace place;
  auto directory = place.open();
  for (const std::string& name : {std::string("x"), kName, kName + ".", kName + ".!", "." + kName})
    std::ofstream(place.spool.path() + "/taken/" + name) << "x";
  CHECK(directory.taken().empty());
}

TEST_CASE(
    "drop directory: what an earlier run has committed is removed at the start, what it had not comes back") {
  test::DropPlace place;
  SpoolRig rig;
  const mail::MailId committed = rig.accept("content", "a@x.example", "b@y.example");
  const mail::MailId lost{committed.value + 1};
  auto directory = place.open();
  for (auto [number, id] : {std::pair(1U, committed), std::pair(2U, lost)}) {
    place.drop(test::drop_name(number), kDrop);
    auto file = directory.open_drop(test::drop_name(number), kMost);
    REQUIRE(file);
    REQUIRE(directory.take(test::drop_name(number), *file, id));
  }
  log::MailLog log(rig.clock, {});
  rig.loop.run(settle_taken(rig.loop, directory, *rig.spool, log));
  CHECK(place.names("taken").empty());
  CHECK(place.names("drop") == Names{test::drop_name(2)});
}

TEST_CASE("drop directory: an abandoned draft is removed at the next look, others stay") {
  test::DropPlace place;
  std::string dead = cat(".", test::drop_name(1));
  std::string alive = cat(".", test::drop_name(2));
  for (const std::string& name : {dead, alive, std::string(".other")}) std::ofstream(place.at(name)) << "x";
  Fd writer(::open(place.at(alive).c_str(), O_WRONLY | O_CLOEXEC));
  REQUIRE(::flock(writer.get(), LOCK_EX) == 0);
  auto directory = place.open();
  auto listing = directory.list();
  REQUIRE(listing);
  CHECK(listing->has_drafts);
  CHECK(place.names("drop") == Names{alive, ".other"});
  writer.reset();  // killed
  listing = directory.list();
  CHECK_FALSE(listing->has_drafts);
  CHECK(place.names("drop") == Names{".other"});
}
