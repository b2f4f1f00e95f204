// SPDX-License-Identifier: MIT
// A check of a smarthost that plays scripts, one for each connection, in simulated time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/checkup/smarthost_check.h"

namespace hikyaku::test {

struct CheckRig {
  CheckRig();

  // The server shows this certificate; the client trusts the test CA.
  void use_tls(mail::TlsMode mode, const std::string& cert, const std::string& key);
  // Runs a check whose connections meet these servers in turn; with none left a connection is refused. What a server
  // found odd is a failed test, unless its client is meant to leave.
  checkup::Report run(const std::vector<std::string>& scripts);

  ManualClock clock;
  io::Loop loop{clock};
  checkup::CheckQuestion
      question;  // smtp.example:587 without TLS, me@shop.example; root@app.example to a@b.example
  std::shared_ptr<io::TlsServer> server_tls;
  std::vector<std::string> told;      // each step as it was printed
  std::vector<std::string> contents;  // of mails
  std::vector<std::string> problems;  // of servers that the client said something odd to
};

// A server's greeting and its answer to EHLO.
std::string hello(const std::string& keywords);
// "TLS: …" or "FAILED TLS: …" of each step.
std::vector<std::string> lines(const checkup::Report& report);
// The step of that name; an empty one: there is none.
checkup::Step step(const checkup::Report& report, std::string_view name);

// The dialogue of a good log-in, of the addresses, and of the end.
inline constexpr const char* kLogin = "C: AUTH PLAIN AG1lQHNob3AuZXhhbXBsZQBzZWNyZXQ=\nS: 235 ok\n";
inline constexpr const char* kAddresses =
    "C: MAIL FROM:<root@app.example>\nS: 250 ok\nC: RCPT TO:<a@b.example>\nS: 250 ok\nC: RSET\nS: 250 ok\n";
inline constexpr const char* kBye = "C: QUIT\nS: 221 bye\nCLOSE";

}  // namespace hikyaku::test
