// SPDX-License-Identifier: MIT
// `hikyaku queue`: reads the spool itself, or the database of a shared one, so it works whether the daemon runs or not, and changes nothing.
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
#include "daemon/commands/output.h"
#include "daemon/commands/queue_list.h"
#include "daemon/commands/queue_mail.h"
#include "daemon/commands/queue_steering.h"
#include "daemon/listing/queue_listing.h"
#include "daemon/listing/queue_reader.h"

namespace hikyaku::commands {
namespace {

struct QueueOptions {
  SpoolOptions spool;
  MailSelection selection;
  std::string id;
  std::string socket;
  ListOptions list;
  bool as_sent = false;
  std::string via;
  bool no_wait = false;
  bool yes = false;
};

Exit list(const QueueOptions& options) {
  ListOptions wanted = options.list;
  wanted.all = options.selection.all;
  wanted.filters = options.selection.filters;
  return with_view(
      options.spool, std::nullopt, [&](const SpoolPlace& place, spool::QueueView& view, Output& output) {
        const mail::RouteState route = ask_daemon({options.spool, options.socket}).route;
        QueueList list(wanted, view, route, output);
        return list.print(place.directory.empty() ? "" : listing::drops_text(place.directory, std::nullopt));
      });
}

OneMailOptions one_mail(const QueueOptions& options) {
  return {{options.spool, options.socket}, options.id, options.list.json, options.as_sent, options.via};
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

Form form_of(const QueueOptions& options) { return options.list.json ? Form::json : Form::text; }

Exit retry(const QueueOptions& options) {
  return with_socket(options, "retry", [&](const std::string& socket) {
    return retry_queue(socket, options.selection, !options.no_wait, form_of(options));
  });
}

Exit steer(const SteeringVerb& verb, const QueueOptions& options) {
  return with_socket(options, verb.name, [&](const std::string& socket) {
    return steer_queue(socket, verb, options.selection, options.yes, form_of(options));
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

void add_cat(CLI::App& queue, const std::shared_ptr<QueueOptions>& options, Action& chosen) {
  CLI::App& command =
      add_for_mail(queue, "cat", "print one mail as it is stored, or as it leaves, byte for byte", *options);
  command.add_flag("--as-sent", options->as_sent,
                   "with a smarthost's rules applied to it: what it would be sent");
  command.add_option("--via", options->via, "as this smarthost gets it; default: the one that is next")
      ->type_name("NAME");
  command.callback([options, &chosen] { chosen = [options] { return cat_mail(one_mail(*options)); }; });
}

void add_filter(CLI::App& queue, const std::shared_ptr<QueueOptions>& options, const std::string& option,
                const std::string& name, const std::string& type, const std::string& description) {
  auto set = [options, name](const std::string& value) { options->selection.filters[name] = value; };
  queue.add_option_function<std::string>(option, set, description)->type_name(type);
}

void add_filters(CLI::App& queue, const std::shared_ptr<QueueOptions>& options) {
  queue.add_flag("--all", options->selection.all, "all mail, one mail a line");
  add_filter(queue, options, "--state", "state", "STATE",
             "only mail that is active, waiting (or deferred) or held");
  add_filter(queue, options, "--from", "from", "PATTERN",
             "only mail whose sender matches: \"*@example.com\", or \"<>\"");
  add_filter(queue, options, "--to", "to", "PATTERN", "only mail with a recipient that matches");
  add_filter(queue, options, "--smarthost", "smarthost", "NAME", "only mail that was tried there last");
  add_filter(queue, options, "--reason", "reason", "TEXT",
             "only mail whose reason for waiting has this text in it; addresses are \"<...>\" there");
  add_filter(queue, options, "--older-than", "older_than", "DURATION",
             "only mail that came before that: 30m, 4h, 5d");
}

void add_forms(CLI::App& queue, QueueOptions& options) {
  queue.add_flag("--json", options.list.json, "print one JSON object a line");
  queue.add_flag("--count", options.list.count, "print only how many mails there are");
  queue.add_option("--by", options.list.by, "count them by what they have in common")
      ->check(CLI::IsMember({"domain", "age", "reason", "sender", "smarthost"}));
  queue
      .add_option(
          "--sort", options.list.sort,
          "list them in this order: newest first (time), largest first (size), oldest first (age), by "
          "the next attempt (next), most attempts first (attempts)")
      ->check(CLI::IsMember({"time", "size", "age", "next", "attempts"}));
  queue.add_option("--limit", options.list.limit, "at most so many")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
}

}  // namespace

void add_queue_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<QueueOptions>();
  CLI::App* queue =
      app.add_subcommand("queue", "show what is queued and why it waits; hold, release, remove or return it");
  add_spool_options(*queue, options->spool);
  queue->add_option("--socket", options->socket, "the daemon's control socket; default: as configured")
      ->type_name("PATH");
  add_filters(*queue, options);
  add_forms(*queue, *options);
  auto& one = add_for_mail(*queue, "show",
                           "show one mail: envelope, recipients, its way, and what was said when it failed",
                           *options);
  add_cat(*queue, options, chosen);
  one.callback([options, &chosen] { chosen = [options] { return show_mail(one_mail(*options)); }; });
  add_retry(*queue, options, chosen);
  for (const SteeringVerb& verb : kSteeringVerbs) add_steering(*queue, verb, options, chosen);
  queue->callback([options, queue, &chosen] {
    if (queue->get_subcommands().empty()) chosen = [options] { return list(*options); };
  });
}

}  // namespace hikyaku::commands
