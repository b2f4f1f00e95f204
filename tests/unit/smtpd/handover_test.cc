// SPDX-License-Identifier: MIT
// What another hikyaku hands over: believed from peers alone, and taken as it is (SECURITY.md, S26).
#include <doctest/doctest.h>

#include "daemon/base/text.h"
#include "tests/support/peers/smtpd_rig.h"

using namespace hikyaku;
using namespace hikyaku::smtpd;

namespace {

constexpr std::string_view kTimes = "1764464400000000,3600000000,7,1";

struct HandoverRig : test::SmtpdRig {
  explicit HandoverRig(const char* peers = "127.0.0.0/8") { options.peers = {*Network::parse(peers)}; }
  std::string hand_over(std::string_view parameter, std::string_view header = "Subject: x\r\n") {
    return burst(cat("EHLO relay1\r\nMAIL FROM:<anna@web1.lan> ", parameter,
                     "\r\nRCPT TO:<root@test>\r\nDATA\r\n", header, "\r\nhi\r\n.\r\nQUIT\r\n"));
  }
  std::string with_times(std::string_view header = "Subject: x\r\n") {
    return hand_over(cat("XHIKYAKU=", kTimes), header);
  }
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("handover: only a peer is offered it, and may say it") {
  HandoverRig peer;
  const std::string replies = peer.with_times();
  CHECK(has(replies, "\r\n250 XHIKYAKU\r\n"));
  CHECK(has(replies, "250 2.0.0 Ok: queued as"));
  REQUIRE(peer.sink.mails().size() == 1);
  CHECK(peer.sink.mails()[0].handover == mail::parse_handover(kTimes));
}

TEST_CASE("handover: anybody else is offered nothing, hears 555, and no mail is taken") {
  HandoverRig stranger("192.0.2.7");
  const std::string replies = stranger.with_times();
  CHECK_FALSE(has(replies, "250 XHIKYAKU"));
  CHECK_FALSE(has(replies, "250-XHIKYAKU"));
  CHECK(has(replies, "555 5.5.4 Unsupported parameter"));
  CHECK(stranger.sink.mails().empty());
  HandoverRig local;
  local.wire = {.first_address = {}, .second_address = {}, .uid = 0};
  CHECK(has(local.with_times(), "555 5.5.4 Unsupported parameter"));
  CHECK(local.sink.mails().empty());
}

TEST_CASE("handover: a value that is none is refused, and nothing of it taken") {
  for (const char* bad : {"XHIKYAKU", "XHIKYAKU=", "XHIKYAKU=1,2,3", "XHIKYAKU=1,2,3,4"}) {
    HandoverRig rig;
    CHECK_MESSAGE(has(rig.hand_over(bad), "501 5.5.4 Bad XHIKYAKU"), bad);
    CHECK(rig.sink.mails().empty());
  }
}

TEST_CASE("handover: it is taken as it is: no masquerade, no `senders`, nothing added but Received") {
  HandoverRig rig;
  rig.options.masquerade = {.hosts = {"web1.lan"}, .domain = "example.com"};
  rig.options.senders = {*mail::AddressPattern::parse("*@example.com")};
  rig.with_times("From: anna@web1.lan\r\nTo: root\r\n");
  REQUIRE(rig.sink.mails().size() == 1);
  CHECK(rig.sink.mails()[0].envelope.sender == "anna@web1.lan");
  CHECK(rig.only_content() == "From: anna@web1.lan\r\nTo: root\r\n\r\nhi\r\n");
}

TEST_CASE("handover: a peer's other mail is a client's mail") {
  HandoverRig rig;
  rig.options.masquerade = {.hosts = {"web1.lan"}, .domain = "example.com"};
  rig.hand_over("SIZE=5", "From: anna@web1.lan\r\nTo: root\r\n");
  REQUIRE(rig.sink.mails().size() == 1);
  CHECK(rig.sink.mails()[0].handover == std::nullopt);
  CHECK(rig.sink.mails()[0].envelope.sender == "anna@example.com");
  CHECK(has(rig.only_content(), "To: root@test\r\n"));
}

TEST_CASE("handover: the times are those of one mail, not of the next in the session") {
  HandoverRig rig;
  rig.burst(cat(
      "EHLO relay1\r\nMAIL FROM:<a@b> XHIKYAKU=", kTimes,
      "\r\nRCPT TO:<c@d>\r\nDATA\r\n\r\n.\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n\r\n.\r\nQUIT\r\n"));
  REQUIRE(rig.sink.mails().size() == 2);
  CHECK(rig.sink.mails()[0].handover);
  CHECK_FALSE(rig.sink.mails()[1].handover);
}
