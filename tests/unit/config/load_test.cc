// SPDX-License-Identifier: MIT
#include "doctest/doctest.h"
#include "tests/unit/config/loading.h"
#include "tests/unit/config/scratch_directory.h"

namespace hikyaku::config {
namespace {

TEST_CASE("config: the first example is a complete file, and everything else has its default") {
  Settings settings = settings_of("smarthost: smtps://smtp.example.com\n");
  Settings defaults;
  CHECK(settings.hostname == "app1.example.com");
  CHECK(settings.domain == "app1.example.com");
  REQUIRE(settings.listen.endpoints.size() == 2);
  CHECK(settings.listen.endpoints[0].to_text() == "127.0.0.1:25");
  CHECK(settings.listen.endpoints[1].to_text() == "[::1]:25");
  CHECK(!settings.listen.is_explicit);
  CHECK(settings.allow[0].contains(*IpAddress::parse("127.9.9.9")));
  CHECK(settings.allow[1].contains(*IpAddress::parse("::1")));
  CHECK(settings.user.empty());
  CHECK(settings.message == defaults.message);
  CHECK(settings.spool == defaults.spool);
  CHECK(settings.queue == defaults.queue);
  CHECK(settings.log == defaults.log);
  REQUIRE(settings.smarthosts.size() == 1);
  CHECK(settings.smarthosts[0].name == "smtp.example.com");
  CHECK(settings.smarthosts[0].port == 465);
}

constexpr std::string_view kEverything = R"(
hostname: mail.example.com
domain: example.com
listen: ["0.0.0.0:2525", "[::]:2525"]
allow: ["10.0.0.0/8", "fd00::/8"]
user: hikyaku
authinfo: /srv/authinfo
authinfo_mode: any
oauth_directory: /srv/oauth
local_mail: ops@example.net
senders: ["*@example.com", "*@*.example.com", app@example.net]
masquerade: [web1.example.com, localhost]
copy_to: archive@example.net
runtime_directory: /srv/run
shutdown_grace: 1m
smarthosts:
  - host: a.example.com
message: {max_size: 1MiB, max_recipients: 7, max_hops: 9}
spool: {directory: /srv/spool, min_free: 0, segment_size: 1MiB, url: "postgresql://me@db/mail", lease: 4s, takeover: 5s}
node: left
memory: 32MiB
limits: {connections: 11, per_client: 3}
submit: {trusted: [www-data, 'DOM\some.one$'], others: rewrite}
queue:
  lifetime: 2d
  retry: {first: 1s, factor: 1.5, max: 2m}
  delay_notice: 0
  bounce: {postmaster: postmaster@example.com, return: full}
control: {group: operators}
log: {level: debug, format: json, addresses: masked}
dkim: {directory: /srv/dkim, headers: [default, X-Tag]}
dns: "192.0.2.53:5353"
metrics: "127.0.0.1:9725"
)";

TEST_CASE("config: each key reaches its setting") {
  Settings s = settings_of(kEverything);
  CHECK(s.hostname == "mail.example.com");
  CHECK(s.domain == "example.com");
  CHECK(s.listen.is_explicit);
  CHECK(s.listen.endpoints[1].to_text() == "[::]:2525");
  CHECK(s.allow.size() == 2);
  CHECK(!s.allow[0].contains(*IpAddress::parse("127.0.0.1")));
  CHECK(s.user == "hikyaku");
  CHECK(s.authinfo == AuthinfoSettings{"/srv/authinfo", true, {}, AuthinfoMode::any});
  CHECK(s.oauth_directory == "/srv/oauth");
  CHECK(s.local_mail == "ops@example.net");
  CHECK(to_text(s.senders) == "*@example.com, *@*.example.com, app@example.net");
  CHECK(s.masquerade == std::vector<std::string>{"web1.example.com", "localhost"});
  CHECK(s.copy_to == "archive@example.net");
  CHECK(s.runtime_directory == "/srv/run");
  CHECK(s.shutdown_grace == 1min);
  CHECK(s.message == MessageSettings{1_MiB, 7, 9});
  CHECK(s.spool == SpoolSettings{"/srv/spool", {0}, 1_MiB, "postgresql://me@db/mail", 4s, 5s});
  CHECK(s.node == "left");
  CHECK(s.memory == 32_MiB);
  CHECK(s.limits == LimitSettings{11, 3});
  CHECK(s.submit == SubmitSettings{{"www-data", "DOM\\some.one$"}, SubmitOthers::rewrite});
  CHECK(s.queue.lifetime == 48h);
  CHECK(s.queue.retry == RetrySettings{1s, 1.5, 2min});
  CHECK(s.queue.delay_notice == 0s);
  CHECK(s.queue.bounce_return == BounceReturn::full);
  CHECK(s.queue.postmaster == "postmaster@example.com");
  CHECK(s.control.group == "operators");
  CHECK(s.log == LogSettings{LogLevel::debug, LogFormat::json, LogAddresses::masked});
  CHECK(s.dkim == DkimSettings{"/srv/dkim", true, {"default", "X-Tag"}});
  CHECK(s.dns == Endpoint::parse("192.0.2.53:5353"));
  CHECK(s.metrics == Endpoint::parse("127.0.0.1:9725"));
}

TEST_CASE("config: the DNS server's port is 53 unless it is given, and null means the system's servers") {
  auto dns_of = [](std::string_view value) {
    return settings_of(cat("smarthost: smtps://a.example\ndns: ", value, "\n")).dns;
  };
  CHECK(dns_of("192.0.2.53") == Endpoint::parse("192.0.2.53:53"));
  CHECK(dns_of("'2001:db8::53'") == Endpoint::parse("[2001:db8::53]:53"));
  CHECK(dns_of("'[::1]:5300'") == Endpoint::parse("[::1]:5300"));
  CHECK(dns_of("null") == std::nullopt);
}

TEST_CASE("config: null is the absence of an address, and one pattern needs no list") {
  Settings s = settings_of(
      "smarthost: smtps://smtp.example.com\nlocal_mail: null\ncopy_to: null\nsenders: \"*@example.com\"\n"
      "masquerade: web1\nqueue: {bounce: {postmaster: null}}\n");
  CHECK(s.local_mail.empty());
  CHECK(s.copy_to.empty());
  CHECK(s.queue.postmaster.empty());
  CHECK(to_text(s.senders) == "*@example.com");
  CHECK(s.masquerade == std::vector<std::string>{"web1"});
}

TEST_CASE("config: settings compare part by part, for a reload") {
  Settings a = settings_of(kEverything);
  Settings b = a;
  CHECK(a == b);
  b.listen.endpoints.pop_back();
  CHECK(!(a.listen == b.listen));
  CHECK(a.smarthosts == b.smarthosts);
}

TEST_CASE("config: all problems are told at once, each with its place, key and what is allowed") {
  Problems problems = problems_of(
      "smarthosts:\n"
      "  - host: smtp.example.com\n"
      "    tsl: implicit\n"
      "    connections: 0\n"
      "queue: {lifetime: soon}\n");
  REQUIRE(problems.size() == 3);
  CHECK(to_text(problems[0]) == "h.yaml:3:5: smarthosts[0].tsl: unknown key; did you mean `tls`?");
  CHECK(to_text(problems[1]) ==
        "h.yaml:4:18: smarthosts[0].connections: must be a whole number from 1 to 1000");
  CHECK(problems[2].line == 5);
  CHECK(problems[2].column == 19);
  CHECK(problems[2].key == "queue.lifetime");
  CHECK(contains(problems[2].text, "30s, 5m, 4h or 5d"));
}

struct FileComplaint {
  const char* yaml;
  const char* part;
};

constexpr FileComplaint kFileComplaints[] = {
    {"hostnam: a.example.com", "did you mean `hostname`?"},
    {"colour: blue", "unknown key; there are hostname, domain"},
    {"password: hunter2", "authinfo"},
    {"relayhost: smtp.example.com", "`smarthost: smtps://HOST`"},
    {"hostname: localhost", "must not be localhost"},
    {"hostname: a b", "such as app1.example.com"},
    {"hostname:", "such as app1.example.com"},
    {"hostname: [a, b]", "such as app1.example.com"},
    {"domain: \"[127.0.0.1]\"", "such as example.com"},
    {"listen: 25", "\"127.0.0.1:25\""},
    {"listen: [\"localhost:25\"]", "\"127.0.0.1:25\""},
    {"listen: [\"127.0.0.1:25\", \"127.0.0.1:25\"]", "listen[1]: this address appears twice"},
    {"listen: []", "at least one address"},
    {"allow: [everybody]", "allow[0]: must be a network"},
    {"allow: []", "at least one network"},
    {"allow: [{network: here}]", "allow[0].network: must be a network"},
    {"allow: [{peer: true}]", "allow[0]: must say which `network`"},
    {"allow: [{network: 10.0.0.2, peer: maybe}]", "allow[0].peer: must be "},
    {"allow: [{network: 10.0.0.2, pear: true}]", "did you mean `peer`?"},
    {"authinfo: authinfo", "absolute path"},
    {"authinfo: null", "has no value"},
    {"authinfo_mode: 0444", "secret, any"},
    {"local_mail: root", "local_mail: must be a mail address such as admin@example.com"},
    {"local_mail: root@localhost", "must be a mailbox elsewhere"},
    {"local_mail: [a@example.com, b@example.com]", "must be a mail address"},
    {"copy_to: <a@example.com>", "copy_to: must be a mail address"},
    {"copy_to: a@example.com.", "must be a mail address"},
    {"copy_to: \"@b.test:a@example.com\"", "must be a mail address"},
    {"queue: {bounce: {postmaster: postmaster}}", "queue.bounce.postmaster: must be a mail address"},
    {"queue: {bounce: {postmaster: \"\"}}", "must be a mail address"},
    {"senders: []", "must have at least one address or pattern"},
    {"senders: null", "senders: must be an address such as user@example.com"},
    {"senders: [a@example.com, example.com]", "senders[1]: must say whose addresses, too"},
    {"senders: [*@example.com]", "needs quotes"},
    {"senders: [[a@example.com]]", "senders[0]: must be an address such as"},
    {"senders: [\"hunter2\"]", "senders[0]: must be an address such as"},
    {"masquerade: [\"*.example.com\"]", "masquerade[0]: must be the name of a host"},
    {"masquerade: null", "must be the name of a host"},
    {"log: {addresses: mask}", "must be one of plain, masked"},
    {"log: {format: syslog}", "must be one of text, json, postfix"},
    {"memory: 64", "64KiB or 50MiB"},
    {"memory: 1KiB", "from 1MiB"},
    {"message: 50MiB", "must be a mapping"},
    {"message: {max_size: 0}", "from 1KiB to 4GiB"},
    {"message: {max_recipients: 1.5}", "whole number"},
    {"spool: {segment_size: 512KiB}", "from 1MiB to 1GiB"},
    {"spool: {segment_size: 2GiB}", "from 1MiB to 1GiB"},
    {"spool: {url: mysql://db/mail}", "must be a URL such as postgresql://"},
    {"spool: {url: \"postgresql://me:secret@db/mail\"}", "must not have a password in it"},
    {"spool: {url: \"postgresql://db/mail?password=secret\"}", "must not have a password in it"},
    {"spool: {lease: 500ms}", "from 1s to 10m"},
    {"spool: {takeover: 2h}", "from 1s to 1h"},
    {"node: [a]", "the name of this machine in a shared spool"},
    {"queue: {retry: {factor: 0.5}}", "must be a number from 1 to 10"},
    {"queue: {retry: {factor: nan}}", "must be a number from 1 to 10"},
    {"queue: {retry: {first: 2h}}", "`max` must not be less than `first`"},
    {"queue: {bounce: {return: ful}}", "headers, full; did you mean full?"},
    {"log: {level: verbose}", "error, warning, info, debug"},
    {"log: text", "must be a mapping"},
    {"metrics: 127.0.0.1", "must be an address and a port"},
    {"metrics: localhost:9725", "must be an address and a port"},
    {"metrics: true", "must be an address and a port"},
    {"dkim: {directory: keys}", "dkim.directory: must be"},
    {"dkim: {headers: [default, 'a b']}",
     "dkim.headers[1]: must be the name of a header field, such as X-Tag, or default"},
    {"dkim: {headers: [Subject, Date]}", "dkim.headers: must have From, or default for the usual fields"},
    {"dkim: {headers: []}", "dkim.headers: must have From"},
    {"dkim: {headers: [From, Date, date]}", "dkim.headers[2]: this field appears twice"},
    {"dkim: {headers: [default, received]}",
     "dkim.headers[1]: Received cannot be signed: each server on the way adds one"},
    {"dkim: {headers: [From, Bcc]}", "dkim.headers[1]: Bcc cannot be signed: servers on the way take it out"},
    {"dkim: {sign: true}", "dkim.sign: unknown key"},
    {"dns: resolver.example", "must be the address of a DNS server"},
    {"dns: \"192.0.2.53:99999\"", "must be the address of a DNS server"},
    {"submit: {trusted: [\"a b\"]}", "submit.trusted[0]: must be the name of a user or a group"},
    {"submit: {trusted: [[a]]}", "such as www-data"},
    {"submit: {others: refuse}", "must be one of allow, rewrite"},
    {"submit: {other: allow}", "did you mean `others`?"},
    {"submit: allow", "must be a mapping"},
    {"user: \"a\\nb\"", "user of this machine"},
    {"user: \"a\\x7fb\"", "user of this machine"},
    {"{a: 1}: 2", "must be a single word"},
    {"memory: 8MiB\nmemory: 9MiB", "appears twice"},
};

TEST_CASE("config: whatever is wrong is refused and explained") {
  for (const FileComplaint& c : kFileComplaints) {
    CAPTURE(c.yaml);
    std::string lines = complaints_beside_smarthost(c.yaml);
    CAPTURE(lines);
    CHECK(contains(lines, c.part));
    CHECK(contains(lines, "h.yaml:"));
    CHECK(!contains(lines, "hunter2"));
  }
}

TEST_CASE("config: who may send is a network, or one that is a peer too") {
  const Settings settings = settings_of(
      "smarthost: smtps://a.example\nallow: [10.0.0.0/8, {network: 192.0.2.2, peer: true}, {network: "
      "fd00::/8}]\n");
  REQUIRE(settings.allow.size() == 3);
  CHECK(settings.allow[1] == *Network::parse("192.0.2.2"));
  CHECK(settings.peers == std::vector<Network>{*Network::parse("192.0.2.2")});
}

TEST_CASE("config: listening beyond loopback needs an explicit allow, and says why") {
  std::string lines = complaints_beside_smarthost("listen: [\"127.0.0.1:25\", \"0.0.0.0:25\"]");
  CHECK(contains(lines, "h.yaml:2:9: listen: 0.0.0.0:25 can be reached"));
  CHECK(contains(lines, "open relay"));
  CHECK(!contains(lines, "127.0.0.1:25 can"));
  CHECK(complaints_beside_smarthost("listen: [\"127.0.0.2:2525\", \"[::1]:2525\"]") == "");
  CHECK(complaints_beside_smarthost("listen: \"192.0.2.1:25\"\nallow: 192.0.2.0/24") == "");
}

TEST_CASE("config: a smarthost is needed, and in one place only") {
  CHECK(contains(complaints(""), "`smarthost: smtps://smtp.example.com`"));
  CHECK(contains(complaints("# nothing\n"), "needs a smarthost"));
  CHECK(contains(complaints("smarthosts: []"), "at least one smarthost"));
  CHECK(contains(complaints("smarthosts: smtps://a.example"), "must be a list"));
  CHECK(contains(complaints_beside_smarthost("smarthosts: [\"smtps://a.example\"]"),
                 "there is `smarthost` as well"));
}

TEST_CASE("config: a section whose keys are all commented out has its defaults") {
  Settings settings =
      settings_of("smarthost: smtps://smtp.example.com\nlimits:\n  # connections: 5\nqueue:\n");
  CHECK(settings.limits == LimitSettings{});
}

TEST_CASE("config: what is no YAML, or more than we take of it, is told with its place") {
  CHECK(contains(complaints("smarthost: [a\nb: c\n"), "h.yaml:"));
  CHECK(contains(complaints("smarthost: [a\nb: c\n"), "not valid YAML"));
  CHECK(contains(complaints("listen: *:25\n"), "a value that begins with * needs quotes"));
  CHECK(contains(complaints("- a\n- b\n"), "must be a mapping"));
  CHECK(contains(complaints("smtps://smtp.example.com"), "must be a mapping"));
  CHECK(contains(complaints("a: &x 1\nb: *x\n"), "h.yaml:2:4: aliases"));
  CHECK(contains(complaints("a: !secret 1\n"), "tags"));
  CHECK(contains(complaints("a: 1\n---\nb: 2\n"), "second document"));
  CHECK(contains(complaints(std::string(2 << 20, '#')), "larger than 1 MiB"));
}

TEST_CASE("config: nested aliases and deep nesting cost nothing") {
  std::string bomb = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 40; ++i) {
    std::string last = std::to_string(i - 1);
    bomb += cat("a", std::to_string(i), ": &a", std::to_string(i), " [*a", last, ", *a", last, "]\n");
  }
  CHECK(contains(complaints(bomb), "aliases"));
  std::string deep = "a: " + std::string(100, '[') + std::string(100, ']');
  CHECK(contains(complaints(deep), "nested too deeply"));
  CHECK(complaints("a: " + std::string(100'000, '[')) != "");
}

TEST_CASE("config: a file is read as a text is, and one that cannot be read is a problem") {
  ScratchDirectory directory;
  std::string path = directory.write("hikyaku.yaml", "smarthost: smtps://smtp.example.com\n");
  CHECK(load_file(path)->smarthosts[0].host == "smtp.example.com");
  directory.write("hikyaku.yaml", "smarthost: 1\n");
  CHECK(load_file(path).error()[0].file == path);
  CHECK(contains(load_file(directory.path()).error()[0].text, "not a regular file"));
  CHECK(contains(load_file(path + ".not").error()[0].text, "No such file"));
}

TEST_CASE(
    "config: what can be understood of a broken file is enough to find a daemon that runs with an earlier "
    "one") {
  ScratchDirectory directory;
  std::string path =
      directory.write("hikyaku.yaml",
                      "smarthsot: smtps://smtp.example.com\nruntime_directory: /run/elsewhere\n"
                      "spool: {directory: /srv/spool, min_free: lots}\n");
  REQUIRE_FALSE(load_file(path));
  CHECK(understandable_settings(path).runtime_directory == "/run/elsewhere");
  CHECK(understandable_settings(path).spool.directory == "/srv/spool");
  for (const char* text : {"a: [", "- x\n", "", "runtime_directory: []\n"}) {
    directory.write("hikyaku.yaml", text);
    CHECK(understandable_settings(path).runtime_directory == "/run/hikyaku");
  }
  CHECK(understandable_settings(path + ".not").spool.directory == "/var/spool/hikyaku");
}

}  // namespace
}  // namespace hikyaku::config
