// SPDX-License-Identifier: MIT
// What may be asked of the control socket, with any body and any parameters: every answer is one of HTTP's,
// its body is JSON or lines, it never names more ids than it may, and a user who is no operator gets nothing
// that only operators may have. The first line is the request, "POST /v1/queue/retry?state=held"; the rest
// the body.
#include <algorithm>
#include <string>

#include "daemon/base/json_value.h"
#include "daemon/base/text.h"
#include "daemon/control/control_retry.h"
#include "daemon/control/control_routes.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/control/fake_daemon.h"

using namespace hikyaku;
using namespace hikyaku::test;

namespace {

control::ControlRequest request_of(std::string_view input) {
  control::ControlRequest request;
  const auto end = std::min(input.find('\n'), input.size());
  const std::string_view line = input.substr(0, end);
  const auto blank = std::min(line.find(' '), line.size());
  const auto question = std::min(line.find('?'), line.size());
  request.method = line.starts_with("POST") ? "POST" : "GET";
  request.path = line.substr(blank, question - std::min(blank, question));
  if (!request.path.empty()) request.path.erase(0, 1);
  for (std::string_view pair : split(line.substr(std::min(question + 1, line.size())), '&')) {
    const auto equals = std::min(pair.find('='), pair.size());
    request.parameters[std::string(pair.substr(0, equals))] = pair.substr(std::min(equals + 1, pair.size()));
  }
  request.body = input.substr(std::min(end + 1, input.size()));
  return request;
}

void check_question(const std::string& body) {
  const auto question = control::parse_selection(body, ManualClock().wall());
  if (!question) return check(is_valid_utf8(question.error()), "an error cannot be shown");
  if (const auto* ids = std::get_if<std::vector<mail::MailId>>(&*question))
    check(ids->size() <= 1000, "too many ids at a time");
}

void check_answer(const control::ControlAnswer& answer) {
  constexpr int kKnown[] = {200, 400, 403, 404, 406, 409, 422, 500, 503};
  check(std::ranges::find(kKnown, answer.status) != std::end(kKnown),
        "a status that the table does not have");
  if (answer.pieces) return;
  check(answer.type != "application/json" || parse_json(answer.body).has_value(), "an answer is no JSON");
}

void try_as(control::ControlRequest request, const control::Rights& rights) {
  ManualClock clock;
  test::FakeDaemon daemon;
  listing::QueueReader reader("/nonexistent", clock);
  control::ControlRoutes routes(daemon, reader, clock);
  request.rights = rights;
  check_answer(routes.answer(request));
  check(std::ranges::all_of(
            daemon.callers,
            [&](const control::Rights& caller) { return caller.is_operator == rights.is_operator; }),
        "the daemon was asked with other rights");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const control::ControlRequest request = request_of(test::as_text(data, size));
  check_question(request.body);
  try_as(request, {.uid = 1000, .is_operator = false});
  try_as(request, {.uid = 0, .is_operator = true});
  return 0;
}
