// SPDX-License-Identifier: MIT
#include "daemon/commands/daemon_answers.h"

#include <unistd.h>

#include <algorithm>
#include <map>

#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/commands/control_client.h"
#include "daemon/commands/output.h"
#include "daemon/commands/progress.h"
#include "daemon/mail/dialogue.h"
#include "daemon/mail/mail_id.h"

namespace hikyaku::commands {
namespace {

constexpr std::size_t kLongestText = 4096;

// Replies, reasons and diagnoses are printable already and are not escaped a second time.
std::string text_in(const JsonValue& object, std::string_view name, std::string_view otherwise = "") {
  std::string text = object.text_of(name);
  return text.empty() ? std::string(otherwise) : still_printable(text, kLongestText);
}

std::string counted(std::uint64_t count, std::string_view what) {
  return cat(std::to_string(count), " ", what);
}

std::string queue_line(const JsonValue& queue) {
  return cat("queue          ", counted(queue.whole_number_of("active"), "active, "),
             counted(queue.whole_number_of("deferred"), "waiting, "),
             counted(queue.whole_number_of("held"), "held\n"));
}

bool is_true(const JsonValue& object, std::string_view name) {
  const JsonValue* value = object.find(name);
  return value != nullptr && value->boolean().value_or(false);
}

std::string mails_in(const JsonValue& object) {
  const std::uint64_t mails = object.whole_number_of("mails");
  return counted(mails, mails == 1 ? "mail" : "mails");
}

std::string node_line(const JsonValue& node) {
  const std::uint64_t held = node.whole_number_of("held");
  const std::string mails = cat(mails_in(node), held > 0 ? cat(", ", counted(held, "held")) : "");
  return cat("node           ", text_in(node, "name"), is_true(node, "this") ? " (this one)" : "", ": ",
             mails,
             is_true(node, "away") ? cat(", away: alive until ", text_in(node, "alive_until"),
                                         "; its mail is the others' from ", text_in(node, "free_at"), " on\n")
                                   : cat(", alive until ", text_in(node, "alive_until"), ", started ",
                                         text_in(node, "started"), "\n"));
}

// Of a shared spool: what all of its nodes have.
std::string fleet_lines(const JsonValue& status) {
  const JsonValue* fleet = status.find("fleet");
  if (fleet == nullptr) return "";
  const std::string oldest = text_in(*fleet, "oldest");
  std::string text = cat("all nodes      ", is_true(*fleet, "is_estimate") ? "about " : "", mails_in(*fleet),
                         ", ", counted(fleet->whole_number_of("free"), "of them nobody's, "),
                         counted(fleet->whole_number_of("held"), "held"),
                         oldest.empty() ? "" : cat("; the oldest came ", oldest), "\n");
  for (const JsonValue& node : fleet->list_of("nodes")) text += node_line(node);
  return text;
}

// Nothing where there is none, or mail is taken again.
std::string drain_line(const JsonValue& status) {
  const JsonValue* drain = status.find("drain");
  const std::string stage = drain == nullptr ? "" : drain->text_of("stage");
  if (stage == "trying") return "drain          trying everything once; no mail is taken\n";
  if (stage == "handing_over")
    return cat("drain          handing over to ", text_in(*drain, "to"), "; no mail is taken\n");
  return stage == "drained" ? "drain          the queue is empty, and no mail is taken\n" : "";
}

std::string smarthost_line(const JsonValue& smarthost) {
  std::string next = text_in(smarthost, "next_probe");
  std::string since = text_in(smarthost, "since");
  std::string why = text_in(smarthost, "why");
  std::uint64_t connections = smarthost.whole_number_of("connections");
  return cat("smarthost      ", text_in(smarthost, "name"), " (", text_in(smarthost, "host"), ":",
             std::to_string(smarthost.whole_number_of("port")), "): ",
             why.empty() ? cat("up, ", counted(connections, connections == 1 ? "connection" : "connections"))
             : next.empty() ? why
                            : cat("backing off until ", next,
                                  since.empty() ? "" : cat(" (since ", since, ")"), ": ", why),
             "\n");
}

// Only an answer to `verbose` has it.
std::string last_failure_text(const JsonValue& smarthost) {
  const JsonValue* dialogue = smarthost.find("last_failure");
  if (dialogue == nullptr) return "";
  auto parsed = mail::parse_dialogue(*dialogue);
  if (!parsed) return "  no session has failed since the start\n";
  return cat("  its last session that failed\n", mail::to_text(*parsed));
}

// Of a smarthost with `oauth`: why there is no newer token, while the one that is there may still do.
std::string oauth_line(const JsonValue& smarthost) {
  const JsonValue* oauth = smarthost.find("oauth");
  if (oauth == nullptr) return "";
  const std::string refused = text_in(*oauth, "refused");
  const std::string expires = text_in(*oauth, "expires");
  const std::string since = text_in(*oauth, "refused_since");
  if (!refused.empty())
    return cat("oauth          no new token", since.empty() ? "" : cat(" since ", since), ": ", refused,
               "\n");
  return expires.empty() ? "" : cat("oauth          token good until ", expires, "\n");
}

constexpr std::string_view kRetryCommand = "hikyaku queue retry";
constexpr Duration kLongestWait = 60s;

std::vector<std::string> texts_in(const JsonValue& object, std::string_view name) {
  std::vector<std::string> texts;
  for (const JsonValue& element : object.list_of(name))
    if (element.text() != nullptr) texts.push_back(printable(*element.text()));
  return texts;
}

Exit tell(const ControlReply& reply, Output& output, Form form) {
  const JsonValue& answer = reply.json;
  std::uint64_t count = answer.whole_number_of("retried");
  if (form == Form::json)
    output.print(reply.text);
  else
    output.print_lines(cat("retrying ", std::to_string(count), count == 1 ? " mail\n" : " mails\n"));
  Exit exit = Exit::ok;
  for (const std::string& id : texts_in(answer, "held"))
    exit = report(kRetryCommand,
                  {Exit::unavailable,
                   cat(id, " is held, so it was not retried: `hikyaku queue release ", id, "` lets it go")});
  for (const std::string& id : texts_in(answer, "elsewhere"))
    report_note(kRetryCommand, cat(id, " is tried by the node that has it"));
  for (const JsonValue& refused : answer.list_of("refused"))
    exit = report(kRetryCommand, {Exit::unavailable, cat(printable(refused.text_of("id")), ": ",
                                                         still_printable(refused.text_of("error"), 4096))});
  for (const std::string& id : texts_in(answer, "unknown"))
    exit = report(kRetryCommand,
                  {Exit::no_input, cat("there is no mail ", id, " in the queue, or you may not see it")});
  return exit;
}

std::string recipient_line(const std::string& id, const JsonValue& recipient) {
  std::string reply = text_in(recipient, "last_reply");
  return cat(id, " ", printable(recipient.text_of("address"), kLongestText), ": ",
             text_in(recipient, "status"), reply.empty() ? "" : ": ", reply, "\n");
}

std::string waiting_line(const std::string& id, const JsonValue& outcome) {
  std::string since = text_in(outcome, "waits_since");
  std::string next = text_in(outcome, "next_attempt");
  std::string reason = text_in(outcome, "reason");
  return cat(id, " waits for ", text_in(outcome, "waits_for") == "time" ? "its retry time" : "the smarthost",
             since.empty() ? "" : cat(" since ", since), next.empty() ? "" : cat(", next ", next),
             reason.empty() ? "" : cat(": ", reason), "\n");
}

bool has_ended(const JsonValue& outcome) { return text_in(outcome, "state") == "ended"; }

// Follows the mails that were named by ID: remembers their attempts before the retry and waits for the
// outcome.
class Following {
 public:
  Following(const std::string& socket, const std::vector<std::string>& ids) : socket_(socket) {
    for (const std::string& id : ids)
      if (auto known = mail::parse_mail_id(id)) attempts_[id] = attempts_of(id);
  }

  // Prints the outcomes. Returns try_again if a mail still waits.
  Exit tell(Output& output, Form form) const {
    Exit exit = Exit::ok;
    Instant end = SystemClock().now() + kLongestWait;
    for (const auto& [id, attempts] : attempts_) {
      if (!attempts) continue;
      Progress progress(cat("waiting for the outcome of ", id));
      auto left = std::chrono::ceil<std::chrono::seconds>(std::max(end - SystemClock().now(), Duration(0)));
      auto outcome = ask_control(socket_, cat(target_of(id), "?wait=", std::to_string(left.count()),
                                              "&until=paused&attempts=", std::to_string(*attempts)));
      if (!outcome) continue;  // ended too long ago
      form == Form::json ? output.print(outcome->text) : output.print_lines(outcome_text(id, outcome->json));
      if (!has_ended(outcome->json)) exit = Exit::try_again;
    }
    return exit;
  }

 private:
  static std::string target_of(const std::string& id) { return cat("/v1/mails/", id, "/outcome"); }

  std::optional<std::uint64_t> attempts_of(const std::string& id) const {
    auto outcome = ask_control(socket_, target_of(id));
    if (!outcome) return std::nullopt;
    return outcome->json.whole_number_of("attempts");
  }

  const std::string& socket_;
  std::map<std::string, std::optional<std::uint64_t>> attempts_;
};

}  // namespace

std::string outcome_text(const std::string& id, const JsonValue& outcome) {
  std::string lines;
  for (const JsonValue& recipient : outcome.list_of("recipients")) lines += recipient_line(id, recipient);
  if (!has_ended(outcome) && !text_in(outcome, "waits_for").empty()) lines += waiting_line(id, outcome);
  return lines;
}

bool has_reached_all(const JsonValue& outcome) {
  return has_ended(outcome) && std::ranges::all_of(outcome.list_of("recipients"), [](const JsonValue& each) {
           return text_in(each, "status") == "delivered";
         });
}

std::vector<std::string> away_nodes(const JsonValue& status) {
  std::vector<std::string> names;
  const JsonValue* fleet = status.find("fleet");
  if (fleet == nullptr) return names;
  for (const JsonValue& node : fleet->list_of("nodes"))
    if (is_true(node, "away")) names.push_back(text_in(node, "name"));
  return names;
}

bool needs_operator(const JsonValue& status) {
  if (!away_nodes(status).empty()) return true;
  const JsonValue* queue = status.find("queue");
  if (queue != nullptr && queue->whole_number_of("held") > 0) return true;
  if (text_in(status, "spool", "healthy") != "healthy") return true;
  return std::ranges::any_of(status.list_of("smarthosts"), [](const JsonValue& smarthost) {
    const JsonValue* oauth = smarthost.find("oauth");
    const bool has_lapsed = oauth != nullptr && is_true(*oauth, "needs_operator");
    return has_lapsed || !text_in(smarthost, "next_probe").empty();
  });
}

std::string status_text(const JsonValue& status) {
  auto uptime = std::chrono::seconds(static_cast<std::int64_t>(status.whole_number_of("uptime")));
  std::string text =
      cat("hikyakud ", text_in(status, "version"), ", up for ", hikyaku::to_text(Duration(uptime)), "\n");
  if (const JsonValue* queue = status.find("queue")) text += queue_line(*queue);
  text += fleet_lines(status);
  text += cat("last delivery  ", text_in(status, "last_delivery", "none since the start"), "\n");
  if (std::uint64_t failed = status.whole_number_of("failed_last_day"); failed > 0)
    text += cat("failed         ", counted(failed, failed == 1 ? "mail" : "mails"), " in the last day\n");
  std::string trouble = text_in(status, "spool_trouble");
  text += cat("spool          ", text_in(status, "spool"), trouble.empty() ? "" : ": ", trouble, "\n");
  text += drain_line(status);
  for (const JsonValue& smarthost : status.list_of("smarthosts"))
    text += cat(smarthost_line(smarthost), oauth_line(smarthost), last_failure_text(smarthost));
  for (const JsonValue& warning : status.list_of("warnings"))
    if (warning.text() != nullptr)
      text += cat("warning        ", still_printable(*warning.text(), kLongestText), "\n");
  return text;
}

Result<std::string, StartError> selection_body(const MailSelection& selection) {
  JsonObject filters;
  for (const auto& [name, value] : selection.filters) filters.add(name, value);
  const bool has_filters = !selection.filters.empty();
  int ways = (selection.ids.empty() ? 0 : 1) + (selection.all ? 1 : 0) + (has_filters ? 1 : 0);
  if (ways != 1)
    return fail(Exit::usage,
                "give mail IDs, or --all, or filters (--state, --from, --to, --older-than, ...)");
  if (selection.all) return JsonObject().add("all", true).text();
  return has_filters ? filters.text() : JsonObject().add("ids", JsonList(selection.ids)).text();
}

Exit retry_queue(const std::string& socket, const MailSelection& selection, bool waits, Form form) {
  auto body = selection_body(selection);
  if (!body) return report(kRetryCommand, body.error());
  Following following(socket, waits ? selection.ids : std::vector<std::string>());
  auto reply = [&] {
    Progress progress("asking the daemon to try");
    return ask_control(socket, "/v1/queue/retry", *body);
  }();
  if (!reply) return report_control(kRetryCommand, reply.error());
  Output output(STDOUT_FILENO);
  Exit exit = tell(*reply, output, form);
  Exit outcome = following.tell(output, form);
  return output.finish(exit == Exit::ok ? outcome : exit, kRetryCommand);
}

}  // namespace hikyaku::commands
