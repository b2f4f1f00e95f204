// SPDX-License-Identifier: MIT
// What a working connection shows that may not work tomorrow.
#include "daemon/checkup/doubts.h"

#include <doctest/doctest.h>

#include "daemon/base/bytes.h"
#include "daemon/base/text.h"

using namespace hikyaku;
using namespace hikyaku::checkup;

namespace {

const WallTime kNow = *parse_rfc3339("2026-11-29T12:00:00Z");

// A smarthost without a doubt.
struct DoubtRig {
  mail::Smarthost smarthost;
  CertificateFacts certificate;
  Seen seen{.smarthost = smarthost};

  DoubtRig() {
    smarthost.host = "smtp.shop.example";
    smarthost.credentials.emplace();
    smarthost.credentials->user = "me@shop.example";
    certificate.chain = {{.subject = "CN=smtp",
                          .issuer = "CN=R11",
                          .not_before = kNow,
                          .not_after = kNow + std::chrono::days(60)},
                         {.subject = "CN=R11",
                          .issuer = "CN=R11",
                          .not_before = kNow,
                          .not_after = kNow + std::chrono::days(900)}};
    seen.offered.size = true;
    seen.offered.max_size = (100_MiB).bytes;
    seen.max_size = (50_MiB).bytes;
    seen.sender = "me@shop.example";
    seen.now = kNow;
    seen.tls.emplace();
    seen.tls->verified = true;
    seen.tls->fingerprint = "sha256:01";
  }
  std::vector<std::string> doubts() {
    if (seen.tls) seen.tls->certificate = std::make_shared<const CertificateFacts>(certificate);
    return checkup::doubts(seen);
  }
  // The only one.
  std::string doubt() {
    auto found = doubts();
    REQUIRE(found.size() == 1);
    return found[0];
  }
};

bool tells(const std::string& text, std::string_view words) { return text.find(words) != text.npos; }

}  // namespace

TEST_CASE("doubts: a smarthost without a fault has none") { CHECK(DoubtRig().doubts().empty()); }

TEST_CASE("doubts: a certificate that ends within 14 days, the server's or another of its chain") {
  DoubtRig rig;
  rig.certificate.chain[0].not_after = kNow + std::chrono::days(13);
  CHECK(rig.doubt().starts_with("its certificate is valid until 2026-12-12T12:00:00Z only"));
  DoubtRig other;
  other.certificate.chain[1].not_after = kNow + std::chrono::days(13);
  CHECK(other.doubt().starts_with("a certificate of its chain, that of CN=R11, is valid until 2026-12-12"));
}

TEST_CASE("doubts: mail in clear text where TLS is optional") {
  DoubtRig rig;
  rig.seen.tls.reset();
  rig.smarthost.tls.mode = mail::TlsMode::opportunistic;
  CHECK(tells(rig.doubt(), "it offers no TLS"));
}

TEST_CASE("doubts: verification that is off, with what it hides, or without need") {
  DoubtRig rig;
  rig.smarthost.tls.verify = false;
  CHECK(tells(rig.doubt(), "remove that line"));
  rig.seen.tls->fault = IoErrorKind::tls_expired;
  CHECK(rig.doubt().starts_with("its certificate has expired, and only `tls_verify: false` lets it pass"));
  CHECK(tells(rig.doubt(), "`tls_fingerprint: \"sha256:01\"`"));
  rig.smarthost.tls.fingerprint = "sha256:01";
  CHECK(rig.doubts().empty());
}

TEST_CASE("doubts: a SIZE below max_size") {
  DoubtRig rig;
  rig.seen.offered.max_size = (10_MiB).bytes;
  CHECK(tells(rig.doubt(), "at most 10485760 bytes (SIZE), but `max_size` is 50MiB"));
  CHECK(tells(rig.doubt(), "`message: {max_size: 10MiB}`"));
  rig.seen.offered.max_size = 0;  // no limit
  CHECK(rig.doubts().empty());
}

TEST_CASE("doubts: a sender unlike the account, unless `from` says so or the account is no address") {
  DoubtRig rig;
  rig.seen.sender = "root@app.example";
  CHECK(tells(rig.doubt(), "mail leaves as <root@app.example>, and the account is me@shop.example"));
  CHECK(tells(rig.doubt(), "set `from: me@shop.example`"));
  rig.seen.sender = "";
  CHECK(rig.doubts().empty());
  rig.seen.sender = "root@app.example";
  rig.smarthost.rewrite.envelope_from = "root@app.example";
  CHECK(rig.doubts().empty());
  rig.smarthost.rewrite.envelope_from.clear();
  rig.smarthost.credentials->user = "apikey";
  CHECK(rig.doubts().empty());
}

TEST_CASE("doubts: clocks that differ by ten minutes, as far as the greeting has a date") {
  DoubtRig rig;
  rig.seen.greeting = "mx ESMTP Exim 4.96 Sun, 29 Nov 2026 13:05:00 +0100";
  CHECK(rig.doubts().empty());
  rig.seen.greeting = "mx ESMTP Exim 4.96 Sun, 29 Nov 2026 12:05:00 +0100";
  CHECK(tells(rig.doubt(), "its clock says 2026-11-29T11:05:00Z, this machine's 2026-11-29T12:00:00Z"));
}

TEST_CASE("doubts: the dates that greetings have") {
  CHECK(date_in("mx; Sun, 29 Nov 2026 12:00:00 +0000") == kNow);
  CHECK(date_in("29 Nov 2026 07:00:00 -0500 (EST) ready") == kNow);
  CHECK(date_in("29 Nov 2026 12:00:00 GMT") == kNow);
  for (const char* none :
       {"", "mx ready", "29 Nov 2026 12:00 +0000", "31 Nov 2026 12:00:00 +0000", "29 Foo 2026 12:00:00 +0000",
        "29 Nov 2026 25:00:00 +0000", "29 Nov 1969 12:00:00 +0000", "29 Nov 2026 12:00:00 +9999",
        "29 Nov 2026 12:00:00 EST", "29 Nov 2026 12:00:00"})
    CHECK_MESSAGE(!date_in(none), none);
}
