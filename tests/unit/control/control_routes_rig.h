// SPDX-License-Identifier: MIT
// The control socket's routes over a spool, with a daemon that is none; and what their answers hold.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/base/json_value.h"
#include "daemon/base/text.h"
#include "daemon/control/control_routes.h"
#include "tests/support/spool_rig.h"
#include "tests/unit/control/fake_daemon.h"

namespace hikyaku::control {

inline constexpr Rights kOperator{0, true, true};
inline constexpr Rights kOne{1000, false, false};

struct RoutesRig : test::SpoolRig {
  test::FakeDaemon daemon;
  listing::QueueReader reader{directory(), clock};
  ControlRoutes routes{daemon, reader, clock};

  ControlAnswer get(const std::string& path, std::map<std::string, std::string> parameters = {},
                    Rights rights = kOperator, std::string accept = "") {
    clock.advance(1us);
    ControlRequest request{.method = "GET",
                           .path = path,
                           .parameters = std::move(parameters),
                           .accept = std::move(accept),
                           .body = "",
                           .rights = rights};
    return whole(routes.answer(request));
  }
  ControlAnswer post(const std::string& path, std::string body = "", Rights rights = kOperator) {
    clock.advance(1us);
    ControlRequest request{.method = "POST",
                           .path = path,
                           .parameters = {},
                           .accept = "",
                           .body = std::move(body),
                           .rights = rights};
    return whole(routes.answer(request));
  }
  mail::MailId accept_from(std::optional<std::uint32_t> uid, const std::string& recipient = "x@example.net") {
    mail::Envelope envelope;
    envelope.sender = "a@example.com";
    envelope.uid = uid;
    envelope.recipients.push_back({recipient, {}, {}});
    return accept("content", envelope);
  }

  // With its pieces put together.
  static ControlAnswer whole(ControlAnswer answer) {
    if (answer.pieces == nullptr) return answer;
    for (auto piece = answer.pieces();; piece = answer.pieces()) {
      REQUIRE(piece);
      if (piece->empty()) return answer;
      answer.body += *piece;
    }
  }
};

inline std::string error_in(const ControlAnswer& answer) {
  auto json = parse_json(answer.body);
  REQUIRE_MESSAGE(json, answer.body);
  REQUIRE(json->find("error") != nullptr);
  return *json->find("error")->text();
}

inline std::vector<std::string> ids_in(const ControlAnswer& answer) {
  CHECK(answer.status == 200);
  std::vector<std::string> ids;
  auto json = parse_json(answer.body);
  REQUIRE_MESSAGE(json, answer.body);
  for (const JsonValue& mail : *json->find("mails")->list()) ids.push_back(*mail.find("id")->text());
  return ids;
}

inline std::vector<std::string> texts(const std::vector<mail::MailId>& ids) {
  std::vector<std::string> all;
  for (mail::MailId id : ids) all.push_back(to_text(id));
  return all;
}

inline relay::MailOutcome outcome(std::vector<mail::RecipientProgress> recipients, bool is_over = false) {
  relay::MailOutcome outcome;
  outcome.id = *mail::parse_mail_id("001k0ts4wbcfh");
  outcome.uid = 1000;
  outcome.is_over = is_over;
  outcome.attempts = 1;
  for (auto& progress : recipients)
    outcome.recipients.push_back(
        {cat(std::string(1, static_cast<char>('x' + outcome.recipients.size())), "@example.net"),
         std::move(progress)});
  return outcome;
}

inline constexpr const char* kOutcome = "/v1/mails/001k0ts4wbcfh/outcome";

}  // namespace hikyaku::control
