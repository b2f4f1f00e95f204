// SPDX-License-Identifier: MIT
// `hikyaku queue`: reads the spool itself, so it works whether the daemon runs or not, and changes nothing.
// Only the state of the smarthosts, and what changes something, are requests to the daemon.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/control_client.h"
#include "daemon/commands/daemon_answers.h"
#include "daemon/commands/daemon_paths.h"
#include "daemon/commands/output.h"
#include "daemon/commands/queue_steering.h"
#include "daemon/listing/queue_listing.h"
#include "daemon/listing/queue_reader.h"

namespace hikyaku::commands {
namespace {

constexpr std::string_view kQueueCommand = "hikyaku queue";

struct QueueOptions {
  SpoolOptions spool;
  MailSelection selection;
  std::string id;
  std::string socket;
  bool json = false;
  bool no_wait = false;
  bool yes = false;
};

using mail::SourceErrorKind;

StartError to_start_error(const mail::SourceError& error) {
  switch (error.kind) {
    case SourceErrorKind::damaged: return {Exit::damaged, error.text};
    case SourceErrorKind::unknown_mail: return {Exit::no_input, error.text};
    case SourceErrorKind::read_failed:
    case SourceErrorKind::no_memory:
    case SourceErrorKind::write_failed: break;
  }
  return {Exit::io, error.text};
}

// Uses an open spool: a view of one mail or of all.
using Use = std::function<Exit(const std::string& directory, spool::View&, Output&)>;

Exit with_view(const SpoolOptions& options, std::optional<mail::MailId> only, const Use& use) {
  auto access = open_spool(kQueueCommand, options);
  if (!access) return report(kQueueCommand, access.error());
  auto view = spool::View::open(*access->disk, only);
  if (!view) return report(kQueueCommand, listing::explain(view.error(), access->directory));
  Output output(STDOUT_FILENO);
  return output.finish(use(access->directory, *view, output), kQueueCommand);
}

constexpr std::string_view kNoDaemon = "hikyakud is not running: mail waits until it is started";

// A spool named by --directory may be a copy that belongs to no daemon.
mail::RouteState route_of(const QueueOptions& options) {
  if (!options.spool.directory.empty() && options.socket.empty()) return {};
  auto socket = find_control_socket({options.spool.config, options.socket});
  if (!socket) return {};
  WallTime now = SystemClock().wall();
  auto status = ask_control(socket->path, "/v1/status");
  if (status) return mail::route_state_of(status->json, now);
  report(kQueueCommand, status.error());
  if (status.error().kind != Exit::unavailable) return {};
  return {.waits_for = mail::WaitsFor::daemon, .reason = std::string(kNoDaemon), .now = now};
}

// Leaves out mail that ends while the list is made. Reports damaged mail and continues with the rest.
Exit print_all(const QueueOptions& options, const std::string& directory, spool::View& view, Output& output) {
  listing::QueueFilter filter{mail::parse_queue_state(options.selection.state), options.selection.from,
                              options.selection.to};
  mail::RouteState route = route_of(options);
  auto ids = view.ids();
  std::string drops = options.json ? "" : listing::drops_text(directory, std::nullopt);
  if (ids.empty() && !options.json && drops.empty()) output.print("the queue is empty\n");
  Exit exit = Exit::ok;
  for (mail::MailId id : ids) {
    auto mail = view.load(id);
    bool has_ended = !mail && mail.error().kind == SourceErrorKind::unknown_mail;
    if (has_ended) continue;
    if (!mail) exit = report(kQueueCommand, to_start_error(mail.error()));
    if (!mail || !filter.matches(*mail, route)) continue;
    mail::MailState state = listing::state_of(*mail, route, true);
    if (!output.print(
            cat(options.json ? listing::queue_json(*mail, state).text() : listing::queue_line(*mail, state),
                "\n")))
      break;
  }
  if (!drops.empty()) output.print(cat(drops, "\n"));
  return exit;
}

Exit list(const QueueOptions& options) {
  return with_view(options.spool, std::nullopt,
                   [&](const std::string& directory, spool::View& view, Output& output) {
                     return print_all(options, directory, view, output);
                   });
}

// Uses one mail of an open spool.
using UseOne = std::function<Result<void, mail::SourceError>(spool::View&, mail::MailId, Output&)>;

Exit with_mail(const QueueOptions& options, const UseOne& use) {
  auto id = mail::parse_mail_id(options.id);
  if (!id)
    return report(kQueueCommand, {Exit::usage, cat("'", printable(options.id),
                                                   "' is not a mail ID; 'hikyaku queue' lists them")});
  return with_view(options.spool, *id, [&](const std::string&, spool::View& view, Output& output) {
    auto done = use(view, *id, output);
    return done ? Exit::ok : report(kQueueCommand, to_start_error(done.error()));
  });
}

Exit show(const QueueOptions& options) {
  return with_mail(options, [&](spool::View& view, mail::MailId id, Output& output) {
    auto mail = view.load(id);
    if (!mail) return Result<void, mail::SourceError>(std::unexpected(mail.error()));
    auto attempts = listing::attempts_in(view.history());
    mail::MailState state = listing::state_of(*mail, route_of(options), true);
    output.print(options.json ? listing::full_json(*mail, state, attempts).text() + '\n'
                              : listing::queue_details(*mail, state, attempts));
    return Result<void, mail::SourceError>();
  });
}

Exit cat_mail(const QueueOptions& options) {
  return with_mail(options, [](spool::View& view, mail::MailId id, Output& output) {
    return view.read_content(id, [&](std::string_view piece) { return output.print(piece); });
  });
}

// Uses the daemon's control socket for the command `name`.
Exit with_socket(const QueueOptions& options, std::string_view name,
                 const std::function<Exit(const std::string& socket)>& use) {
  const std::string command = cat(kQueueCommand, " ", name);
  auto socket = find_control_socket({options.spool.config, options.socket});
  if (!socket) return report(command, socket.error());
  report_note(command, socket->note);
  return use(socket->path);
}

Exit retry(const QueueOptions& options) {
  return with_socket(options, "retry", [&](const std::string& socket) {
    return retry_queue(socket, options.selection, !options.no_wait);
  });
}

Exit steer(const SteeringVerb& verb, const QueueOptions& options) {
  return with_socket(options, verb.name, [&](const std::string& socket) {
    return steer_queue(socket, verb, options.selection, options.yes);
  });
}

// A sub-command of `queue` that is about selected mails.
CLI::App& add_for_selection(CLI::App& queue, const std::string& name, const std::string& description,
                            QueueOptions& options) {
  CLI::App* command = queue.add_subcommand(name, description);
  command->add_option("ID", options.selection.ids, "as the log and `hikyaku queue` show it");
  command->fallthrough();  // -c and the filters may come after its name
  return *command;
}

void add_retry(CLI::App& queue, const std::shared_ptr<QueueOptions>& options, Action& chosen) {
  CLI::App& command = add_for_selection(
      queue, "retry",
      "try to deliver mail now: by ID (waits up to a minute for the outcome), by filter, or --all", *options);
  command.add_flag("--all", options->selection.all,
                   "all mail that waits; also tries paused smarthosts again");
  command.add_flag("--no-wait", options->no_wait, "do not wait for the outcome of the mails named by ID");
  command.footer(
      "Exit code: 0 done, 66 no such mail, 69 a mail is held, 75 a mail named by ID still waits, or the "
      "daemon "
      "does not answer.");
  command.callback([options, &chosen] { chosen = [options] { return retry(*options); }; });
}

void add_steering(CLI::App& queue, const SteeringVerb& verb, const std::shared_ptr<QueueOptions>& options,
                  Action& chosen) {
  CLI::App& command =
      add_for_selection(queue, std::string(verb.name), std::string(verb.description), *options);
  command.add_flag("--all", options->selection.all, "all queued mail that you may change");
  if (verb.is_final) command.add_flag("--yes,-y", options->yes, "do not ask, also for more than one mail");
  command.footer(
      "Exit code: 0 done, 66 no such mail, 69 a mail cannot be treated so, 75 a mail is being sent now, or "
      "the "
      "daemon does not answer.");
  command.callback(
      [&verb, options, &chosen] { chosen = [&verb, options] { return steer(verb, *options); }; });
}

// Adds a sub-command of `queue` that takes one mail's ID.
CLI::App& add_for_mail(CLI::App& queue, const std::string& name, const std::string& description,
                       QueueOptions& options) {
  CLI::App* command = queue.add_subcommand(name, description);
  command->add_option("ID", options.id, "as the log and `hikyaku queue` show it")->required();
  command->fallthrough();  // -c and the other options may come after its name
  return *command;
}

void add_filters(CLI::App& queue, QueueOptions& options) {
  queue
      .add_option("--state", options.selection.state,
                  "only mail in this state; deferred is another word for waiting")
      ->check(CLI::IsMember({"active", "waiting", "deferred", "held"}));
  queue
      .add_option("--from", options.selection.from,
                  "only mail whose sender matches: \"*@example.com\", or \"<>\"")
      ->type_name("PATTERN");
  queue.add_option("--to", options.selection.to, "only mail with a recipient that matches")
      ->type_name("PATTERN");
  queue.add_flag("--json", options.json, "print one JSON object a line");
}

}  // namespace

void add_queue_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<QueueOptions>();
  CLI::App* queue = app.add_subcommand("queue", "list the queued mail, one mail a line");
  add_spool_options(*queue, options->spool);
  queue->add_option("--socket", options->socket, "the daemon's control socket; default: as configured")
      ->type_name("PATH");
  add_filters(*queue, *options);
  auto& one =
      add_for_mail(*queue, "show", "show one mail: envelope, recipients, attempts and replies", *options);
  auto& content = add_for_mail(*queue, "cat", "print one mail as it will be sent, byte for byte", *options);
  one.callback([options, &chosen] { chosen = [options] { return show(*options); }; });
  content.callback([options, &chosen] { chosen = [options] { return cat_mail(*options); }; });
  add_retry(*queue, options, chosen);
  for (const SteeringVerb& verb : kSteeringVerbs) add_steering(*queue, verb, options, chosen);
  queue->callback([options, queue, &chosen] {
    if (queue->get_subcommands().empty()) chosen = [options] { return list(*options); };
  });
}

}  // namespace hikyaku::commands
