// SPDX-License-Identifier: MIT
// The ring turns: copying, recycling, the bound, and what a full disk leaves possible.
#include <algorithm>

#include "daemon/base/text.h"
#include "spool/segment.h"
#include "tests/unit/spool/spool_fixture.h"

namespace hikyaku::spool {
namespace {

mail::Progress deferred(std::uint32_t attempts) {
  mail::Progress progress;
  progress.recipients = {{mail::RecipientState::pending, "450 4.2.1 try again later"}};
  progress.attempts = attempts;
  progress.waited = 10s * attempts;
  progress.next_wait = 1h;
  progress.reason = "deferred";
  progress.smarthost = "main";
  return progress;
}

struct RingFixture : SpoolFixture {
  // So many mails come and go.
  void pass(int many, std::size_t size = 5000) {
    for (int i = 0; i < many; ++i) CHECK(finish(accept(std::string(size, 'p'))));
  }
  std::size_t log_bytes() const {
    std::size_t bytes = 0;
    auto names = disk->list("log");
    REQUIRE(names);
    for (const std::string& name : *names) bytes += disk->content(cat("log/", name)).size();
    return bytes;
  }
  SegmentNumber highest_number() const { return std::stoull(disk->list("log")->back(), nullptr, 16); }
};

TEST_CASE_FIXTURE(RingFixture, "ring: with smaller segments, a mail that came into larger ones still fits") {
  options.segment_size = 1_MiB;
  REQUIRE(start() == std::nullopt);
  std::string body(200'000, 's');
  mail::MailId stayer = accept(body);
  options.segment_size = 64_KiB;
  restart();
  pass(300);
  CHECK(content(stayer) == body);
  CHECK(log_bytes() <= 3 * 201'000 + 2 * 420'000);
  CHECK(finish(stayer));
  restart();
  pass(30);
  CHECK(log_bytes() <= 2 * 64_KiB .bytes);
}

TEST_CASE_FIXTURE(RingFixture,
                  "ring: mail that stays is copied along, and the disk use stays within its bound") {
  REQUIRE(start() == std::nullopt);
  std::string body(3000, 's');
  mail::MailId stayer = accept(body);
  REQUIRE(record(stayer, deferred(1)));
  pass(300);
  CHECK(highest_number() > 20);
  CHECK(log_bytes() <= 2 * 64_KiB .bytes + 3 * 4096);
  CHECK(content(stayer) == body);
  auto mail = loop.run(spool->load(stayer));
  REQUIRE(mail);
  CHECK(mail->progress == deferred(1));
  CHECK(mail->envelope == some_envelope());
  restart();
  CHECK(queued() == std::vector{stayer});
  CHECK(content(stayer) == body);
  mail = loop.run(spool->load(stayer));
  REQUIRE(mail);
  CHECK(mail->progress == deferred(1));
  CHECK(spool->entries().front().next_wait == 1h);
}

TEST_CASE_FIXTURE(RingFixture,
                  "ring: progress goes along with each copy, the newest wins, and a kill changes nothing") {
  REQUIRE(start() == std::nullopt);
  mail::MailId stayer = accept("stays");
  for (std::uint32_t attempt = 1; attempt <= 12; ++attempt) {
    if (attempt % 3 != 0) REQUIRE(record(stayer, deferred(attempt)));
    pass(20);
    crash(attempt % 2 == 0 ? std::optional<std::uint64_t>(attempt) : std::nullopt);
    auto mail = loop.run(spool->load(stayer));
    REQUIRE(mail);
    CHECK(mail->progress == deferred(attempt % 3 != 0 ? attempt : attempt - 1));
    CHECK(content(stayer) == "stays");
  }
  CHECK(finish(stayer));
  pass(30);
  restart();
  CHECK(queued().empty());
}

TEST_CASE_FIXTURE(RingFixture, "ring: of a large body only the record is copied") {
  REQUIRE(start() == std::nullopt);
  std::string body(200'000, 'L');
  mail::MailId stayer = accept(body);
  pass(100);
  CHECK(disk->list("large")->size() == 1);
  CHECK(content(stayer) == body);
  restart();
  CHECK(content(stayer) == body);
  CHECK(finish(stayer));
  CHECK(disk->list("large")->empty());
}

TEST_CASE_FIXTURE(RingFixture, "ring: a held mail is still held after its copy") {
  REQUIRE(start() == std::nullopt);
  mail::MailId stayer = accept("held");
  mail::Progress progress = deferred(1);
  progress.held = true;
  REQUIRE(record(stayer, progress));
  pass(60);
  restart();
  REQUIRE(spool->entries().size() == 1);
  CHECK(spool->entries().front().held);
}

TEST_CASE_FIXTURE(RingFixture, "ring: on a full disk outcomes are still written down, thousands of them") {
  REQUIRE(start() == std::nullopt);
  std::vector<mail::MailId> mails;
  for (int i = 0; i < 40; ++i) {
    mail::MailId id = accept(std::string(6000, 'q'));
    if (i % 2 == 0) mails.push_back(id);
    if (i % 2 != 0) CHECK(finish(id));
  }
  auto space = disk->space();
  REQUIRE(space);
  disk->set_capacity(space->total_bytes - space->free_bytes);
  // Whatever is free in the log may still be filled with mail, but not what the outcomes need.
  auto more = try_accept(std::string(6000, 'm'));
  for (; more; more = try_accept(std::string(6000, 'm'))) mails.push_back(*more);
  CHECK(more.error().kind == mail::SinkErrorKind::no_space);
  for (std::uint32_t attempt = 1; attempt <= 100; ++attempt)
    for (mail::MailId id : mails) REQUIRE(record(id, deferred(attempt)));
  for (mail::MailId id : mails) CHECK(finish(id));
  CHECK(queued().empty());
  CHECK(try_accept(std::string(6000, 'm')));  // the log has room again by itself
}

TEST_CASE_FIXTURE(RingFixture, "ring: however much notices and deferrals take, a full disk's mail can end") {
  REQUIRE(start() == std::nullopt);
  std::vector<mail::MailId> mails;
  for (int i = 0; i < 40; ++i) mails.push_back(accept(std::string(6000, 'q')));
  disk->fill_up(0);
  for (auto more = try_accept(std::string(6000, 'm')); more; more = try_accept(std::string(6000, 'm')))
    mails.push_back(*more);
  std::vector<mail::MailId> notices;
  for (auto next = try_notice(2000); next; next = try_notice(2000)) notices.push_back(*next);
  CHECK(notices.size() > 5);
  for (std::uint32_t attempt = 1; record(mails.back(), deferred(attempt));) ++attempt;
  for (mail::MailId id : mails) CHECK(finish(id));
  for (mail::MailId id : notices) CHECK(finish(id));
  CHECK(queued().empty());
  CHECK(try_accept(std::string(6000, 'm')));
}

TEST_CASE_FIXTURE(RingFixture,
                  "ring: after a start on a full disk everything is there and outcomes are written") {
  REQUIRE(start() == std::nullopt);
  std::vector<mail::MailId> mails;
  for (int i = 0; i < 30; ++i) mails.push_back(accept(std::string(6000, 'q')));
  auto space = disk->space();
  disk->set_capacity(space->total_bytes - space->free_bytes);
  for (int round = 0; round < 3; ++round) {
    crash(std::nullopt);
    CHECK(queued() == mails);
    for (mail::MailId id : mails) REQUIRE(record(id, deferred(1)));
    REQUIRE(finish(mails.back()));
    mails.pop_back();
  }
}

}  // namespace
}  // namespace hikyaku::spool
