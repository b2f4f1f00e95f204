// SPDX-License-Identifier: MIT
// What real servers say, as their sources and documentation have it, and what it must mean. The context is
// the one in which they say it: logged in and proven unless it is about strangers or first attempts.
#include "tests/unit/smtpc/verdict_cases.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;
using mail::Stage;
using enum Action;
using enum mail::FailureKind;

TEST_CASE("verdict, servers: a log-in that is refused") {
  using enum AuthAction;
  constexpr AuthContext kFirst{};
  constexpr AuthContext kKnown{.ever_worked = true};
  constexpr AuthContext kClear{.ever_worked = false, .encrypted = false};
  check_log_ins(std::to_array<AuthCase>({
      // Postfix
      {"535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6", kFirst, next_mechanism, auth_rejected},
      {"535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6", kKnown, stop, auth_rejected},
      {"535 5.7.0 Error: authentication failed: another step is needed", kFirst, next_mechanism,
       auth_rejected},
      {"454 4.7.0 Temporary authentication failure: Connection lost to authentication server", kKnown, stop,
       auth_temporary},
      {"503 5.5.1 Error: authentication not enabled", kFirst, next_mechanism, no_usable_mechanism},
      {"530 5.7.0 Must issue a STARTTLS command first", kClear, stop, tls_demanded},
      {"538 5.7.11 Encryption required for requested authentication mechanism", kClear, stop, tls_demanded},
      {"421 4.7.0 mx.example Error: too many AUTH commands from unknown[192.0.2.1]", kKnown, stop,
       auth_temporary},
      // Exim
      {"535 Incorrect authentication data", kKnown, stop, auth_rejected},
      {"435 Unable to authenticate at present", kKnown, stop, auth_temporary},
      {"503 AUTH command used when not advertised", kFirst, next_mechanism, no_usable_mechanism},
      {"504 NTLM authentication mechanism not supported", kFirst, next_mechanism, no_usable_mechanism},
      // OpenSMTPD, Sendmail, qmail
      {"535 Authentication failed", kKnown, stop, auth_rejected},
      {"504 5.7.4 Security features not supported: AUTH method \"X\" not supported", kFirst, next_mechanism,
       no_usable_mechanism},
      {"535 5.7.0 authentication failed", kKnown, stop, auth_rejected},
      {"454 4.3.0 Temporary authentication failure", kKnown, stop, auth_temporary},
      {"535 authentication failed (#5.7.1)", kKnown, stop, auth_rejected},
      // Exchange Online
      {"535 5.7.3 Authentication unsuccessful", kKnown, stop, auth_rejected},
      {"535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
       kKnown, stop, basic_auth_disabled},
      {"504 5.7.4 Unrecognized authentication type", kFirst, next_mechanism, no_usable_mechanism},
      {"550 5.7.30 Basic authentication is not supported for Client Submission.", kKnown, stop,
       basic_auth_disabled},
      {"451 4.7.0 Temporary server error. Please try again later. PRX2", kKnown, stop, auth_temporary},
      // Gmail
      {"535-5.7.8 Username and Password not accepted. Learn more at\r\n535 5.7.8  https://example.com",
       kKnown, stop, auth_rejected},
      {"534-5.7.9 Application-specific password required.\r\n534 5.7.9 x", kKnown, stop, app_password_needed},
      {"534-5.7.14 Please log in via your web browser\r\n534 5.7.14 x", kKnown, stop, auth_blocked},
      {"454 4.7.0 Too many login attempts, please try again later.", kKnown, stop, auth_temporary},
      {"501 5.5.2 Cannot Decode response", kFirst, next_mechanism, no_usable_mechanism},
      // Amazon SES, SendGrid, Mailgun, Brevo, Open-Xchange
      {"535 Authentication Credentials Invalid", kKnown, stop, auth_rejected},
      {"451 Authentication failed: Maximum credits exceeded", kKnown, stop, auth_temporary},
      {"535 5.7.0 Mailgun is not loving your login or password", kKnown, stop, auth_rejected},
      {"525 5.7.1 Unauthorized IP address", kFirst, stop, auth_blocked},
      {"535 5.7.8 Authentication refused", kKnown, stop, auth_rejected},
      // RFC 5248
      {"525 5.7.13 User account disabled", kFirst, stop, auth_blocked},
      {"524 5.7.11 Encryption required for requested authentication mechanism", kClear, stop, tls_demanded},
      {"432 4.7.12 A password transition is needed", kKnown, stop, auth_temporary},
  }));
}

TEST_CASE("verdict, servers: what wants a log-in or TLS first") {
  check_all(std::to_array<Case>({
      {Stage::mail, "530 5.5.1 Invalid command: Must issue an AUTH command first", kNewStranger, pause_lane,
       credentials_demanded},  // OpenSMTPD
      {Stage::mail, "530 5.5.1 Invalid command: Must issue a STARTTLS command first", kClearStranger,
       pause_lane, tls_demanded},  // OpenSMTPD
      {Stage::mail, "530 5.7.0 Must issue a STARTTLS command first", kClearStranger, pause_lane,
       tls_demanded},  // Postfix, Gmail
      {Stage::mail, "450 4.7.1 Session encryption is required", kClearStranger, pause_lane,
       tls_demanded},  // Postfix
      {Stage::mail, "451 5.7.3 STARTTLS is required to send mail", kClearStranger, pause_lane,
       tls_demanded},  // Exchange Online
      {Stage::mail, "554 5.7.1 TLS required", kClearStranger, pause_lane, tls_demanded},
      {Stage::mail, "530 5.7.57 Client not authenticated to send mail", kNewStranger, pause_lane,
       credentials_demanded},  // Exchange Online
      {Stage::mail, "530-5.7.0 Authentication Required. Learn more at\r\n530 5.7.0  https://example.com",
       kNewStranger, pause_lane, credentials_demanded},                                              // Gmail
      {Stage::mail, "530 Authentication required", kNewStranger, pause_lane, credentials_demanded},  // SES
      {Stage::mail, "550 Unauthenticated senders not allowed", kNewStranger, pause_lane,
       relaying_refused},  // SendGrid
      {Stage::mail, "503 5.7.0 Authentication required", kNewStranger, pause_lane, credentials_demanded},
      {Stage::rcpt, "530 5.7.1 Authentication required", kStranger, pause_lane, credentials_demanded},
  }));
}

TEST_CASE("verdict, servers: relaying is denied to a stranger") {
  // From one that has taken mail before it is evidence: it may mean this recipient alone.
  check_all(std::to_array<Case>({
      {Stage::rcpt, "554 5.7.1 <u@example.net>: Relay access denied", kStranger, weigh_evidence,
       relaying_refused},  // Postfix
      {Stage::rcpt, "454 4.7.1 <u@example.net>: Relay access denied", kStranger, weigh_evidence,
       relaying_refused},  // Postfix, smtpd_relay_restrictions by default
      {Stage::rcpt, "554 5.7.1 <host[192.0.2.1]>: Client host rejected: Access denied", kStranger,
       weigh_evidence, relaying_refused},  // Postfix, submission
      {Stage::rcpt, "550 relay not permitted", kStranger, weigh_evidence, relaying_refused},  // Exim
      {Stage::rcpt,
       "550-Please turn on SMTP Authentication in your mail client.\r\n550-host (x) [192.0.2.1]:40000 is "
       "not\r\n"
       "550 permitted to relay through this server without authentication.",
       kStranger, weigh_evidence, relaying_refused},  // Exim, cPanel
      {Stage::rcpt, "550 Invalid recipient: <u@example.net>", kNewStranger, pause_lane,
       relaying_refused},  // OpenSMTPD
      {Stage::rcpt, "550 5.7.1 <u@example.net>... Relaying denied", kStranger, weigh_evidence,
       relaying_refused},  // Sendmail
      {Stage::rcpt, "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", kStranger,
       weigh_evidence, relaying_refused},                                                       // qmail
      {Stage::rcpt, "550 5.7.1 Unable to relay", kStranger, weigh_evidence, relaying_refused},  // Exchange
      {Stage::rcpt, "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", kNewStranger,
       defer_unproven, relaying_refused},  // Exchange
      {Stage::rcpt, "550 5.7.64 TenantAttribution; Relay Access Denied", kNewStranger, defer_unproven,
       relaying_refused},  // Exchange Online
      {Stage::mail, "550 5.7.1 Mail relay denied [192.0.2.1]. Invalid credentials for relay", kStranger,
       weigh_evidence, smarthost_refuses},  // Gmail
      {Stage::rcpt, "550 Relay access denied - please authenticate", kStranger, weigh_evidence,
       relaying_refused},  // SMTP2GO
      {Stage::rcpt, "554 5.7.1 Relay access denied", kUnproven, defer_unproven, relaying_refused},
  }));
}

// A status of its own leaves no doubt. A text may quote a stranger: on a proven smarthost it is evidence.
TEST_CASE("verdict, servers: the account has sent as much as it may") {
  check_all(std::to_array<Case>({
      {Stage::mail, "550 5.4.5 Daily user sending limit exceeded.", kProven, pause_lane,
       account_quota},  // Gmail
      {Stage::data, "550 5.4.5 Daily SMTP relay limit exceeded for customer.", kProven, pause_lane,
       account_quota},  // Gmail
      {Stage::rcpt, "550 5.7.1 Daily SMTP relay sending limit exceeded for this user.", kProven,
       weigh_evidence, account_quota},  // Gmail
      {Stage::rcpt, "450 4.2.1 Peak SMTP relay limit exceeded for customer.", kProven, defer_recipient,
       recipient_refused},  // Gmail
      {Stage::message, "454 Throttling failure: Daily message quota exceeded.", kProven, weigh_evidence,
       account_quota},  // SES
      {Stage::message, "454 Throttling failure: Maximum sending rate exceeded.", kProven, weigh_evidence,
       smarthost_refuses},  // SES: of this second, not of the day
      {Stage::message, "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException", kProven,
       weigh_evidence, account_quota},  // Exchange Online
      {Stage::message, "554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException",
       kProven, weigh_evidence, account_quota},  // Exchange Online: the sender's
      {Stage::message, "550 5.2.251 Sender throttled due to continuous mailbox full errors.", kProven,
       pause_lane, account_quota},  // Exchange Online
      {Stage::message, "550 5.2.252 Sender throttled due to continuous send as denied errors.", kProven,
       weigh_evidence, account_quota},  // Exchange Online: its status means SendAsDenied, too
      {Stage::message, "550 5.7.233 Your message can't be sent because your tenant exceeded its daily limit",
       kProven, pause_lane, account_quota},  // Exchange Online
      {Stage::message, "550 5.7.705 Access denied, tenant has exceeded threshold", kProven, pause_lane,
       account_quota},  // Exchange Online
      {Stage::rcpt, "550 Domain example.com has exceeded the max emails per hour (200/200 (100%)) allowed.",
       kProven, weigh_evidence, account_quota},  // Exim, cPanel
      {Stage::rcpt, "550 Domain example.com has exceeded the max defers and failures per hour (5/5 (100%))",
       kProven, weigh_evidence, account_quota},  // Exim, cPanel
      {Stage::rcpt,
       "554 5.7.1 <u@example.net>: Recipient address rejected: You have exceeded your Outmail quota.",
       kProven, weigh_evidence, account_quota},  // Prolateral
      {Stage::rcpt,
       "450-Requested mail action not taken: mailbox unavailable\r\n450 Mail send limit exceeded.", kProven,
       defer_recipient, recipient_refused},  // IONOS
      {Stage::message, "452 Too many recipients received this hour (throttled)", kProven, defer_message,
       message_refused},  // SendGrid
      {Stage::message, "554 5.7.0 Sending quota exceeded", kProven, weigh_evidence, account_quota},
  }));
}

// Likewise; and 5.7.0 is what content filters say as well.
TEST_CASE("verdict, servers: the account, or this machine, may not send at all") {
  check_all(std::to_array<Case>({
      {Stage::message, "550 5.1.8 Access denied, bad outbound sender AS(42004)", kProven, weigh_evidence,
       smarthost_refuses},  // Exchange Online
      {Stage::message, "550 5.7.501 Access denied, spam abuse detected from 192.0.2.1", kProven, pause_lane,
       smarthost_refuses},  // Exchange Online
      {Stage::message, "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP.",
       kProven, pause_lane, smarthost_refuses},  // Exchange Online
      {Stage::message,
       "550 5.7.750 Service unavailable. Client blocked from sending from unregistered domain", kProven,
       pause_lane, smarthost_refuses},  // Exchange Online
      {Stage::mail, "550 5.7.606 Access denied, banned sending IP [192.0.2.1]", kProven, pause_lane,
       smarthost_refuses},  // Exchange Online
      {Stage::message, "554 5.1.8 Email Outgoing Blocked", kProven, weigh_evidence,
       smarthost_refuses},  // Zoho
      {Stage::message, "554 Message rejected: Sending paused for this account.", kProven, weigh_evidence,
       smarthost_refuses},  // SES
      {Stage::message, "554 Access denied: User is not authorized to perform `ses:SendRawEmail'", kProven,
       weigh_evidence, smarthost_refuses},  // SES
      {Stage::data, "502 5.7.0 Your SMTP account is not yet activated.", kProven, weigh_evidence,
       smarthost_refuses},  // Brevo
      {Stage::message, "550 5.7.0 Mail Sending denied.", kProven, weigh_evidence,
       smarthost_refuses},  // Gmail
      {Stage::rcpt, "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname", kProven,
       weigh_evidence, smarthost_refuses},  // Postfix
      {Stage::rcpt, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.example",
       kProven, weigh_evidence, smarthost_refuses},  // Postfix, Exchange Online
      {Stage::rcpt, "550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)", kProven, weigh_evidence,
       smarthost_refuses},  // Exim, cPanel
      {Stage::rcpt, "450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]", kProven,
       defer_recipient, recipient_refused},  // Postfix
      {Stage::greeting, "554 5.7.1 Connection refused - [192.0.2.1] blocked", kNewStranger, pause_lane,
       smarthost_refuses},  // Open-Xchange
  }));
}

TEST_CASE("verdict, servers: a refused sender bounces where mail has been accepted before, and else waits") {
  const char* const at_rcpt[] = {
      "553 5.7.1 <a@example.com>: Sender address rejected: not owned by user b@example.com",  // Postfix
      "553 5.7.1 <a@example.com>: Sender address rejected: not logged in",                    // Postfix
      "550 5.1.7 <a@>: Sender address rejected: invalid", "550 5.7.1 Sender domain not allowed"};
  for (const char* text : at_rcpt)
    check_all(std::to_array<Case>({{Stage::rcpt, text, kUnproven, defer_unproven, sender_not_owned},
                                   {Stage::rcpt, text, kProven, fail_recipient, sender_not_owned}}));
  const char* const at_mail[] = {
      "553 5.1.0 Sender address syntax error",                              // OpenSMTPD
      "553 Relaying disallowed as a@example.com",                           // Zoho
      "550 5.1.0 <a@example.com> sender rejected",                          // konto.pl
      "553 5.1.7 The sender address <a> is not a valid RFC-5321 address.",  // Gmail
      "550 5.7.1 We can't accept mail from that envelope sender"};
  for (const char* text : at_mail)
    check_all(std::to_array<Case>({{Stage::mail, text, kUnproven, defer_unproven, sender_not_owned},
                                   {Stage::mail, text, kProven, fail_message, sender_not_owned}}));
  const char* const at_message[] = {
      "554 5.2.252 SendAsDenied; a@example.com not allowed to send as b@example.com",  // Exchange Online
      "550 5.7.60 SMTP; Client does not have permissions to send as this sender",      // Exchange Online
      "554 Message rejected: Email address is not verified. The following identities failed",  // SES
      "550 The from address does not match a verified Sender Identity.",                       // SendGrid
      "550 From header sender domain not verified",                                            // SMTP2GO
      "550 5.7.1 The 'From' address you supplied is not a Sender Signature on your account"};  // Postmark
  for (const char* text : at_message)
    check_all(std::to_array<Case>({{Stage::message, text, kUnproven, defer_unproven, sender_not_owned},
                                   {Stage::message, text, kProven, fail_message, sender_not_owned}}));
}

TEST_CASE("verdict, servers: a sender whose domain does not allow this way is told apart, at every stage") {
  // Gmail, and RFC 7372.
  const char* const texts[] = {
      ("550-5.7.26 Unauthenticated email from example.com is not accepted due to\r\n"
       "550 5.7.26 domain's DMARC policy."),
      "550 5.7.26 This message fails to pass authentication checks (SPF and DKIM).",
      "550 5.7.27 The sender is unauthenticated. SPF = did not pass", "550 5.7.23 SPF validation failed",
      // Words that mean something else where the code says nothing.
      "550 5.7.26 Your email has been rate limited, the sending IP is not allowed to send",
      "550 5.7.27 Client host not allowed to relay mail from this sender domain",
      "550 5.7.26 sender domain exceeded your sending limit; use TLS encryption",
      "550 5.7.20 No passing DKIM signature found"};
  for (const char* text : texts) {
    check_all(std::to_array<Case>({{Stage::mail, text, kProven, fail_message, sender_not_authenticated},
                                   {Stage::message, text, kProven, fail_message, sender_not_authenticated},
                                   {Stage::rcpt, text, kProven, fail_recipient, sender_not_authenticated}}));
    for (Stage stage : {Stage::mail, Stage::rcpt, Stage::data, Stage::message})
      check_all(std::to_array<Case>({{stage, text, kUnproven, defer_unproven, sender_not_authenticated}}));
  }
}

TEST_CASE("verdict, servers: 5.7.30 is Gmail's word for DKIM and Exchange Online's for passwords") {
  const char* const dkim[] = {
      ("550-5.7.30 This mail has been blocked because DKIM does not pass.\r\n"
       "550 5.7.30 Gmail requires all large senders to pass DKIM."),
      "550 5.7.30 Your email has been blocked because the sender is unauthenticated. DKIM = did not pass",
      "550 5.7.30"};
  for (const char* text : dkim) {
    check_all(
        std::to_array<Case>({{Stage::rcpt, text, kProven, fail_recipient, sender_not_authenticated},
                             {Stage::data, text, kProven, fail_message, sender_not_authenticated},
                             {Stage::message, text, kProven, fail_message, sender_not_authenticated},
                             {Stage::message, text, kStranger, fail_message, sender_not_authenticated}}));
    for (Stage stage : {Stage::rcpt, Stage::data, Stage::message})
      for (Context context : {kUnproven, kNewStranger, kClearStranger})
        check_all(std::to_array<Case>({{stage, text, context, defer_unproven, sender_not_authenticated}}));
  }
  const char* const passwords = "550 5.7.30 Basic authentication is not supported for Client Submission.";
  for (Stage stage : {Stage::mail, Stage::rcpt, Stage::data, Stage::message})
    for (Context context : kEveryContext)
      check_all(std::to_array<Case>({{stage, passwords, context, pause_lane, basic_auth_disabled}}));
  // Before anything of the message is known it can only be about the account.
  check_all(std::to_array<Case>({{Stage::mail, "550 5.7.30", kProven, pause_lane, basic_auth_disabled}}));
}

TEST_CASE("verdict, servers: a sender whose domain does not exist is told apart, at every stage") {
  const char* const texts[] = {"550 5.1.8 <a@vm>: Sender address rejected: Domain not found",   // Postfix
                               "553 5.1.8 <a@vm>... Domain of sender address does not exist"};  // Sendmail
  for (const char* text : texts) {
    check_all(std::to_array<Case>({{Stage::mail, text, kProven, fail_message, sender_domain_unknown},
                                   {Stage::rcpt, text, kProven, fail_recipient, sender_domain_unknown}}));
    for (Stage stage : {Stage::mail, Stage::rcpt, Stage::message})
      check_all(std::to_array<Case>({{stage, text, kUnproven, defer_unproven, sender_domain_unknown}}));
  }
  const char* const later = "450 4.1.8 <a@vm>: Sender address rejected: Domain not found";  // Postfix
  for (Context context : {kProven, kUnproven})
    check_all(std::to_array<Case>({{Stage::rcpt, later, context, defer_recipient, sender_domain_unknown},
                                   {Stage::mail, later, context, defer_message, sender_domain_unknown}}));
}

TEST_CASE("verdict, servers: greylisting and other 4yz are the recipient's or the message's own") {
  const char* const greylisted[] = {
      "450 4.2.0 <u@example.net>: Recipient address rejected: Greylisted, see http://x",  // Postfix, Postgrey
      "451 4.7.1 Greylisting in action, please come back later",                          // milter-greylist
      "451 Greylisted, please try again in 300 seconds",                                  // Exim
      "451 4.7.500 Server busy. Please try again later from [192.0.2.1].",                // Exchange Online
      "450 4.2.1 The user you are trying to contact is receiving mail too quickly.",      // Gmail
      "452 4.2.2 The email account that you tried to reach is over quota.",               // Gmail
      "450 User is receiving mail too quickly",                                           // Yahoo
      "422 4.2.2 Quota limit exceeded",
      "450 4.3.2 Service currently unavailable",                                  // Postfix, postscreen
      "451 4.3.0 Multiple destination domains per transaction is unsupported."};  // Gmail
  for (const char* text : greylisted)
    check_all(std::to_array<Case>({{Stage::rcpt, text, kProven, defer_recipient, recipient_refused}}));
  check_all(std::to_array<Case>({
      {Stage::mail, "451 4.3.0 <a@example.com>: Temporary lookup failure", kProven, defer_message,
       message_refused},  // Postfix
      {Stage::rcpt, "451 Temporary local problem - please try later", kProven, defer_recipient,
       recipient_refused},  // Exim
      {Stage::message, "451 4.7.1 Service unavailable - try again later", kProven, defer_message,
       message_refused},  // Postfix, milter
      {Stage::message, "403 You are not authorized to send from that email address", kProven, defer_message,
       message_refused},  // SendGrid
      {Stage::rcpt, "452 4.5.3 Error: too many recipients", kProven, defer_recipient,
       recipient_refused},  // Postfix, Gmail
  }));
}

TEST_CASE("verdict, servers: a refused content is the message's end, and nobody else's") {
  const char* const texts[] = {
      "550 5.7.1 Spam message rejected",                                         // rspamd
      "554 5.6.0 Mail message is malformed. Not accepted.",                      // Gmail
      "554 5.7.1 Blocked by SpamAssassin",                                       // milter
      "552 5.7.0 This message was blocked because its content presents a risk",  // Gmail
      "554 5.4.6 Too many hops",
      "554 5.4.0 Error: too many hops",  // Sendmail; Postfix
      "550 5.7.520 Access denied, Your organization does not allow external forwarding.",
      "550 Administrative prohibition",
      "500 5.6.0 Line Too Long"};  // Exim; docomo
  for (const char* text : texts)
    check_all(std::to_array<Case>({{Stage::message, text, kProven, fail_message, message_refused}}));
}

TEST_CASE("verdict, servers: too large is the message's own") {
  check_all(std::to_array<Case>({
      {Stage::mail, "552 5.3.4 Message size exceeds fixed limit", kProven, fail_message,
       too_large},                                                                                  // Postfix
      {Stage::message, "552 5.3.4 Error: message file too big", kProven, fail_message, too_large},  // Postfix
      {Stage::mail, "552 Message size exceeds maximum permitted", kProven, fail_message, too_large},  // Exim
      {Stage::mail, "552 5.2.3 Message size exceeds fixed maximum message size (10485760)", kProven,
       fail_message, too_large},  // Sendmail, Exchange
      {Stage::message, "552-5.2.3 Your message exceeded Google's message size limits.\r\n552 5.2.3 x",
       kProven, fail_message, too_large},  // Gmail
      {Stage::message, "552 5.3.4 You have exceeded your maximum message size", kProven, fail_message,
       too_large},  // a limit, but not of the account
      {Stage::rcpt, "552 Too much mail data u@example.net", kProven, defer_recipient,
       recipient_refused},  // docomo
      {Stage::mail, "452 4.3.1 Insufficient system storage", kProven, defer_message,
       message_refused},  // Postfix
  }));
}

TEST_CASE("verdict, servers: an unknown or closed mailbox is the recipient's alone") {
  const char* const texts[] = {
      "550 5.1.1 <u@example.net>: Recipient address rejected: User unknown in local recipient table",  // Postfix
      "550-5.1.1 The email account that you tried to reach does not exist.\r\n550 5.1.1 x",     // Gmail
      "550 5.2.1 The email account that you tried to reach is disabled.",                       // Gmail
      "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",  // Exchange
      "550 5.1.1 <thelonious@example.net>... User unknown",                                     // Sendmail
      "550 Unknown user u@docomo.example",
      "550 Requested action not taken: mailbox unavailable",
      "550 Quota Exceeded",  // IONOS: the recipient's mailbox
      "552 5.2.2 The email account that you tried to reach is over quota.",
      "550 No such person at this address",
      "550 unrouteable address"};  // Exim
  for (const char* text : texts)
    check_all(std::to_array<Case>({{Stage::rcpt, text, kProven, fail_recipient, recipient_refused}}));
}

TEST_CASE("verdict, servers: too many connections, and how they say that they are busy") {
  struct {
    Stage stage;
    const char* reply;
    Action action;
  } const rows[] = {
      {Stage::greeting, "421 4.7.0 mx.example Error: too many connections from 192.0.2.1",
       pause_lane},  // Postfix
      {Stage::greeting, "421 mx.example: Too many concurrent SMTP connections; please try again later",
       pause_lane},                                                                      // Exim, SES
      {Stage::greeting, "421 4.3.2 All server ports are busy", pause_lane},              // postscreen
      {Stage::greeting, "421 4.2.1 Connection deferred", pause_lane},                    // Open-Xchange
      {Stage::mail, "432 4.3.2 Concurrent connections limit exceeded.", defer_message},  // Exchange Online
      {Stage::message, "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", defer_message},
      {Stage::mail, "421 4.7.0 Try again later, closing connection.", abort_attempt},  // Gmail
      {Stage::mail, "450 4.7.1 Error: too much mail from 192.0.2.1", defer_message},   // Postfix
      {Stage::mail, "421 4.4.2 Message submission rate for this client has exceeded the configured limit",
       abort_attempt},                                                                        // Exchange
      {Stage::mail, "452 4.5.3 Too many recipients: Too many messages sent", defer_message},  // OpenSMTPD
      {Stage::message, "454 Throttling failure: Maximum sending rate exceeded.", weigh_evidence},  // SES
      {Stage::rcpt, "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred",
       abort_attempt},  // Yahoo
  };
  for (const auto& row : rows) {
    CAPTURE(row.reply);
    const Verdict result = verdict(row.stage, reply(row.reply), kProven);
    CHECK(static_cast<int>(result.action) == static_cast<int>(row.action));
    CHECK(result.slow_down);
  }
}

TEST_CASE("verdict, servers: who was confused says nothing about the mail") {
  // Said in words alone it is evidence on a proven smarthost: it may stand in another server's reply.
  check_all(std::to_array<Case>({
      {Stage::rcpt, "550 5.5.1 Protocol error", kUnproven, abort_attempt,
       protocol_error},  // Postfix, postscreen
      {Stage::rcpt, "550 5.5.1 Protocol error", kProven, weigh_evidence, protocol_error},
      {Stage::mail, "554 SMTP synchronization error", kUnproven, abort_attempt, protocol_error},  // Exim
      {Stage::mail, "554 SMTP synchronization error", kProven, weigh_evidence, protocol_error},
      {Stage::mail, "503 sender already given", kProven, abort_attempt, protocol_error},  // Exim
      {Stage::mail, "503 5.5.1 Command not allowed at this point.", kProven, abort_attempt,
       protocol_error},  // OpenSMTPD
      {Stage::rcpt, "502 5.5.1 Too many unrecognized commands, goodbye.", kProven, abort_attempt,
       protocol_error},  // Gmail
  }));
}

TEST_CASE("verdict: what addresses spell is nobody's word") {
  for (const char* address : {"thelonious.helo", "your.ip", "ptr.record", "sending.limit", "tls.sender"})
    for (const Context& context : {kProven, kUnproven}) {
      const std::string text = std::string("550 5.1.1 <") + address + "@example.net> User unknown";
      CAPTURE(text);
      CHECK(verdict(Stage::rcpt, reply(text.c_str()), context).action == fail_recipient);
    }
}
