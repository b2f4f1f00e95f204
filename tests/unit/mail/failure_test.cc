// SPDX-License-Identifier: MIT
#include "daemon/mail/failure.h"

#include <set>

#include "doctest/doctest.h"

using namespace hikyaku;
using namespace hikyaku::mail;

namespace {

Smarthost smarthost() {
  Smarthost host;
  host.name = "main";
  host.host = "smtp.example.com";
  host.port = 587;
  host.tls.mode = TlsMode::starttls;
  host.credentials = Credentials{{}, "me@example.com", Secret("hunter2"), {}, {}, "/etc/hikyaku/authinfo:3"};
  return host;
}

}  // namespace

TEST_CASE("failure: it takes its facts from the configuration, but no secret") {
  const Failure failure = make_failure(smarthost(), Stage::auth, FailureKind::auth_rejected);
  CHECK(failure.smarthost == "main");
  CHECK(failure.host == "smtp.example.com");
  CHECK(failure.port == 587);
  CHECK(failure.tls == TlsMode::starttls);
  CHECK(failure.tls_name == "smtp.example.com");
  CHECK(failure.has_credentials);
  CHECK(failure.user == "me@example.com");
  CHECK(failure.origin == "/etc/hikyaku/authinfo:3");
  CHECK_FALSE(failure.io.has_value());

  Smarthost renamed = smarthost();
  renamed.tls.hostname = "mx.example.net";
  renamed.credentials.reset();
  CHECK(make_failure(renamed, Stage::tls, FailureKind::tls_wrong_name).tls_name == "mx.example.net");
  CHECK_FALSE(make_failure(renamed, Stage::tls, FailureKind::other).has_credentials);
}

TEST_CASE("failure: an error of the environment means what its stage makes of it") {
  CHECK(failure_kind(IoErrorKind::timeout, Stage::lookup) == FailureKind::lookup_failed);
  CHECK(failure_kind(IoErrorKind::timeout, Stage::connect) == FailureKind::connect_timed_out);
  CHECK(failure_kind(IoErrorKind::timeout, Stage::greeting) == FailureKind::greeting_timed_out);
  CHECK(failure_kind(IoErrorKind::timeout, Stage::rcpt) == FailureKind::timed_out);
  CHECK(failure_kind(IoErrorKind::eof, Stage::mail) == FailureKind::closed_early);
  CHECK(failure_kind(IoErrorKind::reset, Stage::mail) == FailureKind::closed_early);
  CHECK(failure_kind(IoErrorKind::too_long, Stage::mail) == FailureKind::protocol_error);
  CHECK(failure_kind(IoErrorKind::cancelled, Stage::mail) == FailureKind::other);
}

TEST_CASE("failure: every TLS error keeps its own kind") {
  std::set<FailureKind> seen;
  const auto first = static_cast<int>(IoErrorKind::not_tls), last = static_cast<int>(IoErrorKind::tls_setup);
  for (int kind = first; kind <= last; ++kind)
    seen.insert(failure_kind(static_cast<IoErrorKind>(kind), Stage::tls));
  CHECK(seen.size() == static_cast<std::size_t>(last - first + 1));
  CHECK_FALSE(seen.contains(FailureKind::other));
}

TEST_CASE("failure: an answer that is no TLS means a wrong mode only on an implicit port") {
  Smarthost host = smarthost();
  const IoError error{IoErrorKind::not_tls, "the peer began with \"220 hello\""};
  CHECK(make_failure(host, Stage::tls, error).kind == FailureKind::tls_failed);
  host.tls.mode = TlsMode::implicit;
  const Failure failure = make_failure(host, Stage::tls, error);
  CHECK(failure.kind == FailureKind::plain_on_implicit);
  CHECK(failure.detail == error.text);
  CHECK(failure.io == IoErrorKind::not_tls);
}

TEST_CASE("failure: names are stable, and each kind has its own") {
  CHECK(to_text(FailureKind::tls_expired) == "tls_expired");
  CHECK(to_text(FailureKind::other) == "other");
  CHECK(to_text(Stage::lookup) == "lookup");
  CHECK(to_text(Stage::message) == "message");
  CHECK(to_text(Concerns::recipient) == "recipient");
  std::set<std::string_view> names;
  for (int kind = 0; kind <= static_cast<int>(FailureKind::other); ++kind)
    names.insert(to_text(static_cast<FailureKind>(kind)));
  CHECK(names.size() == static_cast<std::size_t>(FailureKind::other) + 1);
}

TEST_CASE("failure: the status for a report is the reply's, else the kind's") {
  Failure failure = make_failure(smarthost(), Stage::rcpt, FailureKind::recipient_refused);
  failure.reply = parse_reply("550 5.1.1 no");
  CHECK(to_text(status_of(failure, true)) == "5.1.1");
  CHECK(to_text(status_of(failure, false)) == "4.1.1");  // deferred although the smarthost meant it
  failure.reply = parse_reply("550 no");
  CHECK(to_text(status_of(failure, true)) == "5.0.0");
  failure.reply = parse_reply("451 4.7.1 greylisted");
  CHECK(to_text(status_of(failure, false)) == "4.7.1");
  CHECK(to_text(status_of(failure, true)) == "5.4.7");  // its time is over
  failure = make_failure(smarthost(), Stage::connect, FailureKind::connect_timed_out);
  CHECK(to_text(status_of(failure, false)) == "4.4.1");
  failure = make_failure(smarthost(), Stage::mail, FailureKind::smtputf8_needed);
  CHECK(to_text(status_of(failure, true)) == "5.6.7");
}
