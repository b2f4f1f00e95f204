// SPDX-License-Identifier: MIT
#include "daemon/setup/target.h"

#include "daemon/base/text.h"
#include "doctest/doctest.h"

namespace hikyaku::setup {
namespace {

Result<FoundServer, std::string> look(const std::string& host) {
  if (host == "hosted.example")
    return FoundServer{
        .host = "smtp.office365.com", .port = 587, .tls = mail::TlsMode::starttls, .preset = "microsoft365"};
  return FoundServer{.host = cat("smtp.", host), .port = 465};
}

// "PRESET HOST:PORT MODE", or what is wrong.
std::string found(std::string_view answer) {
  auto target = find_target(answer, look);
  if (!target) return target.error();
  return cat(target->preset == nullptr ? "-" : target->preset->name, " ",
             target->host.empty() ? "?" : url_of(target->host, target->port, target->tls));
}

TEST_CASE("setup's target: an address, a host, a URL or a provider's name") {
  struct Row {
    const char* answer;
    const char* found;
  };
  static constexpr Row kRows[] = {
      {"me@gmail.com", "gmail smtps://smtp.gmail.com"},
      {"me@GMail.com", "gmail smtps://smtp.gmail.com"},
      {" gmail ", "gmail smtps://smtp.gmail.com"},
      {"smtp.gmail.com", "gmail smtps://smtp.gmail.com"},
      {"submission://smtp.gmail.com", "gmail submission://smtp.gmail.com"},
      {"me@corp.example", "- smtps://smtp.corp.example"},
      {"me@hosted.example", "microsoft365 submission://smtp.office365.com"},
      {"corp.example", "- smtps://smtp.corp.example"},
      {"mail.corp.example:587", "- submission://mail.corp.example"},
      {"mail.corp.example:25", "- smtp://mail.corp.example"},
      {"smtps://[2001:db8::1]:4650", "- smtps://[2001:db8::1]:4650"},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.answer);
    CHECK(found(row.answer) == row.found);
  }
}

TEST_CASE("setup's target: what cannot be meant is explained") {
  CHECK(found("me@").find("no mail address") != std::string::npos);
  CHECK(found("two words").find("neither an address (me@example.com) nor a host") != std::string::npos);
  CHECK(found("h.example:2525")
            .find("answer smtps://h.example:2525 (TLS from the first byte) or submission://") !=
        std::string::npos);
  CHECK(found("mx:").find("needs no log-in and no setup") != std::string::npos);
  CHECK(found("smtps://me:pw@h.example").find("must not hold a user or a password") != std::string::npos);
}

TEST_CASE("setup's target: the words say how the server is spoken to") {
  CHECK(describe_server("h.example", 465, mail::TlsMode::implicit) ==
        "h.example port 465, TLS from the first byte");
  CHECK(describe_server("h.example", 587, mail::TlsMode::starttls) == "h.example port 587, STARTTLS");
  CHECK(describe_server("h.example", 25, mail::TlsMode::opportunistic) ==
        "h.example port 25, STARTTLS where it is offered");
}

}  // namespace
}  // namespace hikyaku::setup
