// SPDX-License-Identifier: MIT
#include "daemon/commands/queue_steering.h"

#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "daemon/base/text.h"
#include "daemon/commands/control_client.h"
#include "daemon/commands/output.h"
#include "daemon/commands/progress.h"

namespace hikyaku::commands {
namespace {

std::string command_of(const SteeringVerb& verb) { return cat("hikyaku queue ", verb.name); }
std::string path_of(const SteeringVerb& verb) { return cat("/v1/queue/", verb.name); }

std::string mails(std::uint64_t count) { return cat(std::to_string(count), count == 1 ? " mail" : " mails"); }

std::string id_in(const JsonValue& value) {
  return printable(value.text() != nullptr ? *value.text() : value.text_of("id"));
}

std::string done_text(const SteeringVerb& verb, const JsonValue& answer) {
  const std::uint64_t as_before = answer.whole_number_of("unchanged");
  return cat(
      mails(answer.whole_number_of("done")), " ", verb.done, "\n",
      as_before == 0 ? "" : cat(mails(as_before), verb.name == "hold" ? " held already\n" : " not held\n"));
}

// Says which mails are not as wanted. The last trouble decides about the exit code.
Exit tell_decided(const SteeringVerb& verb, const JsonValue& answer) {
  const std::string command = command_of(verb);
  Exit exit = Exit::ok;
  for (const JsonValue& refused : answer.list_of("refused"))
    exit = report(command, {Exit::unavailable,
                            cat(id_in(refused), ": ", still_printable(refused.text_of("error"), 4096))});
  for (const JsonValue& unknown : answer.list_of("unknown"))
    exit = report(command, {Exit::no_input, cat("there is no mail ", id_in(unknown),
                                                " in the queue, or you may not change it")});
  for (const JsonValue& busy : answer.list_of("under_way"))
    exit = report(command, {Exit::try_again, cat(id_in(busy), " is being sent now; try again")});
  return exit;
}

// nullopt: the daemon's error has been reported.
Result<std::uint64_t, Exit> how_many(const std::string& socket, const SteeringVerb& verb,
                                     const std::string& body) {
  auto reply = ask_control(socket, cat(path_of(verb), "?count=1"), body);
  if (!reply) return std::unexpected(report_control(command_of(verb), reply.error()));
  return reply->json.whole_number_of("count");
}

bool is_agreed(const SteeringVerb& verb, std::uint64_t count) {
  std::fprintf(stderr, "%s %s? [y/N] ", std::string(verb.name).c_str(), mails(count).c_str());
  std::string answer;
  return std::getline(std::cin, answer) && (answer == "y" || answer == "Y" || answer == "yes");
}

// Whether to go on; else the exit code.
Result<void, Exit> confirm(const std::string& socket, const SteeringVerb& verb, const std::string& body) {
  auto count = how_many(socket, verb, body);
  if (!count) return std::unexpected(count.error());
  if (*count <= 1) return {};
  if (::isatty(STDIN_FILENO) == 0)
    return std::unexpected(report(
        command_of(verb),
        {Exit::usage, cat("this is about ", mails(*count), "; add --yes to do it without a question")}));
  if (is_agreed(verb, *count)) return {};
  return std::unexpected(report(command_of(verb), {Exit::unavailable, "nothing was done"}));
}

}  // namespace

Exit steer_queue(const std::string& socket, const SteeringVerb& verb, const MailSelection& selection,
                 bool is_confirmed, Form form) {
  auto body = selection_body(selection);
  if (!body) return report(command_of(verb), body.error());
  if (verb.is_final && !is_confirmed)
    if (auto agreed = confirm(socket, verb, *body); !agreed) return agreed.error();
  auto reply = [&] {
    Progress progress(std::string(verb.during));
    return ask_control(socket, path_of(verb), *body);
  }();
  if (!reply) return report_control(command_of(verb), reply.error());
  Output output(STDOUT_FILENO);
  form == Form::json ? output.print(reply->text) : output.print_lines(done_text(verb, reply->json));
  const Exit exit = tell_decided(verb, reply->json);
  return output.finish(exit, command_of(verb));
}

}  // namespace hikyaku::commands
