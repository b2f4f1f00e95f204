// SPDX-License-Identifier: MIT
#include "daemon/sendmail/arguments.h"

#include <string>
#include <vector>

#include "daemon/base/text.h"
#include "doctest/doctest.h"

using namespace hikyaku;
using namespace hikyaku::sendmail;

namespace {

Result<Request, Failure> parse(const std::vector<std::string>& arguments) {
  std::vector<std::string_view> views(arguments.begin(), arguments.end());
  return parse_arguments(views);
}

// A command line as people write it; no quotes.
Result<Request, Failure> parse(std::string_view line) {
  std::vector<std::string> arguments;
  for (std::string_view word : words(line)) arguments.emplace_back(word);
  return parse(arguments);
}

Request good(std::string_view line) {
  CAPTURE(line);
  auto request = parse(line);
  REQUIRE_MESSAGE(request.has_value(), (request ? "" : request.error().text));
  return *request;
}

Request to_r() {
  Request request;
  request.recipients = {"r"};
  return request;
}

template <class Change>
Request changed(const Change& change) {
  Request request = to_r();
  change(request);
  return request;
}

}  // namespace

// FIELD's table, row by row: what Postfix, OpenSMTPD, Exim, msmtp, nullmailer, dma or Sendmail accepts and
// what has no meaning here. Each stands before the recipient r, which must come out alone.
TEST_CASE("arguments: every option of every other sendmail that has no meaning here is accepted silently") {
  for (const char* options : {"-Ac",
                              "-Am",
                              "-A c",
                              "-A m",
                              "-ba",
                              "-b a",
                              "-bm",
                              "-b m",
                              "-bq",
                              "-bhc",
                              "-bnq",
                              "-brt",
                              "-brw",
                              "-be",
                              "-bem",
                              "-bf",
                              "-bfd",
                              "-bfl",
                              "-bfp",
                              "-bfs",
                              "-bF",
                              "-bmalware",
                              "-bI:help",
                              "-BBINARYMIME",
                              "-c",
                              "-D",
                              "-DMACRO=x",
                              "-d",
                              "-d0-99.99",
                              "-dS",
                              "-dropcr",
                              "-E",
                              "-E2",
                              "-em",
                              "-ep",
                              "-eq",
                              "-ee",
                              "-ew",
                              "-e m",
                              "-e p",
                              "-G",
                              "-h3",
                              "-h 3",
                              "-J",
                              "-Jx",
                              "-Ltag",
                              "-L tag",
                              "-m",
                              "-n",
                              "-OMaxRecipientsPerMessage=5",
                              "-O MinFreeBlocks=1",
                              "-Orequiretls=yes",
                              "-O smtputf8=yes",
                              "-OIgnoreDots=False",
                              "-o7",
                              "-o8",
                              "-o 7",
                              "-oA/etc/aliases",
                              "-oA /etc/aliases",
                              "-odb",
                              "-odf",
                              "-odi",
                              "-odq",
                              "-odqs",
                              "-o db",
                              "-oee",
                              "-oem",
                              "-oep",
                              "-oeq",
                              "-oew",
                              "-o em",
                              "-om",
                              "-o m",
                              "-oMa 1.2.3.4",
                              "-oMaa x",
                              "-oMai x",
                              "-oMas x",
                              "-oMi x",
                              "-oMm x",
                              "-oMr smtp",
                              "-oMs host",
                              "-oMt x",
                              "-oMrsmtp",
                              "-oo",
                              "-oP /run/x",
                              "-oPX",
                              "-or1d",
                              "-os1d",
                              "-ov",
                              "-oX 25",
                              "-oY",
                              "-oB10",
                              "-oQ/tmp",
                              "-oT3d",
                              "-pesmtp",
                              "-p esmtp:host",
                              "-pd",
                              "-ps",
                              "-S",
                              "-Tqt",
                              "-tls-on-connect",
                              "-U",
                              "-x",
                              "-X/tmp/log",
                              "-X /tmp/log",
                              "-XV",
                              "-XV+=",
                              "-z line",
                              "-a account",
                              "-aaccount",
                              "--account x",
                              "--account=x",
                              "--host=h",
                              "--port 25",
                              "--timeout=3",
                              "--connect-timeout 3",
                              "--protocol=smtp",
                              "--domain d",
                              "--auth",
                              "--auth=on",
                              "--user u",
                              "--passwordeval x",
                              "--tls",
                              "--tls=on",
                              "--tls-starttls=off",
                              "--tls-trust-file x",
                              "--tls-crl-file=x",
                              "--tls-fingerprint x",
                              "--tls-key-file x",
                              "--tls-cert-file x",
                              "--tls-certcheck",
                              "--tls-priorities x",
                              "--tls-host-override x",
                              "--tls-min-dh-prime-bits=1",
                              "--tls-force-sslv3",
                              "--set-from-header=on",
                              "--set-date-header",
                              "--set-msgid-header",
                              "--set-to-header",
                              "--add-missing-from-header",
                              "--add-missing-date-header=off",
                              "--remove-bcc-headers",
                              "--undisclosed-recipients",
                              "--keepbcc",
                              "--logfile=x",
                              "--logfile-time-format x",
                              "--syslog",
                              "--syslog=on",
                              "--aliases x",
                              "--proxy-host x",
                              "--proxy-port 1",
                              "--source-ip x",
                              "--socket x",
                              "--debug",
                              "--auto-from",
                              "--auto-from=on",
                              "--maildomain x",
                              "--allow-from-override=off"}) {
    CAPTURE(options);
    CHECK(good(cat("sendmail ", options, " r")) == to_r());
    CHECK(good(cat("sendmail -U ", options, " -- r")) == to_r());
  }
}

TEST_CASE("arguments: what has a meaning is understood, attached and separate") {
  struct Row {
    std::vector<const char*> options;
    Request request;
  };
  const Row rows[] = {
      {{"-fa@b", "-f a@b", "-ra@b", "-r a@b", "--from=a@b", "--from a@b", "-f x -f a@b"},
       changed([](Request& r) { r.sender = "a@b"; })},
      {{"-f<>", "-f <>", "-r <>"}, changed([](Request& r) { r.sender = ""; })},
      {{"-FCronDaemon", "-F CronDaemon"}, changed([](Request& r) { r.full_name = "CronDaemon"; })},
      {{"-i", "-oi", "-o i", "-oitrue", "-OIgnoreDots", "-O ignoredots=true", "-mi", "-iU"},
       changed([](Request& r) { r.dot_ends_input = false; })},
      {{"-t", "--read-recipients"}, changed([](Request& r) { r.recipients_from_header = true; })},
      {{"-ti", "-t -i", "-it", "-t -oi"}, changed([](Request& r) {
         r.recipients_from_header = true;
         r.dot_ends_input = false;
       })},
      {{"--read-envelope-from"}, changed([](Request& r) { r.sender_from_header = true; })},
      {{"-Nnever", "-N never", "-N NEVER", "--dsn-notify=never"},
       changed([](Request& r) { r.notify = "NEVER"; })},
      {{"-Nsuccess,delay", "-N success,delay,success", "--dsn-notify success,delay"},
       changed([](Request& r) { r.notify = "SUCCESS,DELAY"; })},
      {{"-N failure -Noff", "--dsn-notify=off", "-Rfull -R off"}, to_r()},
      {{"-Rfull", "-R full", "--dsn-return=full"}, changed([](Request& r) { r.ret = "FULL"; })},
      {{"-Rhdrs", "-R hdrs"}, changed([](Request& r) { r.ret = "HDRS"; })},
      {{"-Vid-1", "-V id-1"}, changed([](Request& r) { r.envid = "id-1"; })},
      {{"-B8BITMIME", "-B 8BITMIME", "-B8bitmime"}, changed([](Request& r) { r.body = "8BITMIME"; })},
      {{"-B7BIT", "-B 7BIT"}, changed([](Request& r) { r.body = "7BIT"; })},
      {{"-v"}, changed([](Request& r) { r.verbose = 1; })},
      {{"-vv", "-v -v", "-v -U -v"}, changed([](Request& r) { r.verbose = 2; })},
      {{"-C/etc/x", "-C /etc/x", "--file=/etc/x", "--file /etc/x"},
       changed([](Request& r) { r.config_file = "/etc/x"; })},
      {{"-bp", "-b p", "-bpa", "-bpi", "-bpr", "-bpra", "-bpri", "-bpru", "-bpu"},
       changed([](Request& r) { r.mode = Mode::list_queue; })},
      {{"-bp -j", "-j -bp"}, changed([](Request& r) {
         r.mode = Mode::list_queue;
         r.json = true;
       })},
      {{"-bP", "-bpc"}, changed([](Request& r) { r.mode = Mode::count_queue; })},
      {{"-bi", "-I", "-b i"}, changed([](Request& r) { r.mode = Mode::check_aliases; })},
      {{"-bs", "-bs -odb -oem", "-b s"}, changed([](Request& r) { r.mode = Mode::speak_smtp; })},
      {{"-bS"}, changed([](Request& r) { r.mode = Mode::batch_smtp; })},
      {{"-bt"}, changed([](Request& r) { r.mode = Mode::test_addresses; })},
      {{"-bv", "-bvs"}, changed([](Request& r) { r.mode = Mode::verify; })},
      {{"-bV", "--version", "-version", "--version=x"}, changed([](Request& r) { r.mode = Mode::version; })},
      {{"--help", "-help"}, changed([](Request& r) { r.mode = Mode::help; })},
      {{"-bh", "-bH", "-P", "--pretend"}, changed([](Request& r) { r.mode = Mode::nothing; })},
      {{"-q", "-q15m", "-qf", "-qff", "-qqf", "-qG news", "-qGnews", "-qp5m", "-q!Ix", "-qSa@b", "-qS a@b",
        "-ql"},
       changed([](Request& r) { r.mode = Mode::run_queue; })},
      {{"-qI1A2B", "-qI 1A2B", "-qfI1A2B"}, changed([](Request& r) {
         r.mode = Mode::run_queue;
         r.queue_run.ids = {"1A2B"};
       })},
      {{"-qRexample.com", "-qR example.com", "-qR@example.com"}, changed([](Request& r) {
         r.mode = Mode::run_queue;
         r.queue_run.domain = "example.com";
       })},
  };
  for (const Row& row : rows)
    for (const char* options : row.options) {
      CAPTURE(options);
      CHECK(good(cat("sendmail ", options, " r")) == row.request);
    }
}

TEST_CASE("arguments: the command lines that callers really use") {
  Request cron = good("/usr/sbin/sendmail -FCronDaemon -i -odi -oem -oi -t -f root");
  CHECK(cron.full_name == "CronDaemon");
  CHECK((cron.recipients_from_header && !cron.dot_ends_input && cron.recipients.empty()));
  CHECK(cron.sender == "root");
  Request debian = good("/usr/sbin/sendmail -i -FCronDaemon -B8BITMIME -oem root");
  CHECK(debian.recipients == std::vector<std::string>{"root"});
  CHECK(debian.body == "8BITMIME");
  Request mailutils = good("sendmail -oi -f user@host -t");
  CHECK((mailutils.sender == "user@host" && mailutils.recipients_from_header));
  CHECK(good("sendmail -bs -odb -oem").mode == Mode::speak_smtp);
  Request mutt = good("sendmail -oem -oi -N failure -R hdrs -f me@x -- a@b c@d");
  CHECK(mutt.recipients == std::vector<std::string>{"a@b", "c@d"});
  CHECK((mutt.notify == "FAILURE" && mutt.ret == "HDRS" && !mutt.dot_ends_input));
}

TEST_CASE("arguments: the program's name chooses the mode") {
  CHECK(good("/usr/bin/mailq").mode == Mode::list_queue);
  CHECK(good("mailq -j").json);
  CHECK(good("/usr/bin/newaliases").mode == Mode::check_aliases);
  CHECK(good("rsmtp").mode == Mode::batch_smtp);
  CHECK(good("runq").mode == Mode::run_queue);
  CHECK(good("hoststat").mode == Mode::nothing);
  CHECK(good("/x/rmail r").dot_ends_input == false);
  CHECK(good("/mailq/sendmail r") == to_r());
  CHECK(good("mailq -bm r") == to_r());
}

TEST_CASE("arguments: options end at the first operand or at two dashes") {
  CHECK(good("sendmail -- -v -f").recipients == std::vector<std::string>{"-v", "-f"});
  CHECK(good("sendmail --").recipients.empty());
  for (const char* line : {"sendmail r -f", "sendmail - r", "sendmail -i r --"}) {
    CAPTURE(line);
    auto dashed = parse(line);
    REQUIRE_FALSE(dashed.has_value());
    CHECK(dashed.error().kind == Exit::usage);
    CHECK(dashed.error().text.find("begins with a dash") != std::string::npos);
  }
}

TEST_CASE("arguments: what nobody knows is a usage error with a hint") {
  struct Row {
    const char* line;
    const char* hint;
  };
  for (const Row& row :
       {Row{"sendmail -k r", "unknown option -k"}, Row{"sendmail -ik r", "unknown option -k"},
        Row{"sendmail --read-recipient r", "perhaps --read-recipients"},
        Row{"sendmail --qwertz r", "unknown option --qwertz; see sendmail(8)"},
        Row{"sendmail -bX r", "unknown mode -bX"}, Row{"sendmail -f", "-f needs a value"},
        Row{"sendmail --from", "--from needs a value"}, Row{"sendmail -Nmaybe r", "-N takes"},
        Row{"sendmail -Nnever,delay r", "-N takes"}, Row{"sendmail -N  r", "-N takes"},
        Row{"sendmail -Rsmtp r", "-R takes"}}) {
    CAPTURE(row.line);
    auto request = parse(row.line);
    REQUIRE_FALSE(request.has_value());
    CHECK(request.error().kind == Exit::usage);
    CHECK(request.error().text.find(row.hint) != std::string::npos);
  }
  CHECK_FALSE(parse(std::vector<std::string>{}).has_value());
}

TEST_CASE("arguments: what is done elsewhere is not done silently") {
  for (const char* line : {"sendmail -bd", "sendmail -bD", "sendmail -bl", "sendmail -bdf",
                           "sendmail -bd -q15m", "sendmail -bw", "sendmail -Mrm 1A", "sendmail -MC",
                           "sendmail -S --serverinfo", "sendmail --configure=x", "sendmail --rmqs x"}) {
    CAPTURE(line);
    auto request = parse(line);
    REQUIRE_FALSE(request.has_value());
    CHECK(request.error().kind == Exit::unavailable);
    CHECK(request.error().text.find("hikyaku") != std::string::npos);
  }
}

TEST_CASE("arguments: no control character gets in by an option") {
  for (const char* option :
       {"-f", "-F", "-r", "-V", "-O", "-C", "-X", "-o", "-N", "-B", "-h", "-L", "-q", "-d", "-p"})
    for (const char* value : {"x\nBcc: e@x", "a@b>\r\nRCPT TO:<e@x", "\x1b[2J", "\x7f", "x\t"}) {
      CAPTURE(option);
      auto attached = parse({"sendmail", cat(option, value), "r"});
      CHECK_FALSE(attached.has_value());
      CHECK(attached.error().kind == Exit::usage);
      if (std::string_view(option) == "-q" || std::string_view(option) == "-d") continue;
      CHECK_FALSE(parse({"sendmail", option, value, "r"}).has_value());
    }
  CHECK_FALSE(parse({"sendmail", "--from=a\nb", "r"}).has_value());
  CHECK_FALSE(parse({"sendmail", "-qI", "a\nb", "r"}).has_value());
}

TEST_CASE("arguments: an error repeats what was typed only in a printable form, and not all of it") {
  auto request = parse({"sendmail", "--\x1b[2J" + std::string(10'000, 'x')});
  REQUIRE_FALSE(request.has_value());
  CHECK(request.error().text.find('\x1b') == std::string::npos);
  CHECK(request.error().text.size() < 200);
}

TEST_CASE("arguments: ENVID has its limit, and a name must be UTF-8") {
  CHECK(parse({"sendmail", "-V", std::string(100, 'a'), "r"}).has_value());
  CHECK_FALSE(parse({"sendmail", "-V", std::string(101, 'a'), "r"}).has_value());
  CHECK_FALSE(parse({"sendmail", "-V", std::string(34, '+'), "r"}).has_value());
  CHECK_FALSE(parse({"sendmail", "-V", "\xc3\xbc", "r"}).has_value());
  CHECK(parse({"sendmail", "-F", "J\xc3\xbcrgen O'Neil", "r"})->full_name == "J\xc3\xbcrgen O'Neil");
  CHECK_FALSE(parse({"sendmail", "-F", "\xff", "r"}).has_value());
}

TEST_CASE("arguments: a name of the daemon's own is told how to be started") {
  CHECK(parse("sendmail -bd").error().text.find("systemctl start hikyaku") != std::string::npos);
  CHECK(usage_text().find("RECIPIENT") != std::string::npos);
}
