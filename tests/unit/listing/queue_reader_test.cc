// SPDX-License-Identifier: MIT
#include "daemon/listing/queue_reader.h"

#include "tests/support/spool_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::listing;

namespace {

bool any(const spool::ViewedMail&) { return true; }

std::vector<mail::MailId> ids_of(const QueueReader::Page& page) {
  std::vector<mail::MailId> ids;
  for (const auto& mail : page.mails) ids.push_back(mail.mail.id);
  return ids;
}

QueueReader::Page page_of(QueueReader& reader, mail::MailId after, std::size_t limit, Instant as_of,
                          const std::function<bool(const spool::ViewedMail&)>& fits = any) {
  auto page = reader.page(after, limit, {fits}, as_of);
  REQUIRE(page);
  return std::move(*page);
}

}  // namespace

TEST_CASE("queue pages: one after the other they are the queue, whatever comes and goes meanwhile") {
  SpoolRig rig;
  QueueReader reader(rig.directory(), rig.clock);
  CHECK(page_of(reader, {}, 10, rig.clock.now()).mails.empty());
  std::vector<mail::MailId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(rig.accept("x", "a@example.com", "b@example.com"));
  rig.clock.advance(1us);
  Instant begin = rig.clock.now();
  auto first = page_of(reader, {}, 2, begin);
  CHECK(ids_of(first) == std::vector{ids[0], ids[1]});
  REQUIRE(first.next);
  REQUIRE(rig.loop.run(rig.spool->finish(ids[2])));
  REQUIRE(rig.loop.run(rig.spool->finish(ids[1])));
  rig.clock.advance(1us);
  auto second = page_of(reader, *first.next, 2, rig.clock.now());
  CHECK(ids_of(second) == std::vector{ids[3], ids[4]});
  CHECK_FALSE(second.next);
  CHECK(page_of(reader, ids[4], 2, begin).mails.empty());
  CHECK_FALSE(page_of(reader, ids[4], 2, begin).next);
}

TEST_CASE(
    "queue pages: what was there when it was asked for is seen, and a picture is shared until it is too "
    "old") {
  SpoolRig rig;
  QueueReader reader(rig.directory(), rig.clock);
  auto one = rig.accept("x", "a@example.com", "b@example.com");
  rig.clock.advance(1us);
  Instant early = rig.clock.now();
  CHECK(ids_of(page_of(reader, {}, 10, early)) == std::vector{one});
  auto two = rig.accept("x", "a@example.com", "b@example.com");
  rig.clock.advance(1us);
  CHECK(ids_of(page_of(reader, {}, 10, early)) == std::vector{one});
  CHECK(ids_of(page_of(reader, {}, 10, rig.clock.now())) == std::vector{one, two});
  auto three = rig.accept("x", "a@example.com", "b@example.com");
  reader.rest();
  CHECK(ids_of(page_of(reader, {}, 10, early)) == std::vector{one, two});
  reader.rest();
  reader.rest();  // nobody has asked since: the next one gets a new picture
  CHECK(ids_of(page_of(reader, {}, 10, early)) == std::vector{one, two, three});
}

TEST_CASE("queue pages: what does not fit is passed over, what cannot be read is told") {
  SpoolRig rig;
  QueueReader reader(rig.directory(), rig.clock);
  auto hit = rig.accept("x", "hit@example.com", "b@example.com");
  auto other = rig.accept("x", "a@example.com", "b@example.com");
  auto wanted = rig.accept("x", "c@example.com", "b@example.com");
  rig.stop();
  rig.damage("hit@example.com");
  auto page = page_of(reader, {}, 1, rig.clock.now(),
                      [&](const spool::ViewedMail& mail) { return mail.mail.id == wanted; });
  CHECK(ids_of(page) == std::vector{wanted});
  CHECK(page.unreadable == std::vector{hit});
  CHECK_FALSE(page.next);
  CHECK(other < wanted);
}

TEST_CASE("queue pages: what is ruled out beforehand is not read") {
  SpoolRig rig;
  QueueReader reader(rig.directory(), rig.clock);
  rig.accept("x", "hit@example.com", "b@example.com");
  auto wanted = rig.accept("xyz", "c@example.com", "b@example.com");
  rig.stop();
  rig.damage("hit@example.com");
  auto page =
      reader.page({}, 10, {any, [](const MailBrief& mail) { return mail.size == 1; }}, rig.clock.now());
  REQUIRE(page);
  CHECK(ids_of(*page) == std::vector{wanted});
  CHECK(page->unreadable.empty());
}

TEST_CASE("queue pages: a page is bounded by its recipients too") {
  SpoolRig rig;
  QueueReader reader(rig.directory(), rig.clock);
  mail::Envelope envelope;
  envelope.recipients.assign(100, {"b@example.com", {}, {}});
  for (int i = 0; i < 25; ++i) rig.accept("x", envelope);
  auto first = page_of(reader, {}, 100, rig.clock.now());
  CHECK(first.mails.size() == 20);
  REQUIRE(first.next);
  CHECK(page_of(reader, *first.next, 100, rig.clock.now()).mails.size() == 5);
}

TEST_CASE("queue pages: a spool that is not there is an error in words") {
  SpoolRig rig;
  QueueReader reader(rig.place.file("nothing"), rig.clock);
  auto page = reader.page({}, 1, {any}, rig.clock.now());
  REQUIRE_FALSE(page);
  CHECK(page.error().text.find("there is no spool in ") == 0);
}
