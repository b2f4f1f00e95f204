// SPDX-License-Identifier: MIT
// `hikyaku drain`: has the daemon empty its queue, tells how far it is, and ends the drain when it is interrupted.
#include <time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <memory>
#include <optional>

#include "daemon/base/bytes.h"
#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/control_client.h"
#include "daemon/commands/output.h"
#include "daemon/commands/progress.h"
#include "daemon/config/smarthost_draft.h"

namespace hikyaku::commands {
namespace {

constexpr std::string_view kDrain = "hikyaku drain";
constexpr const char* kDrainPath = "/v1/drain";
constexpr std::size_t kMostNamed = 1000;

struct DrainOptions {
  ControlOptions control;
  std::string to;
  std::string timeout;
  bool undo = false;
};

std::string mails_of(std::uint64_t count) {
  return cat(std::to_string(count), count == 1 ? " mail" : " mails");
}

// Ctrl-C and what a service manager sends are looked at between two questions, of which each lasts a second at most.
class Interrupts {
 public:
  Interrupts() {
    ::sigemptyset(&set_);
    for (int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&set_, number);
    ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  Interrupts(const Interrupts&) = delete;
  ~Interrupts() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  bool have_come() const {
    const timespec now{};
    return ::sigtimedwait(&set_, nullptr, &now) > 0;
  }

 private:
  sigset_t set_{};
  sigset_t before_{};
};

// A line on a terminal for each stage, in mails that have left since it began.
class DrainProgress {
 public:
  void show(const JsonValue& drain) {
    const std::uint64_t left = drain.whole_number_of("left");
    if (const std::string stage = drain.text_of("stage"); stage != stage_) begin(stage, drain, left);
    for (; shown_ + left < total_; ++shown_) line_->count_one();
  }
  void clear() { line_.reset(); }

 private:
  void begin(const std::string& stage, const JsonValue& drain, std::uint64_t left) {
    line_.emplace(stage == "handing_over" ? cat("handing over to ", printable(drain.text_of("to")))
                                          : "trying everything once");
    line_->expect(left);
    total_ = left;
    shown_ = 0;
    stage_ = stage;
  }

  std::optional<Progress> line_;
  std::string stage_;
  std::uint64_t total_ = 0;
  std::uint64_t shown_ = 0;
};

Exit fail_with(const StartError& error) {
  if (error.kind == Exit::damaged) return report(kDrain, {Exit::unavailable, error.text});
  return report_control(kDrain, error);
}

// Those that wait for the operator, by name.
void name_held(const std::string& socket) {
  auto held = ask_control(socket, cat("/v1/queue?state=held&limit=", std::to_string(kMostNamed)));
  if (!held) return;
  for (const JsonValue& mail : held->json.list_of("mails"))
    report(kDrain, {Exit::try_again, cat(printable(mail.text_of("id")), " is held: release or remove it")});
  for (const JsonValue& id : held->json.list_of("unreadable"))
    if (id.text() != nullptr)
      report(kDrain,
             {Exit::try_again, cat(printable(*id.text()), " cannot be read: see `hikyaku spool check`")});
}

Exit tell_left(const std::string& socket, const JsonValue& drain, std::string_view why) {
  const std::uint64_t left = drain.whole_number_of("left");
  if (drain.whole_number_of("held") > 0) name_held(socket);
  if (const std::uint64_t drops = drain.whole_number_of("drops"); drops > 0)
    report(kDrain,
           {Exit::try_again, cat(mails_of(drops), " of sendmail's in drop/, for when mail is taken again")});
  return report(
      kDrain,
      {Exit::try_again,
       cat(why.empty() ? "" : cat(why, ": "), mails_of(left), left == 1 ? " is" : " are",
           " left besides what is held (`hikyaku queue` says what for); the daemon takes mail again")});
}

Exit finish(const std::string& socket, const JsonValue& drain) {
  if (drain.text_of("stage") != "drained")
    return tell_left(socket, drain, still_printable(drain.text_of("why"), 1024));
  Output output(STDOUT_FILENO);
  output.print(
      "the queue is empty; no mail is taken until hikyakud is started again, or `hikyaku drain --undo`\n");
  return output.finish(Exit::ok, kDrain);
}

Exit end_early(const std::string& socket, std::string_view why) {
  auto reply = ask_control(socket, kDrainPath, R"({"end":true})");
  if (!reply) return fail_with(reply.error());
  return tell_left(socket, reply->json, why);
}

bool is_over(const JsonValue& drain) {
  const std::string stage = drain.text_of("stage");
  return stage != "trying" && stage != "handing_over";
}

Exit follow(const std::string& socket, const DrainOptions& options, Instant deadline) {
  const Interrupts interrupts;
  DrainProgress progress;
  auto reply =
      ask_control(socket, kDrainPath, options.to.empty() ? "{}" : JsonObject().add("to", options.to).text());
  while (reply) {
    progress.show(reply->json);
    if (is_over(reply->json)) break;
    const bool is_interrupted = interrupts.have_come();
    if (is_interrupted || SystemClock().now() >= deadline) {
      progress.clear();
      return end_early(socket, is_interrupted ? "interrupted" : cat("not done within ", options.timeout));
    }
    reply = ask_control(socket, kDrainPath, R"({"follow":true})");
  }
  progress.clear();
  return reply ? finish(socket, reply->json) : fail_with(reply.error());
}

Exit undo(const std::string& socket) {
  auto reply = ask_control(socket, kDrainPath, R"({"end":true})");
  if (!reply) return fail_with(reply.error());
  Output output(STDOUT_FILENO);
  output.print("the daemon takes mail again\n");
  return output.finish(Exit::ok, kDrain);
}

Exit drain(const DrainOptions& options) {
  const auto timeout = options.timeout.empty() ? std::nullopt : parse_duration(options.timeout);
  if (!options.timeout.empty() && !timeout)
    return report(kDrain, {Exit::usage, "--timeout must be a duration such as 30s, 5m or 1h"});
  if (auto peer = options.to.empty() ? mail::Smarthost() : config::smarthost_at(options.to); !peer)
    return report(kDrain, {Exit::usage, cat("--to: ", peer.error())});
  auto socket = find_control_socket(options.control);
  if (!socket) return report(kDrain, socket.error());
  report_note(kDrain, socket->note);
  if (options.undo) return undo(socket->path);
  return follow(socket->path, options, timeout ? SystemClock().now() + *timeout : kNever);
}

}  // namespace

void add_drain_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<DrainOptions>();
  CLI::App* command = app.add_subcommand("drain", "empty the queue before this machine goes away");
  auto* to = command->add_option("--to", options->to, "hand what is left to this hikyaku or smarthost")
                 ->type_name("URL");
  command
      ->add_option("--timeout", options->timeout,
                   "end the drain after this time; default: as long as it takes")
      ->type_name("TIME");
  command->add_flag("--undo", options->undo, "let a drained daemon take mail again")->excludes(to);
  command
      ->add_option("-c", options->control.config, "the daemon's configuration file, which names its socket")
      ->type_name("FILE")
      ->capture_default_str();
  command
      ->add_option("--socket", options->control.socket, "the daemon's control socket; default: as configured")
      ->type_name("PATH");
  command->footer(
      "No more mail is taken: SMTP clients get 421, sendmail leaves its mail in drop/, `hikyaku health "
      "--ready` says\n"
      "no. Everything is tried once; with --to the rest then goes to the peer as it is, smtp://HOST:PORT or "
      "as\n"
      "`smarthost` in hikyaku.yaml, with the log-in that authinfo has for it. Held mail stays, and is "
      "named.\n"
      "If the queue is empty at the end (exit code 0), no mail is taken until hikyakud is started again, or "
      "--undo.\n"
      "In every other case the daemon takes mail again: if mail is left (75), after --timeout (75), after "
      "Ctrl-C (75),\n"
      "and a minute after this command was killed; but not if the daemon itself is being stopped.\n"
      "Example: hikyaku drain --to smtp://relay2.example.com:25 --timeout 5m");
  command->callback([options, &chosen] { chosen = [options] { return drain(*options); }; });
}

}  // namespace hikyaku::commands
