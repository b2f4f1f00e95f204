// SPDX-License-Identifier: MIT
// The words for log-ins with OAuth2, and for what Microsoft and Google say when they take no password. The
// texts that the conditions look for are the providers' own and stable; they choose words, never what
// follows.
#include <algorithm>
#include <iterator>

#include "daemon/mail/diagnosis_words.h"

namespace hikyaku::mail {
namespace {

using enum FailureKind;
using Facts = const Failure&;

bool says(Facts f, std::string_view text) {
  if (f.detail.find(text) != f.detail.npos) return true;
  return f.reply && std::ranges::any_of(f.reply->lines, [&](const std::string& line) {
           return line.find(text) != line.npos;
         });
}

bool is_of(Facts f, OAuthProvider provider) { return f.oauth && f.oauth->provider == provider; }
bool is_by(Facts f, OAuthFlow flow) { return f.oauth && f.oauth->flow == flow; }

// The project's state "Testing" ends each consent after seven days.
bool has_ended_after_a_week(Facts f) {
  constexpr std::int64_t kHour = 3600;
  constexpr std::int64_t kWeek = 7 * 24 * kHour;
  return is_of(f, OAuthProvider::google) && f.oauth->age_seconds > kWeek - kHour &&
         f.oauth->age_seconds < kWeek + kHour;
}

bool is_first_time(Facts f) { return f.detail.empty(); }
bool has_lapsed(Facts f) { return says(f, "AADSTS700082"); }
bool wants_second_factor(Facts f) { return says(f, "AADSTS50076") || says(f, "AADSTS50079"); }
bool needs_admin(Facts f) { return says(f, "AADSTS65001"); }
bool wants_secret(Facts f) { return says(f, "AADSTS7000218"); }
bool wants_no_secret(Facts f) { return says(f, "AADSTS700025"); }
bool is_wrong_tenant(Facts f) { return says(f, "AADSTS700016") || says(f, "AADSTS90002"); }
bool is_google_device(Facts f) { return says(f, "Invalid device flow scope"); }
bool is_workspace_unauthorized(Facts f) {
  return is_by(f, OAuthFlow::service_account) && says(f, "unauthorized_client");
}
bool is_off_for_tenant(Facts f) { return says(f, "SmtpClientAuthentication is disabled for the Tenant"); }
bool is_off_for_mailbox(Facts f) { return says(f, "SmtpClientAuthentication is disabled for the Mailbox"); }
bool is_security_defaults(Facts f) { return says(f, "security defaults"); }
bool is_app_only_microsoft(Facts f) {
  return is_of(f, OAuthProvider::microsoft) && is_by(f, OAuthFlow::client_credentials);
}
bool is_microsoft(Facts f) { return is_of(f, OAuthProvider::microsoft); }
bool is_google(Facts f) { return is_of(f, OAuthProvider::google); }
bool is_by_command(Facts f) { return is_by(f, OAuthFlow::command); }
bool is_without_mailbox(Facts f) { return f.oauth && says(f, "STOREDRV") && is_temporary(f); }
bool is_microsofts_reply(Facts f) {
  return f.host.ends_with(".office365.com") || f.host.ends_with(".outlook.com");
}

constexpr DiagnosisRow kOAuthRows[] = {
    {oauth_consent_needed, is_first_time, "nobody has consented yet that {user} sends through {at}",
     "run `hikyaku oauth login {smarthost}`; the mail waits"},
    {oauth_consent_needed, has_lapsed,
     "the consent of {user} at {provider} has lapsed after 90 days without use",
     "run `hikyaku oauth login {smarthost}`; the mail waits"},
    {oauth_consent_needed, has_ended_after_a_week,
     "the consent of {user} at {provider} has ended after seven days: the Google project is probably in "
     "\"Testing\"",
     "set its publishing status to \"In production\", then run `hikyaku oauth login {smarthost}`; the mail "
     "waits"},
    {oauth_consent_needed, wants_second_factor, "{provider} wants {user} to confirm with a second factor",
     "run `hikyaku oauth login {smarthost}`; the mail waits"},
    {oauth_consent_needed, needs_admin, "{provider} wants an administrator to consent for this application",
     "have one grant admin consent to its permission SMTP.Send (or SMTP.SendAsApp), then run `hikyaku oauth "
     "login "
     "{smarthost}`; the mail waits"},
    {oauth_consent_needed, always, "the consent of {user} at {provider} no longer holds",
     "run `hikyaku oauth login {smarthost}`; the mail waits"},
    {oauth_client_refused, wants_secret, "{provider} does not know this application as a public one",
     "give it a client secret (`client_secret_file`), or allow public client flows for it at {provider}; the "
     "mail "
     "waits"},
    {oauth_client_refused, wants_no_secret,
     "{provider} knows this application as a public one, which has no secret",
     "remove `client_secret_file` and {reload}; the mail waits"},
    {oauth_client_refused, is_wrong_tenant, "{provider} does not know this application in this tenant",
     "correct `tenant` and `client_id` (the application's, not the object's) and {reload}; the mail waits"},
    {oauth_client_refused, is_google_device, "{provider} does not allow the device flow for mail",
     "run `hikyaku oauth login {smarthost} --browser`; the mail waits"},
    {oauth_client_refused, is_workspace_unauthorized,
     "Google does not let this service account act for {user}",
     "in the admin console, under Security, API controls, add domain-wide delegation for its client id with "
     "the scope "
     "https://mail.google.com/; the mail waits"},
    {oauth_client_refused, always,
     "{provider} refuses this application: its client secret has expired or is wrong, "
     "or `client_id` is",
     "put a new secret into {file} and {reload}; the mail waits"},
    {oauth_unreachable, always, "no token for {user} can be had from {provider} at the moment",
     "it is tried again by itself; if this lasts, check this machine's way to the token endpoint (`proxy`, "
     "`ca_file`)"},
    {oauth_setup, is_by_command, "`command` of {smarthost} printed no token for {user}",
     "run it as the daemon's user, correct it and {reload}; the mail waits"},
    {oauth_setup, always, "no token for {user} can be asked for: {file} cannot be used",
     "correct it and {reload}; the mail waits"},
    {oauth_scope, always, "{at} wants the scope {wanted}, and the token has {granted}",
     "run `hikyaku oauth login {smarthost}` again, and allow what it asks for; the mail waits"},
    {oauth_token_refused, is_app_only_microsoft,
     "{at} refused a fresh token for {user}: probably New-ServicePrincipal got the object id of the app "
     "registration "
     "instead of the enterprise application's, or the mailbox gives it no FullAccess",
     "correct that in Exchange Online PowerShell (Get-ServicePrincipal, Add-MailboxPermission); the mail "
     "waits"},
    {oauth_token_refused, is_microsoft,
     "{at} refused a fresh token for {user}: probably another account than {user} consented",
     "run `hikyaku oauth login {smarthost}` and log in there as {user}; the mail waits"},
    {oauth_token_refused, is_google,
     "{at} refused a fresh token for {user}: probably another account consented",
     "run `hikyaku oauth login {smarthost}` and log in there as {user}; the mail waits"},
    {oauth_token_refused, always, "{at} refused a fresh token for {user}",
     "check `user` and `scope`, or run `hikyaku oauth login {smarthost}` again; the mail waits"},
    {auth_temporary, is_without_mailbox, "the service principal may not open the mailbox of {user}",
     "give it the right: Add-MailboxPermission -Identity {user} -User OBJECT_ID -AccessRights FullAccess; "
     "the mail waits"},
    {message_refused, is_without_mailbox, "the service principal may not open the mailbox of {user}",
     "give it the right: Add-MailboxPermission -Identity {user} -User OBJECT_ID -AccessRights FullAccess; "
     "the mail waits"},
    {basic_auth_disabled, is_off_for_tenant, "SMTP AUTH is switched off for the whole tenant of {user}",
     "have its administrator allow it: Set-TransportConfig -SmtpClientAuthenticationDisabled $false (or for "
     "this mailbox "
     "alone: Set-CASMailbox {user} -SmtpClientAuthenticationDisabled $false); it takes up to an hour"},
    {basic_auth_disabled, is_off_for_mailbox, "SMTP AUTH is switched off for the mailbox of {user}",
     "have its administrator allow it: Set-CASMailbox {user} -SmtpClientAuthenticationDisabled $false; it "
     "takes up to an "
     "hour"},
    {basic_auth_disabled, is_security_defaults, "the tenant's Security Defaults forbid SMTP AUTH for {user}",
     "have its administrator use Conditional Access instead of Security Defaults, or use another smarthost"},
    {basic_auth_disabled, is_microsofts_reply, "Microsoft has switched off passwords for {user}",
     "use OAuth2 instead: add `oauth: {provider: microsoft, client_id: …}` to the smarthost, and run "
     "`hikyaku oauth login "
     "{smarthost}`"},
};

}  // namespace

const DiagnosisRow* oauth_row(const Failure& failure) {
  const auto row = std::ranges::find_if(
      kOAuthRows, [&](const DiagnosisRow& each) { return each.kind == failure.kind && each.when(failure); });
  return row == std::end(kOAuthRows) ? nullptr : &*row;
}

}  // namespace hikyaku::mail
