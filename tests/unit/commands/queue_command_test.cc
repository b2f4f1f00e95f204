// SPDX-License-Identifier: MIT
#include <sys/stat.h>

#include "daemon/base/text.h"
#include "tests/support/spool_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::commands;
using mail::RecipientState;

namespace {

const std::string kArrival = "2026-09-21T14:13:20Z";  // where a ManualClock begins

std::string first_word(const std::string& line) { return line.substr(0, line.find(' ')); }
std::string line_of(const std::string& text, mail::MailId id) {
  for (std::string_view line : split(text, '\n'))
    if (line.starts_with(to_text(id))) return std::string(line);
  return "";
}

}  // namespace

TEST_CASE("queue: an empty one says so to people and nothing to programs") {
  SpoolRig rig;
  for (bool daemon_runs : {true, false}) {
    if (!daemon_runs) rig.stop();
    CHECK(rig.run({"queue"}).out == "the queue is empty\n");
    Ran ran = rig.run({"queue", "--json"});
    CHECK(ran.exit == 0);
    CHECK(ran.out.empty());
  }
}

TEST_CASE("queue: in short, counted, in groups, and as many as are wanted") {
  SpoolRig rig;
  auto first = rig.accept("one", "a@example.com", "x@example.net");
  rig.accept("two", "a@example.com", "y@example.org");
  rig.accept("three", "b@example.com", "z@example.org");
  const std::string overview = rig.run({"queue"}).out;
  CHECK(overview.starts_with("3 mails: 3 active; the oldest came "));
  CHECK(overview.find(to_text(first) + " active ") != std::string::npos);
  CHECK(rig.run({"queue", "--count"}).out == "3\n");
  CHECK(rig.run({"queue", "--count", "--from", "a@*"}).out == "2\n");
  CHECK(rig.run({"queue", "--by", "domain"}).out == "       2  example.org\n       1  example.net\n");
  CHECK(
      rig.run({"queue", "--by", "sender", "--json"}).out ==
      R"({"by":"sender","groups":[{"what":"<a@example.com>","mails":2},{"what":"<b@example.com>","mails":1}]})"
      "\n");
  Ran limited = rig.run({"queue", "--limit", "1"});
  CHECK(std::ranges::count(limited.out, '\n') == 1);
  CHECK(first_word(limited.out) == to_text(first));
  CHECK(std::ranges::count(rig.run({"queue", "--json", "--limit", "2"}).out, '\n') == 2);
  CHECK(rig.run({"queue", "--older-than", "old"}).exit == static_cast<int>(Exit::usage));
  CHECK(rig.run({"queue", "--older-than", "1h", "--count"}).out ==
        "3\n");  // the clock of the rig is not today's
}

TEST_CASE("queue: sorted, for people and for programs, and the first of them") {
  SpoolRig rig;
  const auto small = rig.accept("one", "a@example.com", "x@example.net");
  const auto large = rig.accept("the largest", "a@example.com", "y@example.org");
  const auto middle = rig.accept("middle", "b@example.com", "z@example.org");
  rig.record(small, deferral(3, {{RecipientState::pending, "451 later"}}));
  rig.record(middle, deferral(1, {{RecipientState::pending, "451 later"}}));
  auto order = [&](std::vector<std::string> words) {
    std::vector<std::string> ids;
    const std::string out = rig.run(std::move(words)).out;
    for (std::string_view line : split(out, '\n'))
      if (!line.empty()) ids.push_back(first_word(std::string(line)));
    return ids;
  };
  const std::vector<std::string> by_size = {to_text(large), to_text(middle), to_text(small)};
  CHECK(order({"queue", "--sort", "size"}) == by_size);
  CHECK(order({"queue", "--all", "--sort", "size"}) == by_size);
  CHECK(order({"queue", "--sort", "attempts", "--limit", "2"}) ==
        std::vector{to_text(small), to_text(middle)});
  CHECK(order({"queue", "--sort", "size", "--to", "*@example.org"}) ==
        std::vector{to_text(large), to_text(middle)});
  const std::string json = rig.run({"queue", "--json", "--sort", "size", "--limit", "1"}).out;
  CHECK(json.starts_with("{\"id\":\"" + to_text(large)));
  CHECK(std::ranges::count(json, '\n') == 1);
  CHECK(rig.run({"queue", "--sort", "colour"}).exit != 0);
}

TEST_CASE("queue: what waits in drop/ is counted, with the daemon running or not") {
  SpoolRig rig;
  std::filesystem::create_directory(rig.directory() + "/drop");
  std::ofstream(rig.directory() + "/drop/0006524fb0a3c1e2.4711.deadbeef") << "x";
  CHECK(rig.run({"queue"}).out == "1 mail waits in " + rig.directory() + "/drop to be fetched by hikyakud\n");
  std::ofstream(rig.directory() + "/drop/0006524fb0a3c1e3.4711.deadbeef") << "x";
  std::ofstream(rig.directory() + "/drop/.0006524fb0a3c1e4.4711.deadbeef") << "unfinished";
  auto mail = rig.accept("one", "a@example.com", "x@example.net");
  rig.stop();
  Ran ran = rig.run({"queue", "--all"});
  CHECK(first_word(ran.out) == to_text(mail));
  CHECK(ran.out.ends_with("\n2 mails wait in " + rig.directory() + "/drop to be fetched by hikyakud\n"));
  CHECK(std::ranges::count(rig.run({"queue", "--json"}).out, '\n') == 1);
}

TEST_CASE("queue: one mail a line, oldest first, with its state") {
  SpoolRig rig;
  auto fresh = rig.accept("one", "a@example.com", "x@example.net");
  auto waits = rig.accept("second", "", "y@example.net");
  auto held = rig.accept("third", "c@example.com", "z@example.net");
  rig.record(waits, deferral(3, {{RecipientState::pending, "451 4.7.1 not now"}}));
  auto progress = deferral(1, {{RecipientState::failed, "550 no"}});
  progress.held = true;
  rig.record(held, progress);
  Ran ran = rig.run({"queue", "--all"});
  CHECK(ran.exit == 0);
  CHECK(ran.err.empty());
  CHECK(line_of(ran.out, fresh) ==
        to_text(fresh) + " active  " + kArrival + "         3 <a@example.com> -> <x@example.net>");
  CHECK(line_of(ran.out, waits) == to_text(waits) + " waiting " + kArrival +
                                       "         6 <> -> <y@example.net>, attempts: 3, next "
                                       "2026-09-21T14:14:20Z: the smarthost said not now");
  CHECK(line_of(ran.out, held).starts_with(to_text(held) + " held    "));
  CHECK(ran.out.find(to_text(fresh)) < ran.out.find(to_text(waits)));
  CHECK(ran.out.find(to_text(waits)) < ran.out.find(to_text(held)));
}

TEST_CASE("queue: --json prints exactly the documented fields") {
  SpoolRig rig;
  mail::Envelope envelope;
  envelope.sender = "a@example.com";
  envelope.recipients.resize(2);
  envelope.recipients[0].address = "x@example.net";
  envelope.recipients[1].address = "y@example.net";
  auto id = rig.accept("content", envelope);
  CHECK(rig.run({"queue", "--json"}).out ==
        "{\"id\":\"" + to_text(id) +
            "\",\"state\":\"active\",\"waits_for\":null,\"waits_since\":null,\"reason\":null,\"arrival_"
            "time\":\"" +
            kArrival +
            "\",\"size\":7,\"sender\":\"a@example.com\",\"attempts\":0,\"next_attempt\":null,"
            "\"smarthost\":null,\"recipients\":["
            "{\"address\":\"x@example.net\",\"status\":\"pending\",\"last_reply\":null},"
            "{\"address\":\"y@example.net\",\"status\":\"pending\",\"last_reply\":null}]}\n");
  rig.record(id, deferral(2, {{RecipientState::delivered, "250 ok"}, {RecipientState::pending, "451 no"}}));
  CHECK(rig.run({"queue", "--json"}).out ==
        "{\"id\":\"" + to_text(id) +
            "\",\"state\":\"deferred\",\"waits_for\":\"time\",\"waits_since\":null,\"reason\":"
            "\"the smarthost said not now\",\"arrival_time\":\"" +
            kArrival +
            "\",\"size\":7,\"sender\":\"a@example.com\",\"attempts\":2,\"next_attempt\":"
            "\"2026-09-21T14:14:20Z\",\"smarthost\":\"main\",\"recipients\":["
            "{\"address\":\"x@example.net\",\"status\":\"delivered\",\"last_reply\":\"250 ok\"},"
            "{\"address\":\"y@example.net\",\"status\":\"pending\",\"last_reply\":\"451 no\"}]}\n");
}

TEST_CASE("queue: filters by state, sender and recipient, as a shell's patterns and without regard to case") {
  SpoolRig rig;
  auto shop = to_text(rig.accept("one", "order@shop.example.com", "x@example.net"));
  auto null = to_text(rig.accept("two", "", "Y@Example.ORG"));
  rig.record(*mail::parse_mail_id(null), deferral(1, {{RecipientState::pending, "451"}}));
  struct Case {
    std::vector<std::string> arguments;
    std::string id;
  };
  const std::vector<Case> cases = {
      {{"--from", "*@SHOP.example.com"}, shop},
      {{"--from", "order@*"}, shop},
      {{"--from", "<>"}, null},
      {{"--from", ""}, null},
      {{"--to", "?@example.org"}, null},
      {{"--to", "[xz]@*"}, shop},
      {{"--state", "deferred"}, null},
      {{"--state", "waiting"}, null},
      {{"--state", "active"}, shop},
      {{"--state", "held"}, ""},
      {{"--from", "order*", "--to", "y*"}, ""},
      {{"--from", "shop"}, ""},
  };
  for (const Case& one : cases) {
    CAPTURE(join(one.arguments, " "));
    std::vector<std::string> arguments = {"queue"};
    arguments.insert(arguments.end(), one.arguments.begin(), one.arguments.end());
    Ran ran = rig.run(arguments);
    CHECK(ran.exit == 0);
    CHECK(first_word(ran.out) == one.id);
    CHECK(std::ranges::count(ran.out, '\n') == (one.id.empty() ? 0 : 1));
  }
  CHECK(rig.run({"queue", "--state", "frozen"}).exit == static_cast<int>(Exit::usage));
}

TEST_CASE("queue: show tells envelope, recipients and every attempt, newest last") {
  SpoolRig rig;
  mail::Envelope envelope;
  envelope.sender = "a@example.com";
  envelope.envid = "E 1";
  envelope.ret = mail::Ret::headers;
  envelope.body = mail::Body::eight_bit_mime;
  envelope.uid = 1000;
  envelope.recipients.resize(2);
  envelope.recipients[0].address = "x@example.net";
  envelope.recipients[0].orcpt = "rfc822;old@example.net";
  envelope.recipients[0].notify.failure = true;
  envelope.recipients[1].address = "y@example.net";
  auto id = rig.accept("content", envelope);
  rig.clock.advance(1s);
  rig.record(id, deferral(1, {{RecipientState::pending, "451 a"}, {RecipientState::pending, "451 b"}}));
  rig.clock.advance(1s);
  rig.record(id, deferral(1, {{RecipientState::delivered, "250 c"}, {RecipientState::pending, "451 b"}}));
  rig.record(id, deferral(2, {{RecipientState::delivered, "250 c"}, {RecipientState::pending, "452 d"}}));
  rig.clock.advance(1s);
  rig.record(id, deferral(3, {{RecipientState::delivered, "250 c"}, {RecipientState::pending, "453 e"}}));
  Ran ran = rig.run({"queue", "show", to_text(id)});
  CHECK(ran.exit == 0);
  CHECK(ran.out == to_text(id) +
                       " waiting\n"
                       "  from          <a@example.com>\n"
                       "  submitted by  uid 1000\n"
                       "  parameters    BODY=8BITMIME RET=HDRS ENVID=E 1\n"
                       "  arrived       2026-09-21T14:13:20Z\n"
                       "  size          7 bytes\n"
                       "  attempts      3\n"
                       "  waits for     its retry time\n"
                       "  next attempt  2026-09-21T14:14:23Z\n"
                       "  smarthost     main\n"
                       "  why           the smarthost said not now\n"
                       "recipients\n"
                       "  <x@example.net> delivered NOTIFY=FAILURE ORCPT=rfc822;old@example.net\n"
                       "      250 c\n"
                       "  <y@example.net> pending\n"
                       "      453 e\n"
                       "attempts still in the spool's log\n"
                       "  2026-09-21T14:13:21Z attempt 1 via main: the smarthost said not now\n"
                       "      <x@example.net> pending: 451 a\n"
                       "      <y@example.net> pending: 451 b\n"
                       "  2026-09-21T14:13:22Z attempt 2 via main: the smarthost said not now\n"
                       "      <x@example.net> delivered: 250 c\n"
                       "      <y@example.net> pending: 452 d\n"
                       "  2026-09-21T14:13:23Z attempt 3 via main: the smarthost said not now\n"
                       "      <y@example.net> pending: 453 e\n");
  std::string json = rig.run({"queue", "show", "--json", to_text(id)}).out;
  CHECK(json.find(
            "\"ret\":\"headers\",\"envid\":\"E 1\",\"body\":\"8BITMIME\",\"smtputf8\":false,\"uid\":1000") !=
        std::string::npos);
  CHECK(json.find("\"history\":[{\"time\":\"2026-09-21T14:13:21Z\",\"attempt\":1,\"smarthost\":\"main\"") !=
        std::string::npos);
}

TEST_CASE("queue: cat gives the message byte for byte, small or large, and nothing of a damaged one") {
  SpoolRig rig;
  std::string odd("Subject: \xff\x00 \x1b[2J\r\n\r\n.\r\n", 22);
  std::string large = "Subject: large\r\n\r\n" + std::string(300'000, 'l');
  auto small_id = rig.accept(odd, "a@example.com", "x@example.net");
  auto large_id = rig.accept(large, "a@example.com", "x@example.net");
  CHECK(rig.run({"queue", "cat", to_text(small_id)}).out == odd);
  CHECK(rig.run({"queue", "cat", to_text(large_id)}).out == large);
  rig.stop();
  rig.damage("Subject: large");
  rig.damage("Subject: \xff");
  for (mail::MailId id : {small_id, large_id}) {
    Ran ran = rig.run({"queue", "cat", to_text(id)});
    CHECK(ran.exit == EX_DATAERR);
    CHECK(ran.out.empty());
    CHECK(ran.err.find("is damaged") != std::string::npos);
  }
}

TEST_CASE("queue: cat --as-sent gives what the smarthost on the mail's way gets, or one by name") {
  SpoolRig rig;
  const std::string config = rig.place.file("as_sent.yaml");
  std::ofstream(config) << "hostname: app.shop.example\n"
                           "smarthosts:\n"
                           "  - {name: main, url: 'smtp://a.example', from: account@shop.example}\n"
                           "  - {name: inside, url: 'smtp://b.example', headers: {remove: [X-Secret]}}\n"
                           "routes:\n"
                           "  - {to: '*@intranet.example', via: [inside]}\n"
                           "  - {via: [main]}\n";
  const std::string body = "\r\n.\r\n" + std::string(300'000, 'l') + "\r\n";
  const std::string stored = "From: A <a@example.com>\r\nX-Secret: 1\r\n" + body;
  const auto out = rig.accept(stored, "a@example.com", "x@example.net");
  const auto in = rig.accept(stored, "a@example.com", "x@intranet.example");
  auto as_sent = [&](mail::MailId id, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"queue", "cat", to_text(id), "--as-sent", "-c", config});
    return rig.run(std::move(more));
  };
  const std::string for_main =
      "From: A <account@shop.example>\r\nX-Secret: 1\r\nReply-To: A <a@example.com>\r\n" + body;
  const std::string for_inside = "From: A <a@example.com>\r\n" + body;
  CHECK(as_sent(out).out == for_main);
  CHECK(as_sent(out).err == "hikyaku queue: as main would get it\n");
  CHECK(as_sent(in).out == for_inside);
  CHECK(as_sent(out, {"--via", "Inside"}).out == for_inside);
  CHECK(as_sent(out, {"--via", "Inside"}).err.empty());
  Ran unknown = as_sent(out, {"--via", "there"});
  CHECK(unknown.exit == EX_USAGE);
  CHECK(unknown.err.find("there is no smarthost 'there', but main, inside") != std::string::npos);
  const std::string keys = rig.place.file("keys");
  std::filesystem::create_directory(keys);
  std::ofstream(config, std::ios::app) << "dkim: {directory: " << keys << "}\n";
  CHECK(rig.run_as_it_is({"dkim", "new", "shop.example", "--selector", "s", "-c", config}).exit == 0);
  CHECK(as_sent(out).out == for_main);
  CHECK(rig.run_as_it_is({"dkim", "use", "shop.example", "s", "--force", "-c", config}).exit == 0);
  CHECK(
      as_sent(out).out.starts_with("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=shop.example;"));
  CHECK(as_sent(out).out.ends_with(for_main));
  CHECK(as_sent(in).out == for_inside);  // there is no key for example.com
  CHECK(rig.run({"queue", "cat", to_text(out), "--via", "main"}).exit == EX_USAGE);
  CHECK(rig.run({"queue", "cat", to_text(out), "-c", config}).out == stored);
}

TEST_CASE("queue: a damaged envelope is told of, and the other mails are listed") {
  SpoolRig rig;
  auto hit = rig.accept("one", "hit@example.com", "x@example.net");
  auto whole = rig.accept("two", "whole@example.com", "x@example.net");
  rig.stop();
  rig.damage("hit@example.com");
  Ran ran = rig.run({"queue", "--all"});
  CHECK(ran.exit == EX_DATAERR);
  CHECK(first_word(ran.out) == to_text(whole));
  CHECK(ran.err.find(to_text(hit)) != std::string::npos);
  CHECK(rig.run({"queue", "show", to_text(hit)}).exit == EX_DATAERR);
}

TEST_CASE(
    "queue: hostile bytes in addresses and replies reach neither the terminal nor the JSON as they are") {
  SpoolRig rig;
  mail::Envelope envelope;
  envelope.sender = "\x1b]0;owned\x07\n001k0ts4wbcfh active\xff@example.com";
  envelope.envid =
      "\x9b"
      "1m";
  envelope.recipients.resize(1);
  envelope.recipients[0].address = "\"q\\\"\"\xc2\x9b@example.net";
  envelope.recipients[0].orcpt = "rfc822;\r\n\x1b";
  auto id = rig.accept("content", envelope);
  auto progress = deferral(1, {{RecipientState::pending, "451 \x1b[2J\\x0a\xff \xe2\x80\xa8"}});
  progress.reason = "\x1b[31m";
  progress.smarthost = "\x07";
  rig.record(id, progress);
  auto is_plain = [](const std::string& text) {
    return is_valid_utf8(text) && text.find("\xc2\x9b") == std::string::npos &&
           std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= 0x20 && c != 0x7f) || c < 0; });
  };
  Ran list = rig.run({"queue", "--all"});
  CHECK(is_plain(list.out));
  CHECK(std::ranges::count(list.out, '\n') == 1);
  Ran show = rig.run({"queue", "show", to_text(id)});
  CHECK(is_plain(show.out));
  CHECK(show.out.find("451 \\x1b[2J\\x0a\\xff \\u{2028}") != std::string::npos);
  for (Ran ran : {rig.run({"queue", "--json"}), rig.run({"queue", "show", "--json", to_text(id)})}) {
    CHECK(is_valid_utf8(ran.out));
    CHECK(std::ranges::count(ran.out, '\n') == 1);
    CHECK(ran.out.find("\\u001b]0;owned\\u0007\\u000a001k0ts4wbcfh active\xef\xbf\xbd@") !=
          std::string::npos);
    CHECK(ran.out.find('\x1b') == std::string::npos);
  }
}

TEST_CASE("queue: what is not there is an error in words") {
  SpoolRig rig;
  Ran unknown = rig.run({"queue", "show", "001k0ts4wbcfh"});
  CHECK(unknown.exit == EX_NOINPUT);
  CHECK(unknown.err == "hikyaku queue: there is no mail 001k0ts4wbcfh in the queue\n");
  CHECK(rig.run({"queue", "cat", "hello"}).exit == EX_USAGE);
  Ran missing = rig.run_as_it_is({"queue", "--directory", rig.place.file("nothing")});
  CHECK(missing.exit == EX_NOINPUT);
  CHECK(missing.err.find("there is no spool in " + rig.place.file("nothing")) != std::string::npos);
  CHECK(rig.run_as_it_is({"queue", "--directory", rig.place.path()}).exit == EX_NOINPUT);
  Ran unconfigured = rig.run_as_it_is({"queue", "-c", rig.place.file("nothing.yaml")});
  CHECK(unconfigured.exit == EX_CONFIG);
  CHECK(unconfigured.err.find("--directory") != std::string::npos);
}

TEST_CASE("queue: the configuration says where the spool is") {
  SpoolRig rig;
  auto id = rig.accept("one", "a@example.com", "x@example.net");
  std::string file = rig.place.file("hikyaku.yaml");
  std::ofstream(file) << "smarthost: smtps://smtp.example.com\nspool: {directory: " << rig.directory()
                      << "}\n";
  CHECK(first_word(rig.run_as_it_is({"queue", "--all", "-c", file}).out) == to_text(id));
  CHECK(rig.run_as_it_is({"queue", "cat", to_text(id), "-c", file}).out == "one");
}

// Only root can become somebody else; tests/run.sh is root.
TEST_CASE("queue: a spool that is not ours to read says whose it is" * doctest::skip(::geteuid() != 0)) {
  SpoolRig rig;
  ::chmod(rig.place.path().c_str(), 0711);
  ::chmod(rig.directory().c_str(), 0711);
  REQUIRE(::seteuid(65534) == 0);
  Action chosen = understand_command_line({"queue", "--directory", rig.directory()});
  REQUIRE(::seteuid(0) == 0);
  Captured captured(rig.place.path());
  REQUIRE(::seteuid(65534) == 0);
  Exit exit = chosen();
  REQUIRE(::seteuid(0) == 0);
  CHECK(exit == Exit::no_permission);
  CHECK(captured.err() == "hikyaku queue: only root may read " + rig.directory() + "; try sudo\n");
}
