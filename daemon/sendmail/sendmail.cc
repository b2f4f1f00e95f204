// SPDX-License-Identifier: MIT
#include "daemon/sendmail/sendmail.h"

#include <pwd.h>
#include <unistd.h>

#include <string>

#include "daemon/base/text.h"
#include "daemon/sendmail/arguments.h"
#include "daemon/sendmail/daemon_queries.h"
#include "daemon/sendmail/delivery.h"
#include "daemon/sendmail/drop_session.h"
#include "daemon/sendmail/exit.h"
#include "daemon/sendmail/message.h"
#include "daemon/sendmail/process_hygiene.h"
#include "daemon/sendmail/smtp_pipe.h"

namespace hikyaku::sendmail {
namespace {

using Done = Result<void, Failure>;

// A uid without a name may send mail too; it may belong to a container.
std::string user_name() {
  passwd entry{};
  passwd* found = nullptr;
  std::string buffer(16384, '\0');
  ::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found);
  return found != nullptr && *entry.pw_name != '\0' ? entry.pw_name : cat("uid", std::to_string(::getuid()));
}

Result<void, Failure> check_input() {
  if (has_input()) return {};
  return fail(Exit::no_input,
              "standard input is closed, but the message is read from there; nothing was sent");
}

// The daemon has already escaped the foreign bytes in its replies.
void show_line(bool sent, std::string_view line) {
  print(sent ? cat(">>> ", printable(line), "\n") : cat(still_printable(line), "\n"));
}

Done deliver(const Request& request, const DaemonInfo& info) {
  if (auto open = check_input(); !open) return open;
  Input input(STDIN_FILENO, request.dot_ends_input, info.max_size);
  auto message = read_message(request, {user_name()}, input);
  if (!message) return std::unexpected(message.error());
  Dialogue::Watch watch;
  if (request.verbose > 0) watch = show_line;
  auto ids = Delivery(info, std::move(*message), input, watch).run();
  if (!ids) return std::unexpected(ids.error());
  if (request.verbose > 0 && ids->empty())
    print("The mail is stored in the drop directory; hikyakud will fetch it.\n");
  if (request.verbose > 1)
    for (const std::string& id : *ids) show_outcome(info, id);
  return {};
}

// Connects the caller to the daemon, or to the drop directory if the daemon is down.
Done serve(const DaemonInfo& info, bool is_batch, const TakeOutput& out) {
  if (auto open = check_input(); !open) return open;
  auto daemon = connect_to(info.submit_socket, Timeout(10));
  Exit how = Exit::ok;
  if (daemon) {
    how = (is_batch ? carry_batch : carry_smtp)(std::move(*daemon), STDIN_FILENO, out);
  } else if (auto drop = DropDirectory::open(info.drop, info.min_free)) {
    how = DropSession(info, *drop, STDIN_FILENO, out, {.is_batch = is_batch}).run();
  } else {
    std::string why = cat(info.submit_socket, ": ", daemon.error().text, "; ", drop.error().text);
    out(cat("421 4.3.2 ", why, "\r\n"));
    return fail(Exit::try_again, cat("hikyakud does not answer: ", why));
  }
  if (how == Exit::ok) return {};
  return fail(how, "the connection to hikyakud was lost");
}

Done speak_smtp(const DaemonInfo& info) {
  return serve(info, false, [](std::string_view bytes) { return write_all(STDOUT_FILENO, bytes); });
}

// Nobody reads the replies; the first bad one determines the exit code.
Done batch_smtp(const DaemonInfo& info) {
  BatchReplies replies;
  auto served = serve(info, true, [&replies](std::string_view bytes) {
    replies.take(bytes);
    return true;
  });
  return served ? replies.verdict() : served;
}

Done obey(const Request& request, const DaemonInfo& info) {
  switch (request.mode) {
    case Mode::deliver: return deliver(request, info);
    case Mode::list_queue: return list_queue(info, request.json);
    case Mode::count_queue: return count_queue(info);
    case Mode::run_queue: return run_queue(info, request.queue_run);
    case Mode::check_aliases: return check_aliases(info);
    case Mode::verify: return verify(info, request.recipients);
    case Mode::test_addresses: return test_addresses(info, STDIN_FILENO);
    case Mode::speak_smtp: return speak_smtp(info);
    case Mode::batch_smtp: return batch_smtp(info);
    case Mode::help: print(usage_text()); return Done();
    case Mode::version: print("hikyaku " HIKYAKU_VERSION "\n"); return Done();
    case Mode::nothing: return {};
  }
  return {};
}

Exit report(std::string_view program, const Failure& failure) {
  std::string_view name = program.substr(program.rfind('/') + 1);
  write_all(STDERR_FILENO, cat(name.empty() ? "sendmail" : printable(name, 40), ": ", failure.text, "\n"));
  return failure.kind;
}

}  // namespace

Exit run(std::span<const std::string_view> arguments, bool elevated) {
  std::string_view program = arguments.empty() ? "sendmail" : arguments[0];
  auto request = parse_arguments(arguments);
  if (!request) return report(program, request.error());
  bool may_choose = !elevated || ::getuid() == 0;
  auto done = obey(*request, find_daemon_info(may_choose ? request->config_file : std::string()));
  return done ? Exit::ok : report(program, done.error());
}

}  // namespace hikyaku::sendmail
