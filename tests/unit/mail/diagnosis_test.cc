// SPDX-License-Identifier: MIT
#include "daemon/mail/diagnosis.h"

#include <memory>
#include <set>

#include "daemon/base/text.h"
#include "doctest/doctest.h"

using namespace hikyaku;
using namespace hikyaku::mail;
using enum FailureKind;

namespace {

Failure failure(FailureKind kind, Stage stage = Stage::connect) {
  Failure made;
  made.kind = kind;
  made.stage = stage;
  made.smarthost = "main";
  made.host = "smtp.example.com";
  made.tls_name = made.host;
  made.port = 587;
  made.tls = TlsMode::starttls;
  made.sender = "shop@example.net";
  made.recipient = "bob@example.org";
  return made;
}

Failure with_login(FailureKind kind, Stage stage = Stage::auth) {
  Failure made = failure(kind, stage);
  made.has_credentials = true;
  made.user = "me@example.com";
  made.origin = "/etc/hikyaku/authinfo:3";
  made.offered = {"PLAIN", "LOGIN"};
  return made;
}

Failure with_reply(Failure made, const char* reply) {
  made.reply = parse_reply(reply);
  REQUIRE(made.reply.has_value());
  return made;
}

Failure with(Failure made, auto change) {
  change(made);
  return made;
}

// Of a certificate from 2026-09-21 to 2026-09-22.
Failure with_certificate(FailureKind kind, auto change) {
  CertificateFacts facts{.names = {"other.example.com", "*.example.org", "192.0.2.7"},
                         .common_name = "old.example.com",
                         .fingerprint = "sha256:0123abcd",
                         .issuer = "CN=Home CA",
                         .not_before = WallTime(std::chrono::seconds(1'790'000'000)),
                         .not_after = WallTime(std::chrono::seconds(1'790'000'000) + 24h)};
  change(facts);
  Failure made = failure(kind, Stage::tls);
  made.certificate = std::make_shared<const CertificateFacts>(std::move(facts));
  return made;
}
Failure with_certificate(FailureKind kind) {
  return with_certificate(kind, [](CertificateFacts&) {});
}

struct Case {
  Failure failure;
  std::vector<const char*> says;  // all of it
};

Failure with_oauth(FailureKind kind, const char* detail = "", OAuthFacts facts = {}) {
  Failure made = with_login(kind);
  made.origin = "`oauth` of main";
  made.detail = detail;
  made.oauth = std::make_shared<const OAuthFacts>(std::move(facts));
  return made;
}

constexpr auto kMicrosoft = OAuthProvider::microsoft;
constexpr auto kGoogle = OAuthProvider::google;

// Every kind, with what a newcomer has to be told.
std::vector<Case> every_kind() {
  const char* const authinfo = "/etc/hikyaku/authinfo";
  return {
      {failure(lookup_failed), {"smtp.example.com could not be looked up", "name service"}},
      {failure(no_such_name), {"the name smtp.example.com does not exist", "`host`"}},
      {failure(refused), {"nobody listens on smtp.example.com:587, or a firewall rejects it", "`port`"}},
      {failure(connect_timed_out), {"no answer from smtp.example.com:587", "firewall", "port 587"}},
      {with(failure(connect_timed_out), [](Failure& f) { f.port = 25; }),
       {"outbound port 25 (OP25B)", "587", "465"}},
      {failure(unreachable), {"no route to smtp.example.com:587", "routes"}},
      {failure(greeting_timed_out), {"said nothing", "`tls: implicit`"}},
      {failure(tls_from_first_byte), {"TLS from the first byte", "`tls: starttls`", "set `tls: implicit`"}},
      {failure(closed_early, Stage::greeting), {"hung up before it said anything", "`tls: implicit`"}},
      {failure(closed_early, Stage::tls), {"hung up while TLS", "`tls: starttls`"}},
      {failure(closed_early, Stage::rcpt), {"hung up without a reply (recipient, RCPT)"}},
      {failure(timed_out, Stage::message), {"did not answer in time (the message)"}},
      {failure(protocol_error, Stage::greeting), {"does not speak SMTP", "`port`"}},
      {failure(protocol_error, Stage::mail), {"invalid reply"}},
      {with_reply(failure(smarthost_refuses, Stage::greeting), "554 5.7.1 go away"), {"554 5.7.1 go away"}},
      {with_reply(with_login(account_quota), "550 5.4.5 too many"),
       {"as much as it may", "550 5.4.5 too many"}},
      {with(with_reply(with_login(account_quota, Stage::message), "550 sending quota exceeded"),
            [](Failure& f) { f.is_evidence = true; }),
       {"refused this mail in a way that may concern all mail from here: 550 sending quota exceeded",
        "it is tried again", "returned to its sender"}},
      {failure(ourselves), {"this daemon itself", "`host` and `port`"}},
      {failure(mail_loops), {"smtp.example.com is this machine itself", "loop", "`host`"}},
      {failure(no_such_domain), {"the domain smtp.example.com does not exist", "`host`"}},
      {failure(no_mail_server), {"neither MX nor address", "`host`"}},
      {failure(null_mx), {"takes no mail (null MX)", "`lookup: host`"}},
      {with_reply(failure(machine_refused), "554 5.7.1 listed"), {"no mail from this machine", "listed"}},
      {failure(dns_unreachable), {"no look-up in the DNS succeeds", "/etc/resolv.conf", "`dns`"}},
      {with(failure(port_blocked), [](Failure& f) { f.port = 25; }),
       {"answers on port 25", "(OP25B)", "587 or 465"}},
      {with_oauth(oauth_consent_needed),
       {"nobody has consented yet that me@example.com", "`hikyaku oauth login main`"}},
      {with_oauth(oauth_consent_needed, "invalid_grant: AADSTS700082: expired", {.provider = kMicrosoft}),
       {"at Microsoft has lapsed after 90 days without use", "`hikyaku oauth login main`", "AADSTS700082"}},
      {with_oauth(oauth_consent_needed, "invalid_grant: Token has been expired or revoked.",
                  {.provider = kGoogle, .age_seconds = 7 * 86'400 + 60}),
       {"probably in \"Testing\"", "\"In production\"", "`hikyaku oauth login main`"}},
      {with_oauth(oauth_consent_needed, "invalid_grant: gone", {.provider = kGoogle}),
       {"at Google no longer holds"}},
      {with_oauth(oauth_consent_needed, "interaction_required: AADSTS50076: MFA", {.provider = kMicrosoft}),
       {"second factor"}},
      {with_oauth(oauth_consent_needed, "invalid_grant: AADSTS65001: no consent", {.provider = kMicrosoft}),
       {"administrator to consent", "SMTP.Send"}},
      {with_oauth(oauth_client_refused, "invalid_client: AADSTS7000222: expired",
                  {.provider = kMicrosoft, .file = "/etc/hikyaku/m365.secret"}),
       {"client secret has expired or is wrong", "/etc/hikyaku/m365.secret", "reload"}},
      {with_oauth(oauth_client_refused, "invalid_client: AADSTS7000218: secret", {.provider = kMicrosoft}),
       {"`client_secret_file`", "allow public client flows"}},
      {with_oauth(oauth_client_refused, "invalid_client: AADSTS700025: public", {.provider = kMicrosoft}),
       {"remove `client_secret_file`"}},
      {with_oauth(oauth_client_refused, "unauthorized_client: AADSTS700016: x", {.provider = kMicrosoft}),
       {"`tenant` and `client_id`"}},
      {with_oauth(oauth_client_refused, "invalid_scope: Invalid device flow scope", {.provider = kGoogle}),
       {"--browser"}},
      {with_oauth(oauth_client_refused, "unauthorized_client: x",
                  {.provider = kGoogle, .flow = OAuthFlow::service_account}),
       {"domain-wide delegation", "https://mail.google.com/"}},
      {with_oauth(oauth_unreachable, "no connection to https://login.microsoftonline.com",
                  {.provider = kMicrosoft}),
       {"no token for me@example.com can be had from Microsoft", "tried again by itself"}},
      {with_oauth(oauth_setup, "/s may be read by everybody", {.file = "/s"}),
       {"/s cannot be used", "reload"}},
      {with_oauth(oauth_setup, "/bin/x ended with exit code 3", {.flow = OAuthFlow::command}),
       {"`command` of main printed no token", "exit code 3"}},
      {with_reply(with_oauth(oauth_scope, "",
                             {.provider = kGoogle,
                              .wanted_scope = "https://mail.google.com/",
                              .granted_scope = "https://www.googleapis.com/auth/gmail.send"}),
                  "535 5.7.8 Username and Password not accepted"),
       {"wants the scope https://mail.google.com/, and the token has "
        "https://www.googleapis.com/auth/gmail.send"}},
      {with_reply(with_oauth(oauth_token_refused, "",
                             {.provider = kMicrosoft, .flow = OAuthFlow::client_credentials}),
                  "535 5.7.3 Authentication unsuccessful"),
       {"object id of the app registration", "FullAccess", "Add-MailboxPermission"}},
      {with_reply(with_oauth(oauth_token_refused, "", {.provider = kMicrosoft}), "535 5.7.3 no"),
       {"another account than me@example.com consented"}},
      {with_oauth(oauth_token_refused, "", {.provider = kGoogle}), {"another account consented"}},
      {with_oauth(oauth_token_refused), {"check `user` and `scope`"}},
      {with_reply(with_oauth(auth_temporary, "", {.provider = kMicrosoft}),
                  "430 4.2.0 STOREDRV; mailbox logon failure; account"),
       {"may not open the mailbox of me@example.com", "Add-MailboxPermission"}},
      {with_reply(
           with_login(basic_auth_disabled),
           "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant."),
       {"whole tenant", "Set-TransportConfig -SmtpClientAuthenticationDisabled $false", "an hour"}},
      {with_reply(
           with_login(basic_auth_disabled),
           "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox."),
       {"for the mailbox of me@example.com", "Set-CASMailbox me@example.com"}},
      {with(with_reply(with_login(basic_auth_disabled), "550 5.7.30 Basic authentication is not supported"),
            [](Failure& f) { f.host = "smtp.office365.com"; }),
       {"Microsoft has switched off passwords", "oauth: {provider: microsoft, client_id"}},
      {failure(starttls_not_offered, Stage::tls), {"does not offer STARTTLS", "nothing was sent in clear"}},
      {with(failure(plain_on_implicit, Stage::tls),
            [](Failure& f) { f.tls = TlsMode::implicit, f.detail = "the peer began with \"220 hi\""; }),
       {"smtp.example.com:587 answered in plain SMTP, but the configuration says implicit TLS: set `tls: "
        "starttls` "
        "for it (or use port 465)",
        "220 hi"}},
      {with(failure(plain_on_implicit), [](Failure& f) { f.detail = "\"HTTP/1.1\""; }), {"other than TLS"}},
      {with_reply(with(failure(tls_demanded), [](Failure& f) { f.tls = TlsMode::none; }),
                  "530 5.7.0 STARTTLS"),
       {"without TLS", "says `tls: none`", "set `tls: starttls`"}},
      {failure(tls_demanded), {"without TLS", "set `tls: starttls`"}},
      {failure(injected_after_starttls), {"tampering"}},
      {failure(tls_expired), {"has expired", "renew"}},
      {failure(tls_not_yet_valid), {"not valid yet", "clock"}},
      {failure(tls_self_signed), {"self-signed", "`tls_fingerprint`", "`tls_ca_file`"}},
      {failure(tls_unknown_issuer), {"issuer that this machine does not know", "`tls_ca_file`"}},
      {failure(tls_wrong_name), {"another name than smtp.example.com", "`tls_hostname`"}},
      {with(failure(tls_wrong_name), [](Failure& f) { f.host = f.tls_name = "192.0.2.1"; }),
       {"192.0.2.1", "`tls_hostname`, to the name"}},
      {failure(tls_pin_mismatch), {"`tls_fingerprint` pins"}},
      {with_certificate(tls_expired),
       {"has expired: it was valid until 2026-09-22T14:13:20Z", "set `tls_fingerprint: \"sha256:0123abcd\"`",
        "to look at it: `openssl s_client -connect smtp.example.com:587 -starttls smtp -servername "
        "smtp.example.com -verify_hostname smtp.example.com -showcerts </dev/null`"}},
      {with_certificate(tls_expired, [](CertificateFacts& c) { c.faulty = "CN=Old CA"; }),
       {"a certificate in the chain of smtp.example.com:587, that of \"CN=Old CA\", has expired"}},
      {with_certificate(tls_not_yet_valid), {"not valid before 2026-09-21T14:13:20Z", "clock", "openssl"}},
      {with_certificate(tls_self_signed),
       {"self-signed", "set `tls_fingerprint: \"sha256:0123abcd\"`", "`tls_ca_file`", "openssl"}},
      {with_certificate(tls_unknown_issuer),
       {"does not know: \"CN=Home CA\"", "ca-certificates", "`tls_ca_file`",
        "set `tls_fingerprint: \"sha256:0123abcd\"`", "openssl"}},
      {with_certificate(tls_wrong_name),
       {"another name than smtp.example.com: it is for other.example.com, *.example.org, 192.0.2.7",
        "`tls_hostname` to one of these names", "openssl"}},
      {with_certificate(tls_wrong_name, [](CertificateFacts& c) { c.names.clear(); }),
       {"names no host that it is for (its common name \"old.example.com\" does not count)",
        "sha256:0123abcd"}},
      {with_certificate(tls_pin_mismatch),
       {"not the one that `tls_fingerprint` pins", "set `tls_fingerprint: \"sha256:0123abcd\"`", "openssl"}},
      {failure(tls_old_protocol), {"no TLS version in common", "`tls_min_version"}},
      {failure(tls_weak_key), {"too short", "`tls_min_version"}},
      {failure(tls_weak_signature), {"signed in a way", "`tls_min_version"}},
      {failure(tls_legacy_renegotiation), {"renegotiation"}},
      {failure(tls_failed), {"TLS with smtp.example.com:587 failed"}},
      {failure(tls_setup), {"configured TLS files", "`tls_ca_file`"}},
      {with(failure(auth_only_after_tls), [](Failure& f) { f.tls = TlsMode::none; }),
       {"only after TLS", "`tls: none`", "set `tls: starttls`"}},
      {with_login(auth_not_offered), {"no way to log in", "authinfo:3", "587"}},
      {with_login(no_usable_mechanism), {"PLAIN LOGIN", "`auth`"}},
      {with(with_login(missing_plugin), [](Failure& f) { f.mechanism = "SCRAM-SHA-256"; }),
       {"SASL plug-in for SCRAM-SHA-256", "package libsasl2-modules and"}},
      {with(with_login(missing_plugin), [](Failure& f) { f.mechanism = "GSSAPI"; }),
       {"package libsasl2-modules-gssapi-mit"}},
      {with_login(plaintext_auth_not_allowed),
       {"PLAIN LOGIN", "`tls: starttls`", "`allow_plaintext_auth: true`"}},
      {with_reply(with_login(auth_rejected), "535 5.7.8 Error: authentication failed"),
       {"smtp.example.com:587 refused the user name or password of me@example.com (/etc/hikyaku/authinfo:3): "
        "535 5.7.8 "
        "Error: authentication failed; correct it and run `systemctl reload hikyaku` (or send SIGHUP); the "
        "mail waits"}},
      {with_reply(with_login(auth_temporary), "454 4.7.0 later"), {"at the moment", "454 4.7.0 later"}},
      {with(with_login(auth_protocol_error), [](Failure& f) { f.mechanism = "DIGEST-MD5"; }),
       {"DIGEST-MD5", "`auth`"}},
      {with_reply(failure(credentials_demanded), "530 5.7.0 Authentication required"),
       {"demands a log-in", "add a line for smtp.example.com to", authinfo, "the mail waits"}},
      {with_login(credentials_demanded), {"`auth: none`"}},
      {with_login(basic_auth_disabled), {"takes no passwords", "me@example.com"}},
      {with_login(app_password_needed), {"app password", "/etc/hikyaku/authinfo:3"}},
      {with_login(auth_blocked), {"web browser"}},
      {failure(relaying_refused, Stage::rcpt), {"stranger", "add a line for smtp.example.com", authinfo}},
      {with_login(relaying_refused), {"`auth: none`"}},
      {with(with_login(relaying_refused), [](Failure& f) { f.logged_in = true; }),
       {"does not relay for me@"}},
      {with_reply(with_login(sender_not_owned, Stage::mail), "553 5.7.1 not owned"),
       {"<shop@example.net> when me@example.com", "set `from` for it to the account's own address",
        "/etc/hikyaku/authinfo:3"}},
      {failure(sender_not_owned, Stage::mail), {"<shop@example.net>", authinfo}},
      {with(failure(sender_not_owned), [](Failure& f) { f.sender.clear(); }),
       {"<>", "set `rewrite.null_sender`"}},
      {with_reply(with_login(sender_not_authenticated, Stage::message),
                  "550 5.7.26 Unauthenticated email from example.net is not accepted"),
       {"refused mail from <shop@example.net>, because SPF, DKIM or DMARC of the domain example.net",
        "550 5.7.26 Unauthenticated", "from a domain of your account", "have the DNS of example.net"}},
      {with_reply(with_login(sender_not_authenticated, Stage::message),
                  "550 5.7.30 This mail has been blocked because DKIM does not pass"),
       {"refused mail from <shop@example.net>", "DKIM", "have the DNS of example.net",
        "550 5.7.30 This mail"}},
      {with_reply(failure(sender_not_authenticated, Stage::message), "451 4.7.26 later"),
       {"does not take mail from <shop@example.net> now"}},
      {with_reply(failure(sender_domain_unknown, Stage::rcpt), "450 4.1.8 <a@vm>: Domain not found"),
       {"because the domain example.net does not exist: 450 4.1.8", "set `domain` (and `hostname`)",
        "correct the sender there"}},
      {with_reply(failure(message_refused, Stage::message), "554 5.6.0 bad"),
       {"refused the message: 554 5.6.0 bad"}},
      {with_reply(failure(message_refused, Stage::message), "451 later"),
       {"does not take this message now: 451"}},
      {with_reply(failure(recipient_refused, Stage::rcpt), "550 5.1.1 unknown"),
       {"refused the recipient <bob@example.org>: 550 5.1.1 unknown"}},
      {with_reply(failure(recipient_refused, Stage::rcpt), "450 later"),
       {"does not take mail for <bob@example.org>"}},
      {with(failure(too_large), [](Failure& f) { f.size = 47185920, f.max_size = 10240000; }),
       {"45.0 MiB", "9.7 MiB"}},
      {with(failure(too_large), [](Failure& f) { f.size = 2048, f.max_size = 1000; }),
       {"2.0 KiB", "1000 bytes"}},
      {failure(too_large), {"larger than"}},
      {failure(smtputf8_needed), {"SMTPUTF8"}},
      {failure(reply_lost), {"may have arrived"}},
      {failure(source_damaged), {"damaged and was not sent"}},
      {with(failure(returned_by_operator), [](Failure& f) { f.detail = "anna"; }),
       {"returned the message unsent (anna)"}},
      {with(failure(other), [](Failure& f) { f.detail = "permission denied"; }), {"permission denied"}},
  };
}

}  // namespace

TEST_CASE("diagnosis: every kind says what happened and what to change") {
  std::set<FailureKind> seen;
  for (const Case& row : every_kind()) {
    const std::string text = diagnose(row.failure);
    seen.insert(row.failure.kind);
    for (const char* words : row.says) CHECK_MESSAGE(text.find(words) != text.npos, words, " <- ", text);
    CHECK_MESSAGE(text.find("{at}") == text.npos, text);
    CHECK_MESSAGE(text.find_first_of("\r\n") == text.npos, text);
    CHECK_MESSAGE(!text.ends_with('.'), text);
  }
  CHECK(seen.size() == static_cast<std::size_t>(other) + 1);
}

TEST_CASE("diagnosis: the openssl command fits the port's TLS and the name that is verified") {
  Failure implicit = with_certificate(tls_self_signed);
  implicit.tls = TlsMode::implicit;
  implicit.port = 465;
  implicit.tls_name = "mx.example.com";
  CHECK(diagnose(implicit).find("`openssl s_client -connect smtp.example.com:465 -servername mx.example.com "
                                "-verify_hostname mx.example.com -showcerts </dev/null`") !=
        std::string::npos);
  implicit.host = implicit.tls_name = "2001:db8::1";
  CHECK(diagnose(implicit).find("-connect [2001:db8::1]:465 -noservername -verify_ip 2001:db8::1 ") !=
        std::string::npos);
}

TEST_CASE("diagnosis: a certificate with hostile names gets a bounded line, and its words fill in nothing") {
  Failure hostile = with_certificate(tls_wrong_name, [](CertificateFacts& c) {
    c.names = {std::string("ok.example\0.evil", 16), "{pin}", "two\r\nlines", "b; rm -rf /"};
    c.names.resize(20, std::string(255, 'n'));
    c.more_names = 9980;
    c.common_name = c.issuer = std::string(255, '\x02');
  });
  const std::string text = diagnose(hostile);
  CHECK(text.find("it is for \"ok.example\\x00.evil\", \"{pin}\", \"two\\x0d\\x0alines\", \"b; rm -rf /\" "
                  "and 9996 more") != std::string::npos);
  CHECK(text.size() < 1024);
  hostile.kind = tls_unknown_issuer;
  CHECK(diagnose(hostile).size() < 1500);
  CHECK(diagnose(hostile).find('\x02') == std::string::npos);
}

TEST_CASE("diagnosis: what a peer has sent is escaped once") {
  Failure odd = failure(plain_on_implicit, Stage::tls);
  odd.tls = TlsMode::implicit;
  odd.detail = cat("it answered \"", printable("220 ready\r\n554 no"), "\", which is no TLS");
  CHECK(diagnose(odd).ends_with("(it answered \"220 ready\\x0d\\x0a554 no\", which is no TLS)"));
}

TEST_CASE("diagnosis: the address that was tried stands behind the name") {
  Failure tried = failure(refused);
  tried.address = "192.0.2.1:587";
  CHECK(diagnose(tried).starts_with("nobody listens on smtp.example.com:587 [192.0.2.1:587], or"));
  tried.host = "192.0.2.1";
  CHECK(diagnose(tried).starts_with("nobody listens on 192.0.2.1:587, or"));
  tried.host = "2001:db8::1";
  tried.address.clear();
  CHECK(diagnose(tried).starts_with("nobody listens on [2001:db8::1]:587, or"));
}

TEST_CASE("diagnosis: on an unproven smarthost a refusal of the mail is a probable mistake") {
  Failure refusal = with_reply(with_login(sender_not_owned, Stage::mail), "553 5.7.1 not owned");
  refusal.concerns = Concerns::message;
  CHECK(diagnose(refusal).find("probably a mistake") == std::string::npos);
  refusal.unproven = true;
  CHECK(diagnose(refusal).find("probably a mistake in the configuration") != std::string::npos);
  refusal.reply = parse_reply("451 later");
  CHECK(diagnose(refusal).find("probably a mistake") == std::string::npos);
}

TEST_CASE("diagnosis: a hostile peer gets one bounded, printable line, and fills in nothing") {
  std::string flood = "550-{user}\x1b[2J\r\n";
  for (int i = 0; i < 100; ++i) flood += "550-\xe2\x80\xa8\x01{origin}{at}" + std::string(300, 'x') + "\r\n";
  for (const Case& row : every_kind()) {
    Failure hostile = row.failure;
    hostile.reply = parse_reply(flood + "550 end\r\n");
    REQUIRE(hostile.reply.has_value());
    hostile.detail = std::string(5000, '\x02');
    hostile.offered = std::vector<std::string>(64, "A\r\nB");
    const std::string text = diagnose(hostile);
    CHECK(text.size() <= kMaxDiagnosis);
    CHECK(text.find('\r') == text.npos);
    CHECK(text.find('\x1b') == text.npos);
    CHECK(text.find('\x01') == text.npos);
    CHECK(text.find("550 {user}\\x1b") != text.npos);
  }
}
