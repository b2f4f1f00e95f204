// SPDX-License-Identifier: MIT
#include "daemon/commands/queue_retry.h"

#include <unistd.h>

#include <algorithm>
#include <map>

#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/commands/control_client.h"
#include "daemon/commands/output.h"
#include "daemon/commands/spool_access.h"
#include "daemon/mail/mail_id.h"

namespace hikyaku::commands {
namespace {

constexpr std::string_view kCommand = "hikyaku queue retry";
constexpr Duration kLongestWait = 60s;

std::vector<std::string> texts_in(const JsonValue& object, std::string_view name) {
  std::vector<std::string> texts;
  const JsonValue* list = object.find(name);
  if (list == nullptr || list->list() == nullptr) return texts;
  for (const JsonValue& element : *list->list())
    if (element.text() != nullptr) texts.push_back(printable(*element.text()));
  return texts;
}

std::string text_in(const JsonValue& object, std::string_view name) {
  const JsonValue* value = object.find(name);
  return value != nullptr && value->text() != nullptr ? printable(*value->text(), 4096) : std::string();
}

std::uint64_t number_in(const JsonValue& object, std::string_view name) {
  const JsonValue* value = object.find(name);
  return value != nullptr ? value->whole_number().value_or(0) : 0;
}

Exit tell(const JsonValue& answer, Output& output) {
  std::uint64_t count = number_in(answer, "retried");
  output.print(cat(std::to_string(count), count == 1 ? " mail is" : " mails are", " tried now\n"));
  Exit exit = Exit::ok;
  for (const std::string& id : texts_in(answer, "held"))
    exit =
        report(kCommand, {Exit::unavailable, cat(id, " is held: it waits for a decision, not for its time")});
  for (const std::string& id : texts_in(answer, "unknown"))
    exit = report(kCommand,
                  {Exit::no_input, cat("there is no mail ", id, " in the queue that is yours to see")});
  return exit;
}

std::string recipient_line(const std::string& id, const JsonValue& recipient) {
  std::string reply = text_in(recipient, "last_reply");
  return cat(id, " ", text_in(recipient, "address"), ": ", text_in(recipient, "status"),
             reply.empty() ? "" : ": ", reply, "\n");
}

std::string waiting_line(const std::string& id, const JsonValue& outcome) {
  std::string since = text_in(outcome, "waits_since");
  std::string next = text_in(outcome, "next_attempt");
  std::string reason = text_in(outcome, "reason");
  return cat(id, " waits for ", text_in(outcome, "waits_for") == "time" ? "its time" : "the smarthost",
             since.empty() ? "" : cat(" since ", since), next.empty() ? "" : cat(", next ", next),
             reason.empty() ? "" : cat(": ", reason), "\n");
}

// The mails that were named, before and after.
class Following {
 public:
  Following(const std::string& socket, const std::vector<std::string>& ids) : socket_(socket) {
    for (const std::string& id : ids)
      if (auto known = mail::parse_mail_id(id)) attempts_[id] = attempts_of(id);
  }

  // Whether all of them have ended.
  Exit tell(Output& output) const {
    Exit exit = Exit::ok;
    Instant end = SystemClock().now() + kLongestWait;
    for (const auto& [id, attempts] : attempts_) {
      if (!attempts) continue;
      auto left = std::chrono::ceil<std::chrono::seconds>(std::max(end - SystemClock().now(), Duration(0)));
      auto outcome = ask_control(socket_, cat(target_of(id), "?wait=", std::to_string(left.count()),
                                              "&until=paused&attempts=", std::to_string(*attempts)));
      if (!outcome) continue;  // it has ended, too long ago
      if (!print(id, outcome->json, output)) exit = Exit::try_again;
    }
    return exit;
  }

 private:
  static std::string target_of(const std::string& id) { return cat("/v1/mails/", id, "/outcome"); }

  std::optional<std::uint64_t> attempts_of(const std::string& id) const {
    auto outcome = ask_control(socket_, target_of(id));
    if (!outcome) return std::nullopt;
    return number_in(outcome->json, "attempts");
  }

  static bool print(const std::string& id, const JsonValue& outcome, Output& output) {
    const JsonValue* recipients = outcome.find("recipients");
    if (recipients != nullptr && recipients->list() != nullptr)
      for (const JsonValue& recipient : *recipients->list()) output.print(recipient_line(id, recipient));
    bool has_ended = text_in(outcome, "state") == "ended";
    if (has_ended) return true;
    if (!text_in(outcome, "waits_for").empty()) output.print(waiting_line(id, outcome));
    return false;
  }

  const std::string& socket_;
  std::map<std::string, std::optional<std::uint64_t>> attempts_;
};

}  // namespace

Result<std::string, StartError> retry_body(const RetryWords& words) {
  JsonObject filters;
  if (!words.state.empty()) filters.add("state", words.state);
  if (words.from) filters.add("from", *words.from);
  if (words.to) filters.add("to", *words.to);
  const bool has_filters = !words.state.empty() || words.from || words.to;
  int ways = (words.ids.empty() ? 0 : 1) + (words.all ? 1 : 0) + (has_filters ? 1 : 0);
  if (ways != 1)
    return fail(Exit::usage,
                "name mails by their ids, or all with --all, or some with --state, --from, --to");
  if (words.all) return JsonObject().add("all", true).text();
  return has_filters ? filters.text() : JsonObject().add("ids", JsonList(words.ids)).text();
}

Exit retry_queue(const std::string& socket, const RetryWords& words) {
  auto body = retry_body(words);
  if (!body) return report(kCommand, body.error());
  Following following(socket, words.waits ? words.ids : std::vector<std::string>());
  auto reply = ask_control(socket, "/v1/queue/retry", *body);
  if (!reply) return report_control(kCommand, reply.error());
  Output output(STDOUT_FILENO);
  Exit exit = tell(reply->json, output);
  Exit outcome = following.tell(output);
  return output.finish(exit == Exit::ok ? outcome : exit, kCommand);
}

}  // namespace hikyaku::commands
