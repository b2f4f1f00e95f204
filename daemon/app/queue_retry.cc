// SPDX-License-Identifier: MIT
#include "daemon/app/queue_retry.h"

#include <unistd.h>

#include "daemon/app/control_client.h"
#include "daemon/app/json.h"
#include "daemon/app/output.h"
#include "daemon/app/spool_access.h"
#include "daemon/base/text.h"

namespace hikyaku::app {
namespace {

constexpr std::string_view kCommand = "hikyaku queue retry";

std::vector<std::string> texts_in(const JsonValue& object, std::string_view name) {
  std::vector<std::string> texts;
  const JsonValue* list = object.find(name);
  if (list == nullptr || list->list() == nullptr) return texts;
  for (const JsonValue& element : *list->list())
    if (element.text() != nullptr) texts.push_back(printable(*element.text()));
  return texts;
}

Exit tell(const JsonValue& answer) {
  Output output(STDOUT_FILENO);
  const JsonValue* retried = answer.find("retried");
  std::uint64_t count = retried != nullptr ? retried->whole_number().value_or(0) : 0;
  output.print(cat(std::to_string(count), count == 1 ? " mail is" : " mails are", " tried now\n"));
  Exit exit = Exit::ok;
  for (const std::string& id : texts_in(answer, "held"))
    exit =
        report(kCommand, {Exit::unavailable, cat(id, " is held: it waits for a decision, not for its time")});
  for (const std::string& id : texts_in(answer, "unknown"))
    exit = report(kCommand,
                  {Exit::no_input, cat("there is no mail ", id, " in the queue that is yours to see")});
  return output.finish(exit, kCommand);
}

}  // namespace

Result<std::string, StartError> retry_body(const RetryWords& words) {
  std::vector<std::string> filters;
  auto add = [&](std::string_view name, const std::string& value) {
    filters.push_back(cat(json_string(name), ":", json_string(value)));
  };
  if (!words.state.empty()) add("state", words.state);
  if (words.from) add("from", *words.from);
  if (words.to) add("to", *words.to);
  int ways = (words.ids.empty() ? 0 : 1) + (words.all ? 1 : 0) + (filters.empty() ? 0 : 1);
  if (ways != 1)
    return fail(Exit::usage,
                "name mails by their ids, or all with --all, or some with --state, --from, --to");
  if (words.all) return R"({"all":true})";
  if (!filters.empty()) return cat("{", join(filters, ","), "}");
  std::vector<std::string> ids;
  for (const std::string& id : words.ids) ids.push_back(json_string(id));
  return cat("{\"ids\":[", join(ids, ","), "]}");
}

Exit retry_queue(const std::string& socket, const RetryWords& words) {
  auto body = retry_body(words);
  if (!body) return report(kCommand, body.error());
  auto reply = ask_control(socket, "/v1/queue/retry", *body);
  return reply ? tell(reply->json) : report_control(kCommand, reply.error());
}

}  // namespace hikyaku::app
