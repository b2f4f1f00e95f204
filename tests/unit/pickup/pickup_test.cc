// SPDX-License-Identifier: MIT
#include "daemon/pickup/pickup.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>

#include <set>

#include "daemon/app/log_observer.h"
#include "daemon/base/text.h"
#include "tests/support/memory_sink.h"
#include "tests/unit/pickup/drop_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::pickup;

namespace {

const std::string kContent = "Subject: x\r\n\r\nhi\r\n";

// A pickup over a real directory, a sink in memory, and simulated time.
struct Rig {
  test::DropPlace place;
  ManualClock clock;
  io::Loop loop{clock};
  test::MemorySink sink{loop};
  std::vector<std::string> lines;
  log::MailLog log{clock,
                   {.level = LogLevel::info, .format = LogFormat::text, .journal = true},
                   [this](LogLevel, std::string_view line) { lines.emplace_back(line); }};
  app::LogObserver observer{log};
  smtpd::SessionOptions session;
  std::vector<mail::MailId> arrived;
  bool arrived_early = false;  // while a file was in taken/
  PickupCounts counts;         // at the end
  std::size_t most_waiting = 0;
  Duration paused{0};  // for so long from the start
  relay::BouncePolicy bounces{
      .hostname = "one.example.com", .domain = "example.com", .full = false, .lifetime = 120h};

  Rig() {
    session.hostname = "one.example.com";
    session.domain = "example.com";
    session.token = "t0ken";
  }

  PickupOptions options() const {
    return {.session = std::make_shared<const smtpd::SessionOptions>(session), .bounce = bounces};
  }
  // Runs a pickup until `done`, for a simulated day at most; gives whether that came.
  bool run_until(std::function<bool()> done) { return loop.run(run(std::move(done))); }
  bool run_until_empty() {
    return run_until([this] { return place.names("drop").empty() && place.names("taken").empty(); });
  }
  bool has(std::string_view text) const { return count(text) > 0; }
  std::ptrdiff_t count(std::string_view text) const {
    return std::ranges::count_if(lines,
                                 [=](const std::string& line) { return line.find(text) != line.npos; });
  }
  void drop(unsigned number, std::string_view sender = "a@x.example",
            const std::vector<std::string>& recipients = {"b@y.example"}) const {
    place.drop(test::drop_name(number), test::make_drop(sender, recipients, kContent));
  }

 private:
  Task<bool> run(std::function<bool()> done) {
    auto on_arrival = [this](const mail::QueueEntry& entry) {
      arrived.push_back(entry.id);
      arrived_early = arrived_early || !place.names("taken").empty();
    };
    Pickup pickup({loop, sink, observer, log, on_arrival}, place.open(), options());
    sink.on_arrival = [&](const mail::QueueEntry& entry) { pickup.keeps(entry); };
    io::Nursery nursery(loop);
    pickup.pause(paused > 0s);
    nursery.spawn(pickup.run());
    const Instant end = loop.now() + 24h;
    const Instant goes_on = loop.now() + paused;
    while (!done() && loop.now() < end) {
      co_await io::sleep_until(loop, loop.within(1s));
      most_waiting = std::max(most_waiting, pickup.counts().waiting);
      if (loop.now() < goes_on) CHECK(sink.mails().empty());
      pickup.pause(loop.now() < goes_on);
    }
    const bool came = done();
    co_await pickup.stop(1min);
    co_await nursery.drained({});
    counts = pickup.counts();
    sink.on_arrival = nullptr;
    co_return came;
  }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("pickup: what was left is in the spool as if its owner had called, and the file is gone") {
  Rig rig;
  rig.drop(1);
  CHECK(rig.run_until_empty());
  REQUIRE(rig.sink.mails().size() == 1);
  const auto& mail = rig.sink.mails().front();
  CHECK(mail.envelope.sender == "a@x.example");
  CHECK(mail.envelope.uid == ::geteuid());
  CHECK(mail.content.starts_with(
      cat("Received: from localhost (from userid ", std::to_string(::geteuid()), ")")));
  CHECK(mail.content.ends_with("\r\n\r\nhi\r\n"));
  CHECK(rig.has("accepted"));
  CHECK(rig.place.names("refused").empty());
  CHECK(rig.counts.taken == 1);
  CHECK(rig.counts.refused == 0);
  CHECK(rig.most_waiting == 0);
}

TEST_CASE("pickup: a mail is not delivered before its drop is gone, so that a crash cannot bring it twice") {
  Rig rig;
  rig.drop(1);
  CHECK(rig.run_until_empty());
  CHECK(rig.arrived == std::vector<mail::MailId>{rig.sink.mails().front().id});
  CHECK_FALSE(rig.arrived_early);
}

TEST_CASE("pickup: a message without a Date gets that of its submission, not one that is still to come") {
  constexpr std::size_t kDate = sizeof "Sun, 22 Nov 2026 13:57:36 +0000" - 1;
  const std::string submitted = "00063d5e1c2a8000.1.00000001";
  for (const std::string& name : {submitted, std::string("ffffffffffffffff.1.00000002")}) {
    Rig rig;
    rig.place.drop(name, test::make_drop("a@x.example", {"b@y.example"}, kContent));
    CHECK(rig.run_until_empty());
    REQUIRE(rig.sink.mails().size() == 1);
    const std::string& content = rig.sink.mails().front().content;
    const std::string received = content.substr(content.find(";\r\n\t") + 4, kDate);
    const std::string expected = name == submitted ? to_rfc5322_date(mail::drop_time(name)) : received;
    CHECK(content.find(cat("Date: ", expected, "\r\n")) != std::string::npos);
  }
}

TEST_CASE("pickup: many come in, each once, and those that come while it runs too") {
  Rig rig;
  for (unsigned i = 0; i < 50; ++i) rig.drop(i, cat("a", std::to_string(i), "@x.example"));
  bool added = false;
  CHECK(rig.run_until([&] {
    if (!added && rig.sink.mails().size() == 50)
      for (unsigned i = 50; i < 60; ++i) rig.drop(i, cat("a", std::to_string(i), "@x.example"));
    added = added || rig.sink.mails().size() == 50;
    return rig.sink.mails().size() >= 60 && rig.place.names("drop").empty();
  }));
  std::set<std::string> senders;
  for (const auto& mail : rig.sink.mails()) senders.insert(mail.envelope.sender);
  CHECK(senders.size() == 60);
  CHECK(rig.sink.mails().size() == 60);
}

TEST_CASE("pickup: sizes from nothing to more than is under way at once arrive byte for byte") {
  for (std::size_t size : {0U, 1U, 65'536U, 65'537U, 1'000'000U}) {
    CAPTURE(size);
    Rig rig;
    std::string content;
    while (content.size() < size) content += cat("line ", std::to_string(content.size()), "\r\n");
    rig.place.drop(test::drop_name(1),
                   test::make_drop("a@x.example", {"b@y.example"}, "A: b\r\n\r\n" + content));
    CHECK(rig.run_until_empty());
    REQUIRE(rig.sink.mails().size() == 1);
    CHECK(rig.sink.mails().front().content.ends_with("\r\n\r\n" + content));
  }
}

TEST_CASE("pickup: what is still being written is left alone") {
  Rig rig;
  std::ofstream(rig.place.at("." + test::drop_name(1))) << "hikyaku-drop 1";
  Fd writer(::open(rig.place.at("." + test::drop_name(1)).c_str(), O_WRONLY | O_CLOEXEC));
  REQUIRE(::flock(writer.get(), LOCK_EX) == 0);
  rig.drop(2);
  CHECK(rig.run_until([&] { return rig.sink.mails().size() == 1 && rig.place.names("taken").empty(); }));
  CHECK(rig.place.names("drop") == Names{"." + test::drop_name(1)});
  CHECK_FALSE(rig.has("stays where it is"));
}

TEST_CASE("pickup: a spool that takes nothing is asked again, and one line says so") {
  Rig rig;
  rig.sink.failures.may_accept = mail::SinkErrorKind::no_space;
  rig.drop(1);
  const Instant start = rig.loop.now();
  CHECK(rig.run_until([&] {
    if (rig.loop.now() > start + 1h) rig.sink.failures = {};
    return rig.place.names("drop").empty() && rig.place.names("taken").empty();
  }));
  CHECK(rig.sink.mails().size() == 1);
  CHECK(rig.count("the spool accepts no mail now") == 1);
  CHECK(rig.count("rejected") == 0);
  CHECK(rig.most_waiting == 1);
  CHECK(rig.counts.waiting == 0);
}

TEST_CASE("pickup: a commit that fails gives the drop back; it is tried again ever more seldom") {
  Rig rig;
  rig.sink.failures.commit = mail::SinkErrorKind::write_failed;
  rig.drop(1);
  const Instant start = rig.loop.now();
  CHECK(rig.run_until([&] {
    if (rig.loop.now() > start + 1h) rig.sink.failures = {};
    return rig.sink.mails().size() == 1;
  }));
  CHECK(rig.sink.begun() > 50);
  CHECK(rig.sink.begun() < 80);  // 1, 2, 4, … 60, 60 s
  CHECK(rig.count("stays where it is: 451 4.3.0") == 1);
  CHECK(rig.sink.mails().size() == 1);
}

TEST_CASE("pickup: recipients for whom there is no memory now are no reason to refuse a drop") {
  Rig rig;
  rig.sink.envelope_memory = 500;
  rig.drop(1, "a@x.example", {"b@y.example", "c@y.example", "d@y.example"});
  const Instant start = rig.loop.now();
  CHECK(rig.run_until([&] {
    if (rig.loop.now() > start + 1h) rig.sink.envelope_memory = {};
    return rig.sink.mails().size() == 1;
  }));
  CHECK(rig.count("stays where it is: 452 4.5.3") == 1);
  REQUIRE(rig.sink.mails().size() == 1);
  CHECK(rig.sink.mails().front().envelope.recipients.size() == 3);
}

TEST_CASE("pickup: a refused drop's sender is notified, the postmaster too, and no recipient got it") {
  struct Case {
    std::vector<std::string> recipients;
    const char* reply;
  };
  for (const Case& one : {Case{{"b@y.example", "c d@y.example"}, "501 5.1.3"},
                          Case{{"b@y.example", "c@y.example", "d@y.example"}, "452 4.5.3"}}) {
    Rig rig;
    rig.session.limits.max_recipients = 2;
    rig.bounces.postmaster = "pm@x.example";
    rig.drop(1, "a@x.example", one.recipients);
    CHECK(rig.run_until_empty());
    REQUIRE(rig.sink.mails().size() == 2);
    CHECK(rig.sink.mails()[0].envelope.recipients.at(0).address == "pm@x.example");
    CHECK(rig.sink.mails()[0].content.find("copy of a notice to <a@x.example>") != std::string::npos);
    const auto& bounce = rig.sink.mails()[1];
    CHECK(bounce.envelope.sender.empty());
    CHECK_FALSE(bounce.envelope.uid);
    CHECK(bounce.envelope.recipients.at(0).address == "a@x.example");
    CHECK(bounce.content.find(one.reply) != std::string::npos);
    CHECK(bounce.content.find("b@y.example") != std::string::npos);
    CHECK(bounce.content.find("Subject: x") != std::string::npos);
    CHECK(rig.has(cat("about=", test::drop_name(1))));
    CHECK(rig.place.names("refused").empty());
    CHECK(rig.counts.refused == 1);
    CHECK(rig.counts.waiting == 0);
  }
}

TEST_CASE("pickup: a drop whose sender is none of `senders` is refused like any other") {
  Rig rig;
  rig.session.senders = {*mail::AddressPattern::parse("*@example.com")};
  rig.session.masquerade = {.hosts = {"one"}, .domain = "example.com"};
  rig.drop(1, "a@one");
  CHECK(rig.run_until_empty());
  CHECK(rig.sink.mails().at(0).envelope.sender == "a@example.com");
  rig.drop(2, "a@x.example");
  CHECK(rig.run_until_empty());
  REQUIRE(rig.sink.mails().size() == 2);
  CHECK(rig.sink.mails()[1].envelope.recipients.at(0).address == "a@x.example");
  CHECK(rig.sink.mails()[1].content.find("550 5.7.1 This sender may not") != std::string::npos);
}

TEST_CASE("pickup: too big a message is refused with the limit, and bounced") {
  Rig rig;
  rig.session.limits.max_size = 3000;
  rig.place.drop(test::drop_name(1),
                 test::make_drop("a@x.example", {"b@y.example"}, std::string(3001, 'x') + "\r\n"));
  CHECK(rig.run_until_empty());
  REQUIRE(rig.sink.mails().size() == 1);
  CHECK(rig.sink.mails().front().content.find("552 5.3.4") != std::string::npos);
}

TEST_CASE("pickup: a refused drop without a sender to notify is kept for the operator") {
  const std::string name = test::drop_name(1);
  const std::string content = cat(mail::drop_content_line(0), "\r\n");
  for (const std::string& commands : {
           std::string("MAIL FROM:<>\r\nRCPT TO:<a b@c>\r\n"),
           std::string("MAIL FROM:<a@x.example>\r\nRCPT TO:<a b@c>\r\n"),
           std::string("MAIL FROM:<a b@x.example>\r\nRCPT TO:<b@y.example>\r\n"),
           std::string("MAIL FROM:<a@x.example> NO=SUCH\r\nRCPT TO:<b@y.example>\r\n"),
           std::string(
               "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example> NOTIFY=NEVER\r\nRCPT TO:<a b@c>\r\n"),
       }) {
    CAPTURE(commands);
    Rig rig;
    const std::string drop = test::sealed_drop(commands + content);
    rig.place.drop(name, drop);
    CHECK(rig.run_until_empty());
    CHECK(rig.sink.mails().empty());
    CHECK(rig.place.names("refused") == Names{name});
    CHECK(rig.place.content("refused/" + name) == drop);
    CHECK(rig.count("kept in refused/: 5") == 1);
    CHECK(rig.counts.refused == 1);
    CHECK(rig.counts.taken == 0);
  }
}

TEST_CASE("pickup: what is not as it was written never becomes mail, and is kept") {
  const std::string whole = test::make_drop("a@x.example", {"b@y.example"}, kContent);
  const std::string envelope = "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\n";
  std::string flipped = whole;
  flipped[flipped.size() - 4] ^= 1;
  for (const std::string& drop : {
           flipped,
           whole.substr(0, whole.size() - 1),
           whole + "x",
           test::sealed_drop(""),
           test::sealed_drop(envelope),
           test::sealed_drop(envelope + mail::drop_content_line(5) + "\r\nhi\r\n"),
           test::sealed_drop(envelope + mail::drop_content_line(3) + "\r\nhi\r\n"),
           test::sealed_drop(envelope + "RSET\r\n" + envelope + mail::drop_content_line(0) + "\r\n"),
           test::sealed_drop(envelope + "DATA\r\n\r\n.\r\n"),
           test::sealed_drop(envelope + std::string(5000, 'x') + "\r\n"),
           std::string("\0\0\0", 3),
       }) {
    Rig rig;
    rig.place.drop(test::drop_name(1), drop);
    CHECK(rig.run_until_empty());
    CHECK(rig.sink.mails().empty());
    CHECK(rig.sink.open_writers() == 0);
    CHECK(rig.place.names("refused") == Names{test::drop_name(1)});
    CHECK(rig.place.content("refused/" + test::drop_name(1)) == drop);
    CHECK(rig.count("a drop cannot become mail") == 1);
  }
}

TEST_CASE("pickup: every bit of a drop flipped in turn leaves it refused or as it was sent, never altered") {
  const std::string whole = test::make_drop("a@x.example", {"b@y.example"}, kContent);
  Rig rig;
  for (unsigned bit = 0; bit < whole.size() * 8; ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    rig.place.drop(test::drop_name(bit), flipped);
  }
  CHECK(rig.run_until_empty());
  CHECK(rig.sink.mails().empty());
  CHECK(rig.place.names("refused").size() == whole.size() * 8);
}

TEST_CASE("pickup: a file that is no drop stays unread, with one line in the log, and holds up no drop") {
  Rig rig;
  const std::string secret = rig.place.spool.file("secret");
  std::ofstream(secret) << test::make_drop("s@x.example", {"b@y.example"}, kContent);
  REQUIRE(::symlink(secret.c_str(), rig.place.at(test::drop_name(1)).c_str()) == 0);
  REQUIRE(::link(secret.c_str(), rig.place.at(test::drop_name(2)).c_str()) == 0);
  REQUIRE(::mkfifo(rig.place.at(test::drop_name(3)).c_str(), 0640) == 0);
  REQUIRE(::mkdir(rig.place.at(test::drop_name(4)).c_str(), 0750) == 0);
  for (const std::string& name : {std::string("x"), std::string("a\nb\x1b[2J"), std::string(255, 'n')})
    std::ofstream(rig.place.at(name)) << "x";
  rig.drop(9);
  const Instant start = rig.loop.now();
  CHECK(rig.run_until([&] { return rig.sink.mails().size() == 1 && rig.loop.now() > start + 1h; }));
  CHECK(rig.sink.mails().size() == 1);
  CHECK(rig.sink.mails().front().envelope.sender == "a@x.example");
  CHECK(rig.place.names("drop").size() == 7);
  CHECK(rig.count("stays where it is") == 7);
  for (std::string_view why : {"is a symbolic link", "a hard link", "is a FIFO", "is a directory"})
    CHECK(rig.count(why) == 1);
  CHECK(rig.count("its name is not one that sendmail gives") == 3);
  CHECK(rig.count("\x1b") == 0);
}

TEST_CASE("pickup: a thousand files that are none fill neither the log nor the way of a true one") {
  Rig rig;
  for (int i = 0; i < 1500; ++i) std::ofstream(rig.place.at(cat("junk", std::to_string(i)))) << "x";
  rig.drop(1);
  CHECK(rig.run_until([&] { return rig.sink.mails().size() == 1; }));
  CHECK(rig.count("stays where it is") == 1000);
  CHECK(rig.count("further ones are not reported one by one") == 1);
}

TEST_CASE("pickup: a stop breaks nothing off that can end, and loses nothing") {
  for (bool in_time : {true, false}) {
    Rig rig;
    rig.drop(1);
    rig.sink.hold_commits();
    auto stop_inside = [](Rig& r, bool ends_in_time) -> Task<void> {
      Pickup pickup({r.loop, r.sink, r.observer, r.log}, r.place.open(), r.options());
      io::Nursery nursery(r.loop);
      nursery.spawn(pickup.run());
      while (r.place.names("taken").empty()) co_await io::sleep_until(r.loop, r.loop.within(1s));
      nursery.spawn(pickup.stop(1min));
      co_await io::sleep_until(r.loop, r.loop.within(ends_in_time ? 1s : 10min));
      r.sink.release();
      co_await nursery.drained({});
    };
    rig.loop.run(stop_inside(rig, in_time));
    // The mail is committed in either case, so the drop must be gone in either case.
    CHECK(rig.sink.mails().size() == 1);
    CHECK(rig.place.names("drop").empty());
    CHECK(rig.place.names("taken").empty());
  }
}

TEST_CASE("pickup: while the daemon has too many open files, what was left waits a second at a time") {
  Rig rig;
  rlimit normal{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &normal) == 0);
  rlimit none{3, normal.rlim_max};
  int looks = 0;
  CHECK(rig.run_until([&] {
    if (looks == 0) rig.drop(1);
    if (looks == 0) REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    if (++looks == 5) REQUIRE(::setrlimit(RLIMIT_NOFILE, &normal) == 0);
    return looks > 5 && rig.place.names("drop").empty();
  }));
  ::setrlimit(RLIMIT_NOFILE, &normal);
  CHECK(looks < 10);
  CHECK(rig.count("the drop directory cannot be read: ") == 1);
  CHECK(rig.has("oo many open files"));
  CHECK(rig.count("the drop directory can be read again") == 1);
  CHECK(rig.sink.mails().size() == 1);
}

TEST_CASE("pickup: paused, it counts what is left there and takes nothing; then it goes on soon") {
  Rig rig;
  rig.paused = 1h;
  rig.drop(1);
  rig.drop(2);
  const Instant begin = rig.loop.now();
  CHECK(rig.run_until_empty());
  CHECK(rig.sink.mails().size() == 2);
  CHECK(rig.most_waiting == 2);
  CHECK(rig.loop.now() - begin < 1h + 30s);
}
