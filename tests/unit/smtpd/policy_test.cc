// SPDX-License-Identifier: MIT
#include "smtpd/policy.h"

#include "doctest/doctest.h"
#include "smtpd/session_content.h"

using namespace hikyaku;
using namespace hikyaku::smtpd;

namespace {

AcceptPolicy policy(std::vector<std::string> allow) {
  AcceptPolicy result{.allow = {}, .connections = 3, .per_client = 2};
  for (const std::string& network : allow) result.allow.push_back(*Network::parse(network));
  return result;
}

Admission admit_from(const AcceptPolicy& policy, const char* peer, std::size_t connections = 0,
                     std::size_t from_peer = 0) {
  return admit(policy, IpAddress::parse(peer), connections, from_peer);
}

}  // namespace

TEST_CASE("policy: only what `allow` names may send over TCP, loopback included") {
  AcceptPolicy local = policy({"127.0.0.0/8", "192.0.2.0/24"});
  CHECK(admit_from(local, "127.0.0.1") == Admission::welcome);
  CHECK(admit_from(local, "192.0.2.9") == Admission::welcome);
  CHECK(admit_from(local, "192.0.3.9") == Admission::not_allowed);
  CHECK(admit_from(local, "::1") == Admission::not_allowed);
  CHECK(admit_from(policy({}), "127.0.0.1") == Admission::not_allowed);
}

TEST_CASE("policy: the Unix socket has places of its own, and no user has all of them") {
  AcceptPolicy local = policy({});
  local.local = 9;
  local.per_user = 5;
  CHECK(admit(local, std::nullopt, 8, 4) == Admission::welcome);
  CHECK(admit(local, std::nullopt, 9, 0) == Admission::too_many);
  CHECK(admit(local, std::nullopt, 8, 5) == Admission::too_many_of_user);
}

TEST_CASE("policy: it is crowded from four fifths of the places on") {
  CHECK_FALSE(is_crowded(799, 1000));
  CHECK(is_crowded(800, 1000));
  CHECK(is_crowded(1, 1));
  CHECK_FALSE(is_crowded(0, 1));
}

TEST_CASE("policy: per_client counts neither loopback nor the Unix socket") {
  AcceptPolicy open = policy({"0.0.0.0/0", "::/0"});
  CHECK(admit_from(open, "192.0.2.9", 2, 1) == Admission::welcome);
  CHECK(admit_from(open, "192.0.2.9", 2, 2) == Admission::too_many_from_client);
  CHECK(admit_from(open, "2001:db8::1", 2, 2) == Admission::too_many_from_client);
  CHECK(admit_from(open, "127.0.0.1", 2, 2) == Admission::welcome);
  CHECK(admit_from(open, "::ffff:127.0.0.1", 2, 2) == Admission::welcome);
  CHECK_FALSE(is_counted(std::nullopt));
}

TEST_CASE("policy: who is not allowed is told so for good, who comes too much for now") {
  CHECK(to_text(refusal(Admission::not_allowed)).starts_with("554 5.7.1 "));
  CHECK(to_text(refusal(Admission::too_many)).starts_with("421 4.3.2 "));
  CHECK(to_text(refusal(Admission::too_many_from_client)).starts_with("421 4.7.0 "));
  CHECK(to_text(refusal(Admission::too_many_of_user)).starts_with("421 4.7.0 "));
}

TEST_CASE("pace: each wait has its limit, and the average must reach the rate once that limit has passed") {
  Instant start{1h};
  Pace pace(start, 3min, 1000);
  CHECK(pace.deadline(start) == start + 3min);
  CHECK(pace.deadline(start + 1min) == start + 3min);
  pace.came(60'000);
  CHECK(pace.deadline(start + 1min) == start + 4min);
  pace.came(1'000'000'000);
  CHECK(pace.deadline(start + 1min) == start + 4min);
  CHECK(pace.deadline(start + 1h) == start + 1h + 3min);
}

TEST_CASE("pace: time that was ours is not the client's") {
  Instant start{1h};
  Pace pace(start, 3min, 1000);
  pace.forgive(10min);
  CHECK(pace.deadline(start + 12min) == start + 13min);
}
