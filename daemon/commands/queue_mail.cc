// SPDX-License-Identifier: MIT
#include "daemon/commands/queue_mail.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/commands/control_client.h"
#include "daemon/config/load.h"
#include "daemon/dkim/signing_reader.h"
#include "daemon/io/loop.h"
#include "daemon/io/resolver.h"
#include "daemon/listing/queue_listing.h"
#include "daemon/listing/queue_reader.h"
#include "daemon/mail/dialogue.h"
#include "daemon/mail/rewriting_reader.h"

namespace hikyaku::commands {
namespace {

using mail::SourceErrorKind;

constexpr std::string_view kNoDaemon = "hikyakud is not running: mail waits until it is started";

bool belongs_to_no_daemon(const QueuePlace& place) {
  return !place.spool.directory.empty() && place.socket.empty();
}

// Uses one mail of an open spool.
using UseOne = std::function<Result<void, StartError>(spool::QueueView&, mail::MailId, Output&)>;

Exit with_mail(const OneMailOptions& options, const UseOne& use) {
  auto id = mail::parse_mail_id(options.id);
  if (!id)
    return report(kQueueCommand, {Exit::usage, cat("'", printable(options.id),
                                                   "' is not a mail ID; 'hikyaku queue' lists them")});
  return with_view(options.place.spool, *id, [&](const SpoolPlace&, spool::QueueView& view, Output& output) {
    auto used = use(view, *id, output);
    return used ? Exit::ok : report(kQueueCommand, used.error());
  });
}

Result<void, StartError> as_start_error(const Result<void, mail::SourceError>& done) {
  return done ? Result<void, StartError>() : std::unexpected(to_start_error(done.error()));
}

// ---- show

// Those that are still to get the mail; of one that waits for nobody but the operator, all.
std::vector<std::string> awaited_recipients(const mail::QueuedMail& mail) {
  std::vector<std::string> addresses;
  for (std::size_t i = 0; i < mail.envelope.recipients.size(); ++i)
    if (mail.progress.is_settled() || mail.progress.is_pending(i))
      addresses.push_back(mail.envelope.recipients[i].address);
  return addresses;
}

// nullopt: the configuration cannot be read, or is not this spool's.
std::optional<std::vector<SharedWay>> ways_for(const QueuePlace& place, const mail::QueuedMail& mail,
                                               const DaemonWord& daemon) {
  if (belongs_to_no_daemon(place)) return std::nullopt;
  const auto settings = config::load_file(place.spool.config);
  if (!settings) return std::nullopt;
  return ways_of(*settings, mail.envelope.sender, awaited_recipients(mail), daemon.troubles);
}

// The daemon's answer to GET /v1/mails/ID/dialogue.
struct LastWords {
  bool is_known = false;  // it answered
  std::string since{};    // since when it knows such things
  std::optional<mail::Dialogue> dialogue{};
};

// nullopt: no daemon has anything to say about this spool.
std::optional<LastWords> ask_for_last_words(const QueuePlace& place, const DaemonWord& daemon,
                                            mail::MailId id) {
  if (belongs_to_no_daemon(place)) return std::nullopt;
  if (daemon.socket.empty()) return LastWords{};
  auto reply = ask_control(daemon.socket, cat("/v1/mails/", to_text(id), "/dialogue"));
  if (!reply) {
    report(kQueueCommand, reply.error());
    return LastWords{};
  }
  const JsonValue* dialogue = reply->json.find("dialogue");
  return LastWords{true, still_printable(reply->json.text_of("since")),
                   dialogue == nullptr ? std::nullopt : mail::parse_dialogue(*dialogue)};
}

std::string text_of(const LastWords& last, const mail::MailState& state, std::uint32_t attempts) {
  constexpr std::string_view kTitle = "what was said in the last attempt that failed\n";
  if (last.dialogue) return cat(kTitle, to_text(*last.dialogue));
  if (state.waits_for == mail::WaitsFor::smarthost && last.is_known)
    return "what the smarthost said: `hikyaku status --verbose`\n";
  if (attempts == 0) return "";
  return cat(kTitle, "  not known: ",
             last.is_known ? cat("hikyakud keeps it in memory, and was started at ", last.since)
                           : "only a running hikyakud keeps it",
             "\n");
}

std::string text_of(const std::optional<std::vector<SharedWay>>& ways) {
  return ways && !ways->empty() ? cat("the way it would take now\n", to_text(*ways)) : "";
}

// What is known of a mail besides what the spool has.
struct Seen {
  mail::MailState state;
  std::optional<std::vector<SharedWay>> ways;
  std::optional<LastWords> last;
};
using Attempts = std::vector<spool::PastProgress>;

std::string text_of(const spool::ViewedMail& mail, const Attempts& attempts, const Seen& seen) {
  return cat(listing::queue_details(mail, seen.state, attempts), text_of(seen.ways),
             seen.last ? text_of(*seen.last, seen.state, mail.mail.progress.attempts) : "");
}

std::string json_of(const spool::ViewedMail& mail, const Attempts& attempts, const Seen& seen) {
  const auto dialogue = seen.last ? seen.last->dialogue : std::nullopt;
  return listing::full_json(mail, seen.state, attempts)
             .add("ways", seen.ways ? std::optional(to_json_list(*seen.ways)) : std::nullopt)
             .add("dialogue", dialogue ? std::optional(to_object(*dialogue)) : std::nullopt)
             .add("dialogues_since", unless_empty(seen.last ? seen.last->since : ""))
             .text() +
         "\n";
}

// ---- cat

Result<void, StartError> print_stored(spool::QueueView& view, mail::MailId id, Output& output) {
  return as_start_error(view.read_content(id, [&](std::string_view piece) { return output.print(piece); }));
}

const mail::Smarthost* find_smarthost(const config::Settings& settings, const std::string& name) {
  auto found = std::ranges::find_if(settings.smarthosts,
                                    [&](const auto& each) { return equals_ignoring_case(each.name, name); });
  return found == settings.smarthosts.end() ? nullptr : &*found;
}

// The one that was asked for, or that would get the mail now.
Result<const mail::Smarthost*, StartError> choose_smarthost(const config::Settings& settings,
                                                            const OneMailOptions& options,
                                                            const mail::QueuedMail& mail) {
  if (!options.via.empty()) {
    if (const mail::Smarthost* named = find_smarthost(settings, options.via)) return named;
    std::vector<std::string> names;
    for (const mail::Smarthost& each : settings.smarthosts) names.push_back(each.name);
    return fail(Exit::usage,
                cat("there is no smarthost '", printable(options.via), "', but ", join(names, ", ")));
  }
  const auto troubles = ask_daemon(options.place).troubles;
  const auto ways = ways_of(settings, mail.envelope.sender, awaited_recipients(mail), troubles);
  const ExplainedWay& way = ways.front().way;
  const std::string& name = way.via[way.takes].front().name;
  report_note(kQueueCommand, cat("as ", name, " would get it",
                                 ways.size() > 1 ? "; some recipients have another way, see --via" : ""));
  return find_smarthost(settings, name);
}

// As a lane does it (smtpc/transaction.h).
Task<Result<void, mail::SourceError>> print_outgoing(io::Loop& loop, mail::OutgoingContent& content,
                                                     const dkim::KeyRing& keys,
                                                     const mail::SigningRules& rules, Output& output) {
  auto prepared = co_await content.prepare();
  if (!prepared) co_return prepared;
  dkim::SigningReader signed_content(loop, content.reader(), keys, rules);
  auto is_signed = co_await signed_content.prepare(content.size());
  if (!is_signed) co_return is_signed;
  for (;;) {
    auto piece = co_await signed_content.next();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty() || !output.print(*piece)) co_return Result<void, mail::SourceError>{};
  }
}

Result<void, StartError> print_as_sent(const OneMailOptions& options, spool::QueueView& view, mail::MailId id,
                                       Output& output) {
  auto settings = config::load_file(options.place.spool.config);
  if (!settings) return fail(Exit::configuration, config::to_text(settings.error(), "\n"));
  auto viewed = view.load(id);
  if (!viewed) return std::unexpected(to_start_error(viewed.error()));
  auto smarthost = choose_smarthost(*settings, options, viewed->mail);
  if (!smarthost) return std::unexpected(smarthost.error());
  std::string text;
  auto read = view.read_content(id, [&](std::string_view piece) { return text += piece, true; });
  if (!read) return as_start_error(read);
  mail::TextContent stored(std::move(text));
  mail::OutgoingContent content(stored, viewed->mail.size, **smarthost);
  SystemClock clock;
  io::Loop loop(clock);
  const dkim::KeyRingPtr keys = readable_keys(kQueueCommand, *settings);
  return as_start_error(loop.run(print_outgoing(loop, content, *keys, (*smarthost)->dkim, output)));
}

}  // namespace

Exit show_mail(const OneMailOptions& options) {
  return with_mail(options, [&](spool::QueueView& view, mail::MailId id, Output& output) {
    auto mail = view.load(id);
    if (!mail) return Result<void, StartError>(std::unexpected(to_start_error(mail.error())));
    const auto attempts = listing::attempts_in(view.history());
    const DaemonWord daemon = ask_daemon(options.place);
    const Seen seen{.state = listing::state_of(*mail, daemon.route, true),
                    .ways = ways_for(options.place, mail->mail, daemon),
                    .last = ask_for_last_words(options.place, daemon, id)};
    options.json ? output.print(json_of(*mail, attempts, seen))
                 : output.print_lines(text_of(*mail, attempts, seen));
    return Result<void, StartError>();
  });
}

Exit cat_mail(const OneMailOptions& options) {
  if (!options.via.empty() && !options.as_sent)
    return report(kQueueCommand, {Exit::usage, "--via is for --as-sent: what is stored is the same for all"});
  return with_mail(options, [&](spool::QueueView& view, mail::MailId id, Output& output) {
    return options.as_sent ? print_as_sent(options, view, id, output) : print_stored(view, id, output);
  });
}

// ---- for lists too

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

Exit with_view(const SpoolOptions& options, std::optional<mail::MailId> only, const UseSpool& use) {
  auto place = find_spool(kQueueCommand, options);
  if (!place) return report(kQueueCommand, place.error());
  auto view = open_view(*place, only);
  if (!view) return io::SystemResolver::leave(report(kQueueCommand, view.error()));
  Output output(STDOUT_FILENO);
  return output.finish(use(*place, **view, output), kQueueCommand);
}

DaemonWord ask_daemon(const QueuePlace& place) {
  if (belongs_to_no_daemon(place)) return {};
  auto socket = find_control_socket({place.spool.config, place.socket});
  if (!socket) return {};
  const WallTime now = SystemClock().wall();
  auto status = ask_control(socket->path, "/v1/status");
  if (status) return {socket->path, mail::route_state_of(status->json, now), troubles_in(status->json)};
  report(kQueueCommand, status.error());
  if (status.error().kind != Exit::unavailable) return {};
  return {.route = {.waits_for = mail::WaitsFor::daemon, .reason = std::string(kNoDaemon), .now = now}};
}

}  // namespace hikyaku::commands
