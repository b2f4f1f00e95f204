// SPDX-License-Identifier: MIT
// Tokens that other programs have got: sasl-xoauth2's file of one account, and email-oauth2-proxy's
// configuration, whose tokens are encrypted with the password that its clients log in to it with. They go on
// here only with the same client id. Pure.
#pragma once

#include <string>
#include <string_view>

#include "daemon/oauth/token_store.h"

namespace hikyaku::oauth {

enum class TokenFileKind : std::uint8_t { sasl_xoauth2, email_oauth2_proxy, unknown };
TokenFileKind kind_of_token_file(std::string_view text);

// Without client and user, which are the configuration's. The error says what is wrong with the file.
Result<StoredToken, std::string> import_sasl_xoauth2(std::string_view text);
// The section of `account`.
Result<StoredToken, std::string> import_email_oauth2_proxy(std::string_view text, std::string_view account,
                                                           const Secret& password);

// A Fernet token (Version 0x80: AES-128-CBC, then HMAC-SHA-256) by a key of 32 bytes; nullopt if it is none,
// or the key is wrong.
std::optional<Secret> decrypt_fernet(std::string_view token, std::string_view key);

}  // namespace hikyaku::oauth
