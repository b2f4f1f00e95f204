// SPDX-License-Identifier: MIT
#include "tests/unit/import/importing.h"

namespace hikyaku::importing {
namespace {

using mail::TlsMode;

// What Debian's installer writes for a "satellite system", with a log-in added as the documentation says.
constexpr std::string_view kSatellite =
    R"(# See /usr/share/postfix/main.cf.dist for a commented, more complete version
smtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)
biff = no
append_dot_mydomain = no
readme_directory = no
compatibility_level = 3.6

smtpd_tls_cert_file=/etc/ssl/certs/ssl-cert-snakeoil.pem
smtpd_tls_security_level=may
smtp_tls_CApath=/etc/ssl/certs
smtp_tls_security_level=may
smtp_tls_session_cache_database = btree:${data_directory}/smtp_scache

smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated
  defer_unauth_destination
myhostname = app1.shop.example
alias_maps = hash:/etc/aliases
alias_database = hash:/etc/aliases
myorigin = /etc/mailname
mydestination = $myhostname, app1, localhost.localdomain, localhost
relayhost = [smtp.provider.example]:587
mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128
mailbox_size_limit = 0
recipient_delimiter = +
inet_interfaces = loopback-only
default_transport = smtp
relay_transport = smtp
inet_protocols = all
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd
smtp_sasl_security_options = noanonymous
)";

TEST_CASE("import postfix: a satellite system with a log-in") {
  auto result = imported_from(
      "postfix", kSatellite,
      {{"/etc/postfix/sasl_passwd", "# comment\n\n[smtp.provider.example]:587 me@shop.example:s3cret:#x\n"}});
  CHECK(result.page.contains("\nsmarthost: submission://smtp.provider.example\n"));
  CHECK(result.settings.smarthosts.size() == 1);
  CHECK(result.smarthost().tls.mode == TlsMode::starttls);
  CHECK(result.smarthost().tls.verify);
  CHECK(result.settings.hostname == "app1.shop.example");
  CHECK(result.settings.routes.empty());
  CHECK(!result.settings.listen.is_explicit);
  CHECK(result.login() == "me@shop.example@smtp.provider.example:587/s3cret:#x");
  CHECK(result.page.contains("password of me@shop.example for smtp.provider.example port 587: found in"));
  CHECK(result.page.contains(" /etc/postfix/sasl_passwd:3"));
  CHECK(result.remarks("the certificate of smtp.provider.example was not checked until now"));
  CHECK(result.remarks("main.cf:20: mydestination: mail for app1 stayed on this machine"));
  CHECK(result.remarks("master.cf: : was not read"));
  CHECK(result.page.contains("Not needed here: "));
  CHECK(!result.remarks("smtpd_banner"));
}

struct HopCase {
  const char* relayhost;
  const char* host;
  unsigned port;
  bool by_mx;
};

TEST_CASE("import postfix: relayhost with and without brackets and port") {
  for (const HopCase& c :
       std::initializer_list<HopCase>{{"[mail.shop.example]", "mail.shop.example", 25, false},
                                      {"[mail.shop.example]:2525", "mail.shop.example", 2525, false},
                                      {"shop.example", "shop.example", 25, true},
                                      {"shop.example:26", "shop.example", 26, true},
                                      {"mail.shop.example:587", "mail.shop.example", 587, false},
                                      {"mail.shop.example:submission", "mail.shop.example", 587, false},
                                      {"smtp.gmail.com", "smtp.gmail.com", 25, false},
                                      {"192.0.2.1", "192.0.2.1", 25, false},
                                      {"[2001:db8::1]:25", "2001:db8::1", 25, false}}) {
    CAPTURE(c.relayhost);
    auto result = imported_from("postfix", cat("relayhost = ", c.relayhost, "\n"));
    CHECK(result.smarthost().host == c.host);
    CHECK(result.smarthost().port == c.port);
    CHECK(result.smarthost().lookup_mx == c.by_mx);
  }
  CHECK(imported_from("postfix", "relayhost =\n").smarthost().direct);
  CHECK(imported_from("postfix", "relayhost = shop.example\n")
            .remarks("stands without brackets, so it is a domain"));
  CHECK(imported_from("postfix", "relayhost = a b c:x\n").remarks("relayhost: its value was not understood"));
  CHECK(imported_from("postfix", "relayhost = [a.example], [b.example]\n").settings.smarthosts.size() == 2);
}

struct LevelCase {
  const char* keys;
  bool logs_in;
  TlsMode mode;
  bool verify;
};

TEST_CASE("import postfix: how TLS was used becomes how it is used, and a password is guarded") {
  for (const LevelCase& c : std::initializer_list<LevelCase>{
           {"", false, TlsMode::opportunistic, false},
           {"smtp_tls_security_level = none", false, TlsMode::none, true},
           {"smtp_tls_security_level = may", false, TlsMode::opportunistic, false},
           {"smtp_use_tls = yes", false, TlsMode::opportunistic, false},
           {"smtp_tls_security_level = encrypt", false, TlsMode::starttls, false},
           {"smtp_tls_security_level = secure", false, TlsMode::starttls, true},
           {"smtp_enforce_tls = yes", false, TlsMode::starttls, true},
           {"", true, TlsMode::starttls, true},
           {"smtp_tls_security_level = none", true, TlsMode::starttls, true},
           {"smtp_tls_security_level = may", true, TlsMode::starttls, true},
           {"smtp_tls_security_level = encrypt\nsmtp_tls_wrappermode = yes", true, TlsMode::implicit, true},
           {"smtp_tls_wrappermode = yes\nsmtp_tls_security_level = encrypt", false, TlsMode::implicit,
            false}}) {
    CAPTURE(c.keys);
    CAPTURE(c.logs_in);
    const std::string login =
        c.logs_in ? "smtp_sasl_auth_enable = yes\nsmtp_sasl_password_maps = static:me:pw-1\n" : "";
    auto result = imported_from("postfix", cat("relayhost = [mail.shop.example]:26\n", login, c.keys, "\n"));
    CHECK(result.smarthost().tls.mode == c.mode);
    CHECK(result.smarthost().tls.verify == c.verify);
    CHECK(result.login() == (c.logs_in ? "me@mail.shop.example:26/pw-1" : "-"));
  }
}

TEST_CASE("import postfix: policies, protocols, authorities and client certificates") {
  auto result =
      imported_from("postfix",
                    "relayhost = [a.example]:587\nsmtp_tls_policy_maps = hash:/etc/postfix/policy\n"
                    "smtp_tls_CAfile = /etc/ca.pem\nsmtp_tls_mandatory_protocols = >=TLSv1.3\n"
                    "smtp_tls_cert_file = /c.pem\nsmtp_tls_key_file = /k.pem\n",
                    {{"/etc/postfix/policy", "[a.example]:587 secure match=b.example ciphers=high\n"}});
  CHECK(result.smarthost().tls.verify);
  CHECK(result.smarthost().tls.hostname == "b.example");
  CHECK(result.smarthost().tls.ca_file == "/etc/ca.pem");
  CHECK(result.smarthost().tls.min_version == TlsVersion::tls1_3);
  CHECK(result.smarthost().tls.client_cert == "/c.pem");
  CHECK(result.smarthost().tls.client_key == "/k.pem");
  CHECK(result.remarks("/etc/postfix/policy:1: ciphers: has no counterpart"));
  auto version = [](const char* protocols) {
    return imported_from("postfix", cat("relayhost = [a.example]\nsmtp_tls_protocols = ", protocols, "\n"))
        .smarthost()
        .tls.min_version;
  };
  CHECK(version("!SSLv2, !SSLv3, !TLSv1, !TLSv1.1") == TlsVersion::tls1_2);
  CHECK(version("TLSv1.3") == TlsVersion::tls1_3);
  CHECK(imported_from("postfix", "relayhost = [a.example]\nsmtp_tls_protocols = !SSLv2, !SSLv3\n")
            .remarks("allows TLS below 1.2"));
}

TEST_CASE("import postfix: routes by recipient beat those by sender, the specific those that are general") {
  auto result = imported_from(
      "postfix",
      "relayhost = [main.example]:587\ntransport_maps = hash:/t, texthash:/t2\n"
      "sender_dependent_relayhost_maps = hash:/s\nsmtp_sasl_auth_enable = yes\n"
      "smtp_sender_dependent_authentication = yes\nsmtp_sasl_password_maps = hash:/p\n",
      {{"/t",
        ".corp.example smtp:[hub.corp.example]\ncorp.example relay:[hub.corp.example]\n"
        "boss@corp.example smtp:[vip.corp.example]:26\nlists.example local:\nold.example smtp:\n"},
       {"/t2", "other.example :[hub.corp.example]\n"},
       {"/s", "@shop.example [shop.example]:587\nanna@shop.example [anna.example]:587\n"},
       {"/p",
        "[main.example]:587 main:pw-main\nanna@shop.example anna:pw-anna\nbob@main.example bob:pw-bob\n"}});
  CHECK(result.route(0) == "* > boss@corp.example > vip.corp.example");
  CHECK(result.route(1) == "* > *@corp.example > hub.corp.example");
  CHECK(result.route(2) == "* > *@old.example > direct");
  CHECK(result.route(3) == "* > *@other.example, *@*.corp.example > hub.corp.example");
  CHECK(!result.page.contains("lists.example"));
  CHECK(result.remarks("/t:4: : names a transport that is not SMTP"));
  CHECK(result.route(result.settings.routes.size() - 1) == "* > * > main.example");
  const auto& by_sender = result.settings.routes;
  auto via_of = [&](const char* sender) {
    return by_sender.at(config::route_for(by_sender, sender, "x@elsewhere.example")).via.at(0).at(0);
  };
  auto host_of = [&](const std::string& name) {
    for (const auto& each : result.settings.smarthosts)
      if (each.name == name) return cat(each.host, " ", each.user);
    return std::string("-");
  };
  CHECK(host_of(via_of("anna@shop.example")) == "anna.example ");
  CHECK(host_of(via_of("carl@shop.example")) == "shop.example ");
  CHECK(host_of(via_of("bob@main.example")) == "main.example bob");
  CHECK(host_of(via_of("x@main.example")) == "main.example main");
}

TEST_CASE("import postfix: values are made of others, as Postfix makes them") {
  auto result = imported_from("postfix",
                              "mydomain = shop.example\nmyhostname = app1.$mydomain\nmyorigin = ${mydomain}\n"
                              "company = shop\nrelayhost = [mail.$(company).example]:${port?{26}:{27}}\n"
                              "message_size_limit = 20480000\nunknown_thing = 1\n");
  CHECK(result.settings.hostname == "app1.shop.example");
  CHECK(result.settings.domain == "shop.example");
  CHECK(result.smarthost().host == "mail.shop.example");
  CHECK(result.smarthost().port == 27);
  CHECK(result.settings.message.max_size.bytes == 20480000);
  CHECK(result.remarks("unknown_thing: has no counterpart"));
  CHECK(!result.remarks("company"));
  CHECK(imported_from("postfix", "relayhost = $relayhost\na = $b\nb = $a$a$a\nmyhostname = $b\n")
            .smarthost()
            .direct);
  CHECK(imported_from("postfix", "relayhost = [a.example]\nrelayhost = [b.example]\n").smarthost().host ==
        "b.example");
  CHECK(imported_from("postfix", "relayhost = [a.example]\nno line\n")
            .remarks("main.cf:2: : is no line NAME = VALUE"));
}

TEST_CASE("import postfix: names that name each other end") {
  auto result = imported_from(
      "postfix", "a = $b\nb = ${a?{x}:{y}} $(a) ${a\nrelayhost = $a$b$relayhost ${x:[h.example]}\n");
  CHECK(!result.settings.smarthosts.empty());
}

TEST_CASE("import postfix: who may send, and where it listens") {
  auto result =
      imported_from("postfix",
                    "relayhost = [a.example]\nmynetworks = 127.0.0.0/8, 10.0.0.0/8 [fd00::]/8 !10.1.0.0/16\n"
                    "inet_interfaces = all\ninet_protocols = ipv4\n");
  CHECK(result.settings.allow.size() == 3);
  CHECK(result.settings.listen.endpoints == std::vector{*Endpoint::parse("0.0.0.0:25")});
  CHECK(result.remarks("mynetworks: has an entry that is no network"));
  auto alone = imported_from("postfix", "relayhost = [a.example]\ninet_interfaces = all\n");
  CHECK(!alone.settings.listen.is_explicit);
  CHECK(alone.remarks("mynetworks lets only this machine send"));
  auto one = imported_from(
      "postfix", "relayhost = [a.example]\nmynetworks = 10.0.0.0/8\ninet_interfaces = 10.0.0.5, localhost\n");
  CHECK(one.settings.listen.endpoints.size() == 2);
}

TEST_CASE("import postfix: queue, copies, aliases and limits") {
  auto result = imported_from(
      "postfix",
      "relayhost = [a.example]\nmaximal_queue_lifetime = 2d\ndelay_warning_time = 3\nminimal_backoff_time = "
      "60\n"
      "maximal_backoff_time = 2h\nalways_bcc = archive@shop.example\nalias_maps = hash:/etc/mail/aliases\n"
      "smtp_destination_concurrency_limit = 2\nsmtp_destination_rate_delay = 1s\nsmtp_connect_timeout = "
      "10s\n");
  CHECK(result.settings.queue.lifetime == 48h);
  CHECK(result.settings.queue.delay_notice == 3h);
  CHECK(result.settings.queue.retry.first == 60s);
  CHECK(result.settings.queue.retry.max == 2h);
  CHECK(result.settings.copy_to == "archive@shop.example");
  CHECK(result.settings.aliases.path == "/etc/mail/aliases");
  CHECK(result.smarthost().connections == 2);
  CHECK(result.smarthost().rates == std::vector<mail::Rate>{{1, mail::RateUnit::second}});
  CHECK(result.smarthost().timeout.connect == 10s);
  auto slow = imported_from("postfix", "relayhost = [a.example]\ndefault_destination_rate_delay = 5s\n");
  CHECK(slow.smarthost().rates == std::vector<mail::Rate>{{720, mail::RateUnit::hour}});
}

TEST_CASE("import postfix: senders that are rewritten") {
  auto with = [](const char* key, const char* rows) {
    return imported_from("postfix", cat("relayhost = [a.example]\n", key, " = regexp:/g\n"), {{"/g", rows}});
  };
  auto all = with("sender_canonical_maps", "/.+/ me@shop.example\n");
  CHECK(all.smarthost().rewrite.header_from == "me@shop.example");
  CHECK(all.remarks("became `from`"));
  auto generic =
      imported_from("postfix", "relayhost = [a.example]\nsmtp_generic_maps = hash:/g\n",
                    {{"/g", "@app1.local.example @shop.example\nroot@x.example me@shop.example\n"}});
  CHECK(generic.settings.masquerade == std::vector<std::string>{"app1.local.example"});
  CHECK(generic.settings.domain == "shop.example");
  CHECK(generic.smarthost().rewrite.header_from == "me@shop.example");
  auto several = imported_from("postfix", "relayhost = [a.example]\nsmtp_generic_maps = hash:/g\n",
                               {{"/g", "a@x.example a@shop.example\nb@x.example b@shop.example\n"}});
  CHECK(several.smarthost().rewrite.header_from == "");
  CHECK(several.remarks("/g:2: : rewrites single addresses"));
  CHECK(
      with("smtp_generic_maps", "/^(a|b)@/ c@shop.example\n").remarks("/g:1: : a pattern; hikyaku has none"));
  auto hosts = imported_from(
      "postfix",
      "relayhost = [a.example]\nmyhostname = app1.shop.example\nmasquerade_domains = shop.example\n");
  CHECK(hosts.settings.masquerade == std::vector<std::string>{"app1.shop.example"});
  CHECK(hosts.settings.domain == "shop.example");
}

TEST_CASE("import postfix: a table that cannot be read is named, with the way to make a text of it") {
  auto gone = imported_from("postfix",
                            "relayhost = [a.example]\nsmtp_sasl_auth_enable = yes\n"
                            "smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd\n");
  CHECK(gone.remarks("smtp_sasl_password_maps: /etc/postfix/sasl_passwd does not exist"));
  CHECK(gone.remarks("postmap -s hash:/etc/postfix/sasl_passwd > /etc/postfix/sasl_passwd"));
  CHECK(imported_from("postfix", "relayhost = [a.example]\ntransport_maps = ldap:/x\n")
            .remarks("of the type ldap"));
  auto unused =
      imported_from("postfix", "relayhost = [a.example]\nsmtp_sasl_password_maps = static:a:pw-2\n");
  CHECK(unused.remarks("Postfix never logged in"));
  CHECK(unused.login() == "-");
  CHECK(!unused.page.contains("pw-2"));
}

}  // namespace
}  // namespace hikyaku::importing
