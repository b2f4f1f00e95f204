// SPDX-License-Identifier: MIT
// msmtp, sSMTP, nullmailer and dma.
#include "tests/unit/import/importing.h"

namespace hikyaku::importing {
namespace {

using mail::TlsMode;

std::string shown(const mail::Smarthost& s) {
  static constexpr std::string_view kModes[] = {"none", "opportunistic", "starttls", "implicit"};
  return cat(s.name, " ", s.host, ":", std::to_string(s.port), " ",
             kModes[static_cast<std::size_t>(s.tls.mode)], s.tls.verify ? "" : " unverified",
             s.user.empty() ? "" : cat(" as ", s.user));
}

TEST_CASE("import msmtp: accounts become smarthosts, and their senders routes") {
  auto result = imported_from("msmtp", R"(# Set default values for all following accounts.
defaults
auth           on
tls            on
tls_trust_file /etc/ssl/certs/ca-certificates.crt
logfile        ~/.msmtp.log

account        gmail
host           smtp.gmail.com
port           587
from           me@gmail.com
user           me
password       "pw one"

account        work
tls_starttls   off
port           465
host           smtp.shop.example
from           me@shop.example
user           me@shop.example
passwordeval   "gpg --decrypt secret.gpg"

account        plain
tls            off
auth           off
host           localhost
from           *@local.example

account default : gmail
)");
  REQUIRE(result.settings.smarthosts.size() == 3);
  CHECK(shown(result.smarthost(0)) == "gmail smtp.gmail.com:587 starttls");
  CHECK(shown(result.smarthost(1)) == "work smtp.shop.example:465 implicit");
  CHECK(shown(result.smarthost(2)) == "plain localhost:25 none");
  CHECK(result.smarthost(0).rewrite.header_from == "me@gmail.com");
  CHECK(result.smarthost(2).rewrite.header_from == "");
  CHECK(result.login() == "me@smtp.gmail.com:587/pw one");
  CHECK(result.login(1) == "-");
  CHECK(result.route(0) == "me@gmail.com > * > gmail");
  CHECK(result.route(1) == "me@shop.example > * > work");
  CHECK(result.route(2) == "*@local.example > * > plain");
  CHECK(result.route(3) == "* > * > gmail");
  CHECK(result.remarks("/etc/msmtprc:21: passwordeval: is a command, which was not run"));
  CHECK(result.remarks("hikyaku authinfo add smtp.shop.example --user me@shop.example"));
  CHECK(!result.page.contains("gpg"));
  CHECK(result.page.contains("Not needed here: logfile."));
}

TEST_CASE("import msmtp: two senders of one account, as in its own example") {
  auto result = imported_from("msmtp",
                              "defaults\nport 587\ntls on\naccount freemail\nhost smtp.freemail.example\n"
                              "from joe@freemail.example\nauth on\nuser joe\npassword pw-0\n"
                              "account freemail2 : freemail\nfrom joey@freemail.example\n"
                              "account default : freemail\n");
  REQUIRE(result.settings.smarthosts.size() == 2);
  CHECK(shown(result.smarthost(1)) == "freemail2 smtp.freemail.example:587 starttls");
  CHECK(result.smarthost(0).rewrite.header_from == "joe@freemail.example");
  CHECK(result.smarthost(1).rewrite.header_from == "joey@freemail.example");
  CHECK(result.route(1) == "joey@freemail.example > * > freemail2");
  CHECK(result.route(2) == "* > * > freemail");
  CHECK(result.imported.logins.size() == 1);
}

TEST_CASE("import msmtp: what concerns the machine, and what cannot be") {
  auto result = imported_from(
      "msmtp",
      "account default\nhost mail.shop.example\ndomain app1.shop.example\nmaildomain shop.example\n"
      "aliases /etc/msmtp-aliases\ntls on\ntls_certcheck off\ntls_fingerprint 00:11\n"
      "auth ntlm\nuser me\npassword pw-3\nproxy_host 127.0.0.1\ntimeout 20\n",
      {{"/etc/msmtp-aliases", "root: me@shop.example\ndefault: admin@shop.example\n"}});
  CHECK(shown(result.smarthost()) == "mail.shop.example mail.shop.example:25 starttls");
  CHECK(result.settings.hostname == "app1.shop.example");
  CHECK(result.settings.domain == "shop.example");
  CHECK(result.settings.aliases.path == "/etc/msmtp-aliases");
  CHECK(result.settings.local_mail == "admin@shop.example");
  CHECK(result.smarthost().timeout.connect == 20s);
  CHECK(result.remarks("msmtprc:7: tls_certcheck: is off"));
  CHECK(result.remarks("msmtprc:8: tls_fingerprint: is no SHA-256 fingerprint"));
  CHECK(result.remarks("msmtprc:9: auth: names a mechanism that hikyaku does not have"));
  CHECK(result.remarks("msmtprc:12: proxy_host: has no counterpart"));
  auto own = imported_from("msmtp", "account default\nhost a.example\nfrom %U@shop.example\n");
  CHECK(own.settings.domain == "shop.example");
  CHECK(own.smarthost().rewrite.header_from == "");
  auto bad =
      imported_from("msmtp", "host a.example\naccount a\nfrom a@a.example\naccount b : c\nhost b.example\n");
  CHECK(bad.remarks("msmtprc:1: host: stands before any account"));
  CHECK(bad.remarks("account: names no host"));
  CHECK(bad.remarks("msmtprc:4: account: refers to an account that is not there"));
}

TEST_CASE("import ssmtp: the hub, the log-in, root's mail and reverse aliases") {
  auto result = imported_from("ssmtp", R"(#
# Config file for sSMTP sendmail
#
# The person who gets all mail for userids < 1000
root=postmaster@shop.example
mailhub=smtp.gmail.com:587
rewriteDomain=shop.example
hostname=app1.shop.example
FromLineOverride=YES
UseSTARTTLS=YES
AuthUser=me@gmail.com
AuthPass=pw=4:x#rest
Debug=NO
Unheard=1
)",
                              {{"/etc/ssmtp/revaliases", "root:me@gmail.com:smtp.gmail.com:587\n"}});
  CHECK(shown(result.smarthost()) == "smtp.gmail.com smtp.gmail.com:587 starttls");
  CHECK(result.settings.local_mail == "postmaster@shop.example");
  CHECK(result.settings.domain == "shop.example");
  CHECK(result.settings.hostname == "app1.shop.example");
  CHECK(result.login() == "me@gmail.com@smtp.gmail.com:587/pw=4:x");
  CHECK(result.smarthost().rewrite.header_from == "me@gmail.com");
  CHECK(result.remarks("ssmtp.conf:12: AuthPass: sSMTP takes what follows the # for a comment"));
  CHECK(result.remarks("Unheard: has no counterpart"));
  CHECK(shown(imported_from("ssmtp", "mailhub=a.example:465\nUseTLS=YES\n").smarthost()) ==
        "a.example a.example:465 implicit unverified");
  CHECK(shown(imported_from("ssmtp", "mailhub=a.example\n").smarthost()) ==
        "a.example a.example:25 opportunistic unverified");
  auto more = imported_from("ssmtp", "mailhub=a.example\nroot=postmaster\nFromLineOverride=NO\nno line\n");
  CHECK(more.remarks("root: is no address with a domain"));
  CHECK(more.remarks("FromLineOverride: is NO"));
  CHECK(more.remarks("ssmtp.conf:4: : is no line NAME=VALUE"));
}

TEST_CASE("import nullmailer: remotes in their order, and the files beside them") {
  auto result = imported_from(
      "nullmailer",
      "mail.shop.example smtp --port=587 --starttls --user=me --pass='pw 5' --auth-login\n"
      "# a comment\nbackup.shop.example smtp --ssl --insecure --user=me --pass=pw-6\nplain.example\n"
      "old.example qmqp\nx.example smtp --source=192.0.2.1\n",
      {{"/etc/nullmailer/me", "app1.shop.example\n"},
       {"/etc/nullmailer/defaulthost", "shop.example\n"},
       {"/etc/nullmailer/adminaddr", "admin@shop.example,other@shop.example\n"},
       {"/etc/nullmailer/allmailfrom", "app@shop.example\n"},
       {"/etc/nullmailer/queuelifetime", "86400\n"},
       {"/etc/nullmailer/pausetime", "120\n"},
       {"/etc/nullmailer/maxpause", "x\n"},
       {"/etc/nullmailer/doublebounceto", "boss@shop.example\n"}});
  REQUIRE(result.settings.smarthosts.size() == 4);
  CHECK(shown(result.smarthost(0)) == "mail.shop.example mail.shop.example:587 starttls");
  CHECK(result.smarthost(0).mechanisms == std::vector<std::string>{"LOGIN"});
  CHECK(shown(result.smarthost(1)) == "backup.shop.example backup.shop.example:465 implicit");
  CHECK(shown(result.smarthost(2)) == "plain.example plain.example:25 opportunistic unverified");
  CHECK(result.login(0) == "me@mail.shop.example:587/pw 5");
  CHECK(result.login(1) == "me@backup.shop.example/pw-6");
  CHECK(result.settings.hostname == "app1.shop.example");
  CHECK(result.settings.domain == "shop.example");
  CHECK(result.settings.local_mail == "admin@shop.example");
  CHECK(result.smarthost(3).rewrite.envelope_from == "app@shop.example");
  CHECK(result.settings.queue.lifetime == 24h);
  CHECK(result.settings.queue.retry.first == 120s);
  CHECK(result.settings.queue.postmaster == "boss@shop.example");
  CHECK(result.remarks("remotes:5: : speaks no SMTP"));
  CHECK(result.remarks("remotes:6: source: has no counterpart"));
  CHECK(result.remarks("maxpause:1: : its value was not understood"));
  CHECK(result.remarks("adminaddr:1: : names several addresses"));
}

TEST_CASE("import dma: the smarthost, its log-in and what flags say") {
  auto result = imported_from(
      "dma", R"(# $DragonFly: src/etc/dma/dma.conf,v 1.2 2008/02/04 10:11:41 matthias Exp $
#
SMARTHOST smtp.shop.example
PORT 587
ALIASES /etc/mail/aliases
SPOOLDIR /var/spool/dma
AUTHPATH /etc/dma/auth.conf
SECURETRANSFER
STARTTLS
MAILNAME /etc/mailname
MASQUERADE app@shop.example
FULLBOUNCE
NULLCLIENT
)",
      {{"/etc/dma/auth.conf",
        "# SMTP authentication entries\nother|other.example:x\nme|smtp.shop.example:pw:7 #\n"}});
  CHECK(shown(result.smarthost()) == "smtp.shop.example smtp.shop.example:587 starttls");
  CHECK(result.login() == "me@smtp.shop.example:587/pw:7 #");
  CHECK(result.settings.aliases.path == "/etc/mail/aliases");
  CHECK(result.settings.queue.bounce_return == config::BounceReturn::full);
  CHECK(result.smarthost().rewrite.header_from == "app@shop.example");
  CHECK(result.remarks("auth.conf:2: : is for another host"));
  CHECK(result.page.contains("Not needed here: NULLCLIENT, SPOOLDIR."));
  CHECK(imported_from("dma", "#SMARTHOST\n").smarthost().direct);
  CHECK(shown(imported_from("dma", "SMARTHOST a.example\nSECURETRANSFER\nPORT 465\n").smarthost()) ==
        "a.example a.example:465 implicit unverified");
  CHECK(imported_from("dma", "SMARTHOST a.example\nMASQUERADE shop.example\n").settings.domain ==
        "shop.example");
  CHECK(imported_from("dma", "SMARTHOST a.example\nMASQUERADE root@\n")
            .remarks("replaces the user's name only"));
  CHECK(imported_from("dma", "SMARTHOST a.example\nMAILNAME app2.shop.example\nWHAT x\n").settings.hostname ==
        "app2.shop.example");
}

}  // namespace
}  // namespace hikyaku::importing
