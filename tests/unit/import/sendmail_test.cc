// SPDX-License-Identifier: MIT
#include "daemon/import/source.h"
#include "tests/unit/import/importing.h"

namespace hikyaku::importing {
namespace {

std::string calls_of(std::string_view text) {
  std::string all;
  for (const M4Call& call : m4_calls(text))
    all += cat(std::to_string(call.line), ":", call.name, "(", join(call.arguments, "|"), ") ");
  return all;
}

TEST_CASE("import sendmail: macro calls with quotes, nested calls, comments and lines") {
  CHECK(calls_of("define(`A', `b')dnl\n") == "1:define(A|b) ");
  CHECK(calls_of("dnl define(`A')\n# define(`B')\nX(a, b)") == "3:X(a|b) ");
  CHECK(calls_of("X(`a, (b', ifdef(`c', `d'))") == "1:X(a, (b|ifdef(`c', `d')) ");
  CHECK(calls_of("X(`a `b' c',\n  d)Y()") == "1:X(a `b' c|d) 2:Y() ");
  CHECK(calls_of("X(`a") == "1:X() ");
  CHECK(calls_of("X (a) )") == "");
}

// After the example in sendmail's cf/README and Red Hat's sendmail.mc.
constexpr std::string_view kMc = R"(divert(-1)dnl
dnl # This is the sendmail macro config file for m4.
include(`/usr/share/sendmail-cf/m4/cf.m4')dnl
VERSIONID(`setup for linux')dnl
OSTYPE(`linux')dnl
dnl define(`SMART_HOST', `old.provider.example')dnl
define(`SMART_HOST', `relay:[smtp.provider.example]')dnl
define(`RELAY_MAILER_ARGS', `TCP $h 587')dnl
define(`confAUTH_MECHANISMS', `EXTERNAL GSSAPI DIGEST-MD5 CRAM-MD5 LOGIN PLAIN')dnl
FEATURE(`authinfo', `hash -o /etc/mail/authinfo.db')dnl
define(`confMAX_MESSAGE_SIZE', `20971520')dnl
define(`confTO_QUEUERETURN', `3d')dnl
define(`confDOMAIN_NAME', `app1.shop.example')dnl
define(`ALIAS_FILE', `/etc/mail/aliases')dnl
define(`STATUS_FILE', `/var/log/mail/statistics')dnl
FEATURE(`mailertable', `hash -o /etc/mail/mailertable.db')dnl
FEATURE(`genericstable', `hash -o /etc/mail/genericstable')dnl
DAEMON_OPTIONS(`Port=smtp,Addr=127.0.0.1, Name=MTA')dnl
MASQUERADE_AS(`shop.example')dnl
MASQUERADE_DOMAIN(`app1.shop.example')dnl
FEATURE(masquerade_envelope)dnl
INPUT_MAIL_FILTER(`clamav', `S=local:/run/clamav')dnl
MAILER(smtp)dnl
)";

TEST_CASE("import sendmail: the smart host, its log-in and the tables") {
  auto result = imported_from(
      "sendmail", kMc,
      {{"/etc/mail/authinfo",
        "AuthInfo:smtp.provider.example \"U:me\" \"I:me@shop.example\" \"P:pw-8\" \"M:PLAIN\"\n"
        "AuthInfo:other.example \"I:x\" \"P=cHctOQ==\"\n"},
       {"/etc/mail/mailertable", "corp.example esmtp:[hub.corp.example]\n.corp.example local:\n"}});
  CHECK(result.smarthost().host == "smtp.provider.example");
  CHECK(result.smarthost().port == 587);
  CHECK(result.smarthost().tls.mode == mail::TlsMode::starttls);
  CHECK(result.login() == "me@shop.example@smtp.provider.example:587/pw-8");
  CHECK(result.login(1) == "-");
  CHECK(result.route(0) == "* > *@corp.example > hub.corp.example");
  CHECK(result.route(1) == "* > * > smtp.provider.example");
  CHECK(result.settings.message.max_size.bytes == 20971520);
  CHECK(result.settings.queue.lifetime == 72h);
  CHECK(result.settings.hostname == "app1.shop.example");
  CHECK(result.settings.domain == "shop.example");
  CHECK(result.settings.masquerade == std::vector<std::string>{"app1.shop.example"});
  CHECK(result.settings.aliases.path == "/etc/mail/aliases");
  CHECK(
      result.remarks("/etc/mail/authinfo:2: AuthInfo: is for a server that the configuration does not name"));
  CHECK(result.remarks("/etc/mail/mailertable:2: : names no SMTP server and domain"));
  CHECK(result.remarks("sendmail.mc:17: genericstable: rewrites single addresses"));
  CHECK(result.remarks("sendmail.mc:22: INPUT_MAIL_FILTER: hikyaku hands mail to no filter"));
  CHECK(result.remarks("sendmail.mc:15: STATUS_FILE: has no counterpart"));
  CHECK(!result.remarks("DAEMON_OPTIONS"));
  CHECK(!result.page.contains("cHctOQ"));
}

TEST_CASE("import sendmail: smart hosts in other forms, and none") {
  auto host = [](const char* value) {
    const auto s = imported_from("sendmail", cat("define(`SMART_HOST', `", value, "')dnl\n")).smarthost();
    return cat(s.host, s.lookup_mx ? " by MX" : "");
  };
  CHECK(host("mail.shop.example") == "mail.shop.example by MX");
  CHECK(host("[mail.shop.example]") == "mail.shop.example");
  CHECK(host("smtp:[mail.shop.example]") == "mail.shop.example");
  CHECK(host("esmtp:shop.example") == "shop.example by MX");
  CHECK(imported_from("sendmail", "OSTYPE(`linux')dnl\n").smarthost().direct);
  CHECK(imported_from("sendmail", "define(`SMART_HOST', `uucp:x')dnl\n")
            .remarks("SMART_HOST: its value was not"));
  auto gone = imported_from("sendmail", "define(`SMART_HOST', `[a.example]')\nFEATURE(`authinfo')dnl\n");
  CHECK(gone.remarks("makemap -u hash /etc/mail/authinfo.db > /etc/mail/authinfo"));
  CHECK(imported_from("sendmail",
                      "define(`SMART_HOST', `[a.example]')\nDAEMON_OPTIONS(`Port=smtp, Name=MTA')\n")
            .remarks("opens a port beyond 127.0.0.1:25"));
}

}  // namespace
}  // namespace hikyaku::importing
