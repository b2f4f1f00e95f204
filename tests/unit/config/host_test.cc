// SPDX-License-Identifier: MIT
#include <stdexcept>

#include "daemon/config/hostname.h"
#include "daemon/config/smarthost_draft.h"
#include "doctest/doctest.h"
#include "tests/unit/config/loading.h"

namespace hikyaku::config {
namespace {

using mail::TlsMode;

TEST_CASE("config: hosts are names and addresses, with or without brackets") {
  CHECK(parse_host("smtp.Example.COM") == "smtp.example.com");
  CHECK(parse_host("[smtp.example.com]") == "smtp.example.com");
  CHECK(parse_host("192.0.2.1") == "192.0.2.1");
  CHECK(parse_host("2001:DB8::1") == "2001:db8::1");
  CHECK(parse_host("[2001:db8::1]") == "2001:db8::1");
  CHECK(parse_host("intranet") == "intranet");
  for (const char* bad :
       {"", "[]", "a b", "-a.example", "a..example", "1.2.3", "587", "a:25", "ex\xc3\xa4mple", "a."})
    CHECK_MESSAGE(!parse_host(bad), bad);
}

TEST_CASE("config: ports are numbers or the names of the services") {
  CHECK(parse_port("587") == 587);
  CHECK(parse_port("submission") == 587);
  CHECK(parse_port("submissions") == 465);
  CHECK(parse_port("smtps") == 465);
  CHECK(parse_port("ssmtp") == 465);
  CHECK(parse_port("SMTP") == 25);
  for (const char* bad : {"", "0", "65536", "-1", "25a", "http"}) CHECK_MESSAGE(!parse_port(bad), bad);
}

TEST_CASE("config: a host and port; an IPv6 address needs brackets before a port") {
  CHECK(parse_host_port("[smtp.example.com]:587")->port == 587);
  CHECK(parse_host_port("smtp.example.com:submission")->host == "smtp.example.com");
  CHECK(parse_host_port("[::1]:25")->host == "::1");
  CHECK(!parse_host_port("::1")->port);
  CHECK(!parse_host_port("::1:25")->port);  // all of it is an address, however it was meant
  CHECK(!parse_host_port("1::2::3:25"));
  CHECK(!parse_host_port("smtp.example.com:"));
}

struct UrlCase {
  const char* url;
  TlsMode mode;
  const char* host;
  std::optional<std::uint16_t> port;
};

TEST_CASE("config: URLs of smarthosts") {
  for (const UrlCase& c : std::initializer_list<UrlCase>{
           {"smtps://smtp.example.com", TlsMode::implicit, "smtp.example.com", {}},
           {"submission://smtp.example.com", TlsMode::starttls, "smtp.example.com", {}},
           {"submissions://smtp.example.com", TlsMode::implicit, "smtp.example.com", {}},
           {"smtp://smtp.example.com/", TlsMode::opportunistic, "smtp.example.com", {}},
           {"submission://[smtp.example.com]:2587", TlsMode::starttls, "smtp.example.com", 2587},
           {"SMTPS://[2001:db8::1]:45465", TlsMode::implicit, "2001:db8::1", 45465}}) {
    CAPTURE(c.url);
    auto url = parse_smarthost_url(c.url);
    REQUIRE(url);
    CHECK(url->mode == c.mode);
    CHECK(url->host == c.host);
    CHECK(url->port == c.port);
    CHECK(url->is_exact == (std::string_view(c.url).find('[') != std::string_view::npos));
    CHECK_FALSE(url->is_direct);
  }
}

TEST_CASE("config: mx: alone is a URL, of the recipients' own servers") {
  for (const char* url : {"mx:", "MX:"}) {
    auto direct = parse_smarthost_url(url);
    REQUIRE(direct);
    CHECK(direct->is_direct);
    CHECK(direct->host == "");
  }
  CHECK(contains(parse_smarthost_url("mx:example.com").error(), "`lookup: mx`"));
  CHECK(contains(parse_smarthost_url("mx://example.com").error(), "stands alone"));
}

TEST_CASE("config: a URL that cannot be used says what to write, and repeats nothing") {
  CHECK(contains(parse_smarthost_url("smtp.example.com").error(), "submission://HOST"));
  CHECK(contains(parse_smarthost_url("http://smtp.example.com").error(), "submission://HOST"));
  CHECK(contains(parse_smarthost_url("smtps://smtp.example.com/path").error(), "no path"));
  CHECK(contains(parse_smarthost_url("smtps://smtp.example.com:99999").error(), ":PORT"));
  CHECK(contains(parse_smarthost_url("smtps://").error(), "must name a host"));
  for (const char* url : {"smtps://me:hunter2@smtp.example.com", "me:hunter2@smtp.example.com"}) {
    std::string error = parse_smarthost_url(url).error();
    CHECK(contains(error, "authinfo"));
    CHECK(!contains(error, "hunter2"));
  }
}

// As on a machine without any file.
NameSources called(const char* kernel, const char* hostname_file = "", const char* hosts_file = "") {
  return {.kernel = kernel, .hostname_file = hostname_file, .hosts_file = hosts_file};
}

TEST_CASE("config: the hostname is the fullest name the machine has, never localhost") {
  CHECK(choose_hostname(called("app1.example.com", "x\n")) == "app1.example.com");
  CHECK(choose_hostname(called("app1", "app1.example.com\n")) == "app1.example.com");
  CHECK(choose_hostname(called("app1", "app1\n", "127.0.1.1 app1.example.com app1 # installer\n")) ==
        "app1.example.com");
  CHECK(choose_hostname(called("app1", "app1\n", "127.0.0.1 localhost.localdomain app1\n")) == "app1");
  CHECK(choose_hostname(called("app1", "", "# 127.0.1.1 no.example.com app1\n")) == "app1");
  CHECK(choose_hostname(called("localhost", "mail\n")) == "mail");
  CHECK(choose_hostname(called("localhost", "localhost\n")) == "[127.0.0.1]");
  CHECK(choose_hostname(called("localhost.localdomain")) == "[127.0.0.1]");
  CHECK(choose_hostname(called("(none)")) == "[127.0.0.1]");
  CHECK(!is_localhost(default_hostname()));
}

TEST_CASE("config: a machine called vm or localhost takes a better name from /etc/mailname") {
  NameSources sources = called("vm", "vm\n", "127.0.0.1 localhost vm\n");
  sources.mailname_file = "app1.shop.example\n";
  sources.full_name = [](const std::string&) -> std::string { throw std::runtime_error("not asked"); };
  CHECK(choose_hostname(sources) == "app1.shop.example");
  sources.kernel = "localhost";
  CHECK(choose_hostname(sources) == "app1.shop.example");
  sources.kernel = "vm.shop.example";
  CHECK(choose_hostname(sources) == "vm.shop.example");
}

TEST_CASE("config: a machine called vm takes the full name that the resolver has for it") {
  std::string asked;
  std::string answer = "vm.shop.example";
  NameSources sources = called("vm", "vm\n");
  sources.full_name = [&](const std::string& name) { return asked = name, answer; };
  CHECK(choose_hostname(sources) == "vm.shop.example");
  CHECK(asked == "vm");
  for (const char* useless : {"", "vm", "localhost", "localhost.localdomain", "a b.example", "192.0.2.1"}) {
    answer = useless;
    CHECK_MESSAGE(choose_hostname(sources) == "vm", useless);
  }
}

TEST_CASE("config: the domain of addresses without one is /etc/mailname's, then the hostname") {
  CHECK(choose_mail_name("shop.example\n") == "shop.example");
  for (const char* useless : {"", "\n", "vm\n", "localhost\n", "a b.example\n"})
    CHECK_MESSAGE(choose_mail_name(useless) == "", useless);
  auto domain = [](std::string_view keys, const Environment& environment) {
    return load_text(cat("smarthost: smtps://a.example\n", keys), "h.yaml", environment)->domain;
  };
  CHECK(domain("", {"app1.shop.example", "shop.example"}) == "shop.example");
  CHECK(domain("", {"app1.shop.example", ""}) == "app1.shop.example");
  CHECK(domain("hostname: mx.example\n", {"app1.shop.example", ""}) == "mx.example");
  CHECK(domain("domain: other.example\n", {"app1.shop.example", "shop.example"}) == "other.example");
}

}  // namespace
}  // namespace hikyaku::config
