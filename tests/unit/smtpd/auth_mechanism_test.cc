// SPDX-License-Identifier: MIT
#include "doctest/doctest.h"
#include "smtpd/session_login.h"

using namespace hikyaku;
using namespace hikyaku::smtpd;
using Kind = AuthStep::Kind;

namespace {

AuthOptions tim() {
  AuthOptions options;
  options.user = "tim";
  options.password = Secret("tanstaaftanstaaf");
  return options;
}

Kind try_plain(const std::string& response) {
  AuthOptions options = tim();
  return make_auth_mechanism("PLAIN", options, "")->step(response).kind;
}

}  // namespace

TEST_CASE("auth server: PLAIN asks with an empty challenge if there was no initial response") {
  AuthOptions options = tim();
  auto mechanism = make_auth_mechanism("PLAIN", options, "");
  AuthStep first = mechanism->step(std::nullopt);
  CHECK(first.kind == Kind::challenge);
  CHECK(first.challenge.empty());
  CHECK(mechanism->step(std::string("\0tim\0tanstaaftanstaaf", 21)).kind == Kind::accepted);
}

TEST_CASE("auth server: PLAIN takes the right user, password and identity only") {
  CHECK(try_plain(std::string("tim\0tim\0tanstaaftanstaaf", 24)) == Kind::accepted);
  CHECK(try_plain(std::string("ann\0tim\0tanstaaftanstaaf", 24)) == Kind::refused);
  CHECK(try_plain(std::string("\0tim\0wrong", 10)) == Kind::refused);
  CHECK(try_plain(std::string("\0tom\0tanstaaftanstaaf", 21)) == Kind::refused);
  CHECK(try_plain("tim") == Kind::malformed);
  CHECK(try_plain(std::string("\0tim\0tanstaaftanstaaf\0", 22)) == Kind::malformed);
}

TEST_CASE("auth server: LOGIN asks for user and password, or for the password alone") {
  AuthOptions options = tim();
  auto asked = make_auth_mechanism("LOGIN", options, "");
  CHECK(asked->step(std::nullopt).challenge == "Username:");
  CHECK(asked->step("tim").challenge == "Password:");
  CHECK(asked->step("tanstaaftanstaaf").kind == Kind::accepted);
  auto told = make_auth_mechanism("LOGIN", options, "");
  CHECK(told->step("tim").challenge == "Password:");
  CHECK(told->step("wrong").kind == Kind::refused);
}

TEST_CASE("auth server: CRAM-MD5 by the example of RFC 2195") {
  AuthOptions options = tim();
  const std::string nonce = "<1896.697170952@postoffice.reston.mci.net>";
  auto right = make_auth_mechanism("CRAM-MD5", options, nonce);
  CHECK(right->step(std::nullopt).challenge == nonce);
  CHECK(right->step("tim b913a602c7eda7a495b4e6e7334d3890").kind == Kind::accepted);
  auto wrong = make_auth_mechanism("CRAM-MD5", options, nonce);
  CHECK(wrong->step(std::nullopt).kind == Kind::challenge);
  CHECK(wrong->step("tim b913a602c7eda7a495b4e6e7334d3891").kind == Kind::refused);
  auto hasty = make_auth_mechanism("CRAM-MD5", options, nonce);
  CHECK(hasty->step("tim b913a602c7eda7a495b4e6e7334d3890").kind == Kind::malformed);
}

TEST_CASE("auth server: a mechanism that is not offered is not there") {
  AuthOptions options = tim();
  options.mechanisms = {"LOGIN", "GSSAPI"};
  CHECK(make_auth_mechanism("PLAIN", options, "") == nullptr);
  CHECK(make_auth_mechanism("GSSAPI", options, "") == nullptr);
  CHECK(make_auth_mechanism("LOGIN", options, "") != nullptr);
}
