// SPDX-License-Identifier: MIT
// What a provider may answer, what a smarthost may say of a token, what a browser may come back with, and
// what stands in a file of tokens: nothing of it becomes a token that breaks a line, and no error's text
// holds a byte that a terminal obeys.
#include <algorithm>

#include "daemon/base/text.h"
#include "daemon/oauth/consent.h"
#include "daemon/oauth/token_answer.h"
#include "daemon/oauth/token_import.h"
#include "daemon/oauth/token_store.h"
#include "smtpc/login.h"
#include "tests/fuzz/fuzz.h"

using namespace hikyaku;

namespace {

bool is_plain(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

void check_grant(const Result<oauth::Grant, oauth::TokenError>& grant) {
  if (!grant) return check(is_plain(grant.error().text), "an error that cannot be shown");
  const std::string_view token = grant->access_token.reveal();
  check(!token.empty() && is_plain(token) && token.find(' ') == token.npos, "a token that breaks a line");
  check(is_plain(grant->scope) && is_plain(grant->account), "a scope or account that cannot be shown");
  check(grant->lifetime > 0s, "a life that has ended");
}

void check_redirect(const std::string& target) {
  const oauth::BrowserConsent consent{"", "state-of-ours", Secret("v"), "http://127.0.0.1:1"};
  const auto redirect = oauth::understand_redirect(target, consent, {});
  if (redirect.kind == oauth::RedirectKind::not_ours) return;
  check(target.find("state") != target.npos || target.find('%') != target.npos,
        "a redirect without our state");
  check(is_plain(redirect.text), "a refusal that cannot be shown");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(test::as_text(data, size));
  for (int status : {200, 400, 503}) {
    check_grant(oauth::parse_token_answer({status, Secret(text), {}}));
    const auto code = oauth::parse_device_answer({status, Secret(text), {}});
    if (code) check(is_plain(code->user_code) && is_plain(code->url), "a code that cannot be shown");
    if (!code) check(is_plain(code.error().text), "an error that cannot be shown");
  }
  check_grant(oauth::parse_token_text(text));
  check(is_plain(smtpc::scope_of_refusal(text)), "a scope that cannot be shown");
  check_redirect(text);
  if (const auto token = oauth::parse_stored_token(text))
    check(oauth::parse_stored_token(oauth::to_text(*token).reveal()).has_value(),
          "a token that is lost when it is kept");
  static_cast<void>(oauth::import_sasl_xoauth2(text));
  static_cast<void>(oauth::decrypt_fernet(text, std::string(32, 'k')));
  static_cast<void>(oauth::account_in(text));
  return 0;
}
