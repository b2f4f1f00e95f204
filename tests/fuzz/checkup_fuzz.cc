// SPDX-License-Identifier: MIT
// What a check shows of its peer: whatever stands in a greeting or in a certificate, a date is one that a calendar has, and
// what somebody reads is text that no terminal obeys.
#include <memory>
#include <string>

#include "daemon/base/text.h"
#include "daemon/checkup/certificate_text.h"
#include "daemon/checkup/doubts.h"
#include "tests/fuzz/fuzz.h"

using namespace hikyaku;
using namespace hikyaku::checkup;

namespace {

const WallTime kNow = *parse_rfc3339("2026-11-29T12:00:00Z");
const WallTime kFirst = *parse_rfc3339("1970-01-02T00:00:00Z");
const WallTime kLast = *parse_rfc3339("9999-12-30T00:00:00Z");

CertificateFactsPtr certificate_with(const std::string& text) {
  CertificateFacts facts;
  facts.names = {text, "smtp.example"};
  facts.fingerprint = "sha256:00";
  facts.chain = {{.subject = text, .issuer = text, .not_before = kNow, .not_after = kNow + 1h},
                 {.subject = "CN=x", .issuer = text, .not_before = {}, .not_after = {}}};
  return std::make_shared<const CertificateFacts>(std::move(facts));
}

void check_lines(const std::vector<std::string>& lines) {
  for (const std::string& line : lines)
    check(still_printable(line, line.size() + 1) == line, "a line has bytes that a terminal obeys");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(test::as_text(data, size));
  // Another zone may move it beyond the first or the last year.
  if (auto date = date_in(text); date && *date > kFirst && *date < kLast)
    check(date_in(to_rfc5322_date(*date)) == date, "a date does not come back from what is written of it");
  mail::Smarthost smarthost;
  smarthost.rewrite.envelope_from.clear();
  smarthost.credentials.emplace();
  smarthost.credentials->user = "me@" + text;
  io::TlsInfo tls;
  tls.certificate = certificate_with(text);
  check_lines(certificate_lines(*tls.certificate, kNow));
  check_lines(doubts(
      {.smarthost = smarthost, .tls = tls, .greeting = text, .sender = text, .max_size = 1, .now = kNow}));
  return 0;
}
