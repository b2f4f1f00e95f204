// SPDX-License-Identifier: MIT
#include "daemon/checkup/probe_target.h"

#include <doctest/doctest.h>

using namespace hikyaku;
using namespace hikyaku::checkup;

namespace {

ProbeTarget target_of(const char* text) {
  auto target = parse_probe_target(text);
  REQUIRE_MESSAGE(target, text);
  return *target;
}

dns::Answer services(std::vector<dns::SrvRecord> records) {
  return {.status = dns::Status::found, .services = std::move(records)};
}
dns::Answer exchanges(std::vector<dns::MxRecord> records) {
  return {.status = dns::Status::found, .exchanges = std::move(records)};
}

const std::vector<std::uint16_t> kUsual{465, 587, 25};

// "smtp.example.com:465,587(srv) | …", groups apart.
std::string shown(const std::vector<std::vector<Place>>& groups) {
  std::string text;
  for (const auto& group : groups) {
    if (!text.empty()) text += " | ";
    for (const Place& place : group) {
      if (!text.empty() && !text.ends_with("| ")) text += "; ";
      text += place.host;
      for (std::size_t i = 0; i < place.ports.size(); ++i)
        text += (i == 0 ? ":" : ",") + std::to_string(place.ports[i]);
      text += "(" + std::string(to_text(place.origin)) + ")" + place.preset;
    }
  }
  return text;
}

std::string places_of(const char* target, const std::optional<DomainRecords>& records) {
  return shown(places_for(target_of(target), records));
}

}  // namespace

TEST_CASE("probe: a host, a host with a port, a domain and an address are told apart") {
  struct {
    const char* text;
    ProbeTarget target;
  } const kCases[] = {
      {"smtp.example.com", {"smtp.example.com", "smtp.example.com", "", {}}},
      {"SMTP.Example.com.", {"smtp.example.com", "smtp.example.com", "", {}}},
      {"smtp.example.com:2525", {"smtp.example.com", "", "", 2525}},
      {"smtp.example.com:submission", {"smtp.example.com", "", "", 587}},
      {"192.0.2.1", {"192.0.2.1", "", "", {}}},
      {"[2001:db8::1]:465", {"2001:db8::1", "", "", 465}},
      {"relay", {"relay", "", "", {}}},
      {"localhost", {"localhost", "", "", {}}},
      {"me@Example.com", {"", "example.com", "me@Example.com", {}}},
      {"bücher.example", {"xn--bcher-kva.example", "xn--bcher-kva.example", "", {}}},
      {"me@bücher.example", {"", "xn--bcher-kva.example", "me@bücher.example", {}}},
  };
  for (const auto& row : kCases) {
    INFO(std::string(row.text));
    CHECK(target_of(row.text) == row.target);
  }
}

TEST_CASE("probe: what is none of them is an error that shows it escaped") {
  for (const char* text : {"", "@", "me@", "a b", "smtp.example.com:0", "smtp.example.com:99999",
                           "me@[192.0.2.1]", "-x.example", "http://x/"}) {
    INFO(std::string(text));
    CHECK_FALSE(parse_probe_target(text));
  }
  auto target = parse_probe_target("\x1b[2J");
  REQUIRE_FALSE(target);
  CHECK(target.error().starts_with("'\\x1b[2J' is none of a host (smtp.example.com), a host with a port"));
}

TEST_CASE("probe: a host without records of mail is looked at alone, at its three ports or the one given") {
  CHECK(places_of("smtp.example.com", DomainRecords{}) == "smtp.example.com:465,587,25(given)");
  CHECK(places_of("smtp.example.com:2525", std::nullopt) == "smtp.example.com:2525(given)");
  CHECK(places_of("192.0.2.1", std::nullopt) == "192.0.2.1:465,587,25(given)");
}

TEST_CASE("probe: SRV records come first, TLS from the first byte before STARTTLS, each host once") {
  DomainRecords records{
      .submissions = services({{0, 1, 465, "smtp.example.com"}, {5, 1, 4650, "old.example.com"}}),
      .submission = services({{0, 1, 587, "smtp.example.com"}, {1, 1, 587, "second.example.com"}}),
      .mx = {}};
  CHECK(places_of("me@example.com", records) ==
        "smtp.example.com:465,587(srv); old.example.com:4650(srv); second.example.com:587(srv) | "
        "smtp.example.com:25(guess); mail.example.com:465,587,25(guess)");
}

TEST_CASE(
    "probe: a target that is the root means not offered: nothing is looked at, and nothing is guessed") {
  DomainRecords records{
      .submissions = services({{0, 0, 0, ""}}), .submission = services({{0, 0, 0, ""}}), .mx = {}};
  CHECK(offers_no_submission(records));
  CHECK(places_of("me@example.com", records) == "");
  records.submission = services({{0, 0, 587, "smtp.example.com"}});
  CHECK_FALSE(offers_no_submission(records));
  CHECK(places_of("me@example.com", records).starts_with("smtp.example.com:587(srv) | "));
  CHECK_FALSE(offers_no_submission(DomainRecords{}));
}

TEST_CASE("probe: what is no host's name, and any number of hosts and ports, is left out") {
  DomainRecords records{
      .submissions = services({{0, 0, 465, "a b.example.com"}, {0, 0, 0, "zero.example.com"}}),
      .submission = {},
      .mx = {}};
  CHECK(places_of("me@example.com", records).starts_with("smtp.example.com:465,587,25(guess)"));
  std::vector<dns::SrvRecord> many;
  for (int i = 0; i < 20; ++i) many.push_back({0, 0, 465, "s" + std::to_string(i) + ".example.com"});
  records.submissions = services(many);
  CHECK(places_for(target_of("me@example.com"), records).front().size() == kMostPlaces);
  many.clear();
  for (std::uint16_t port = 1; port <= 20; ++port) many.push_back({0, 0, port, "s.example.com"});
  records.submissions = services(many);
  CHECK(places_for(target_of("me@example.com"), records).front().front().ports.size() == kMostPorts);
}

TEST_CASE("probe: a known provider is found by domain, by MX and by host") {
  CHECK(places_of("me@fastmail.com", DomainRecords{}) ==
        "smtp.fastmail.com:465,587,25(provider)fastmail | "
        "mail.fastmail.com:465,587,25(guess)");
  DomainRecords records{
      .submissions = {}, .submission = {}, .mx = exchanges({{10, "in1-smtp.messagingengine.com"}})};
  CHECK(places_of("me@shop.example", records)
            .starts_with("smtp.fastmail.com:465,587,25(provider_by_mx)fastmail | smtp.shop.example"));
  CHECK(places_of("smtp.fastmail.com", DomainRecords{}) == "smtp.fastmail.com:465,587,25(given)fastmail");
  CHECK(places_of("fastmail.com", DomainRecords{})
            .starts_with("smtp.fastmail.com:465,587,25(provider)fastmail | "));
}

TEST_CASE("probe: a mail domain's own name is looked at too where it was given as one") {
  DomainRecords records{.submissions = {}, .submission = {}, .mx = exchanges({{10, "mx.example.com"}})};
  CHECK(places_of("example.com", records) ==
        "smtp.example.com:465,587,25(guess); mail.example.com:465,587,25(guess); "
        "example.com:465,587,25(given)");
}

TEST_CASE("probe: a host is within a domain where the domain is above it, label by label") {
  CHECK(is_within("smtp.example.com", "example.com"));
  CHECK(is_within("example.com", "example.com"));
  CHECK_FALSE(is_within("smtpexample.com", "example.com"));
  CHECK_FALSE(is_within("example.com.evil.example", "example.com"));
  CHECK_FALSE(is_within("smtp.example.com", ""));
}
