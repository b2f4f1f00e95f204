// SPDX-License-Identifier: MIT
#include <unistd.h>

#include "daemon/base/text.h"
#include "daemon/commands/control_client.h"
#include "daemon/commands/daemon_answers.h"
#include "daemon/commands/output.h"
#include "daemon/commands/progress.h"
#include "daemon/commands/trials.h"
#include "daemon/io/loop.h"
#include "daemon/io/socket_stream.h"
#include "daemon/mail/mail_id.h"
#include "daemon/system/directories.h"
#include "daemon/tryout/app_dialogue.h"

namespace hikyaku::commands {
namespace {

constexpr std::string_view kTestMail = "test mail";
constexpr Duration kLongestSubmission = 60s;
constexpr std::string_view kFollowing = "/outcome?wait=60&until=paused";

using Submitted = Result<std::string, IoError>;

tryout::AppDialogue::Message test_message(const config::Settings& settings, const std::string& recipient) {
  const std::string sender = cat("root@", settings.domain);
  return {sender, recipient,
          cat("From: hikyaku <", sender, ">\r\nTo: <", recipient, ">\r\nSubject: Test mail from ",
              settings.hostname, "\r\n\r\nThis machine can send mail: hikyaku has passed this on.\r\n")};
}

Task<Submitted> submit(io::Loop& loop, std::string socket, tryout::AppDialogue::Message message) {
  const io::Until until{loop.now() + kLongestSubmission, nullptr};
  auto stream = co_await io::connect_unix(loop, std::move(socket), until);
  if (!stream) co_return std::unexpected(stream.error());
  tryout::AppDialogue dialogue(**stream, until, [](std::string_view) {});
  co_return co_await dialogue.submit(std::move(message));
}

// "250 2.0.0 Ok: queued as ID".
std::string id_in(std::string_view reply) { return std::string(reply.substr(reply.rfind(' ') + 1)); }

bool follow(const std::string& control_socket, const std::string& id) {
  auto outcome = [&] {
    Progress progress("waiting until the test mail is handed over");
    return ask_control(control_socket, cat("/v1/mails/", id, kFollowing));
  }();
  if (!outcome) {
    report(kTestMail, outcome.error());
    return false;
  }
  Output output(STDOUT_FILENO);
  output.print_lines(outcome_text(id, outcome->json));
  static_cast<void>(output.finish(Exit::ok, kTestMail));
  return has_reached_all(outcome->json);
}

}  // namespace

bool send_test_mail(const config::Settings& settings, const std::string& recipient) {
  SystemClock clock;
  io::Loop loop(clock);
  auto submitted = loop.run(
      submit(loop, system::submit_socket_in(settings.runtime_directory), test_message(settings, recipient)));
  if (!submitted) {
    report(kTestMail, {Exit::unavailable, cat("the daemon has not taken it: ", submitted.error().text)});
    return false;
  }
  return follow(system::control_socket_in(settings.runtime_directory), id_in(*submitted));
}

}  // namespace hikyaku::commands
