// SPDX-License-Identifier: MIT
// One drop, from the directory to wherever it belongs.
#include <utility>

#include "daemon/base/random.h"
#include "daemon/base/text.h"
#include "daemon/io/memory_stream.h"
#include "daemon/io/work.h"
#include "daemon/pickup/pickup.h"
#include "daemon/pickup/refused_drop.h"
#include "daemon/pickup/taking_sink.h"

namespace hikyaku::pickup {
namespace {

constexpr std::size_t kUnderWay = 256 * 1024;  // between player and session
constexpr std::uint64_t kLine = mail::DropCommands::kMaxLine + 2;
constexpr Duration kSubmitterLimit = 10s;

// A message without a Date gets that of its submission, however long no daemon ran.
smtpd::SessionOptionsPtr options_for(const smtpd::SessionOptions& all, std::string_view drop) {
  auto options = std::make_shared<smtpd::SessionOptions>(all);
  options->written = mail::drop_time(drop);
  return options;
}

Task<void> run_session(smtpd::SessionContext around, smtpd::SessionOptionsPtr options, io::StreamPtr stream) {
  smtpd::Session session(around, std::move(options), std::move(stream));
  co_await session.run();
}

}  // namespace

struct Pickup::Drop {
  std::string name;
  std::optional<DropFile> file{};
  std::optional<mail::MailId> taken{};      // in taken/, for this mail
  std::optional<mail::MailId> committed{};  // and that is on stable storage
  std::vector<std::string> commands{};
  std::string beginning{};
};

Task<void> settle_taken(io::Loop& loop, const DropDirectory& directory, mail::MailSource& source,
                        log::MailLog& log) {
  auto all = co_await io::run_on_pool(loop, [&] { return directory.taken(); });
  for (const DropDirectory::Taken& one : all) {
    auto mail = co_await source.load(one.id);
    if (!mail && mail.error().kind == mail::SourceErrorKind::read_failed) continue;
    auto settled = co_await io::run_on_pool(loop, [&] {
      return mail ? directory.remove(one.name, one.id) : directory.give_back(one.name, one.id);
    });
    if (!settled) log.error(cat("a drop in taken/ ", settled.error().text), {{"drop", one.name}});
  }
}

Task<void> Pickup::pick_up(std::string name) {
  Drop drop{.name = std::move(name)};
  co_await open(drop);
  if (drop.file) {
    DropOutcome outcome = co_await play(drop);
    co_await settle(drop, std::move(outcome));
  }
  busy_.erase(drop.name);
  ended_.notify();
}

Task<void> Pickup::open(Drop& drop) {
  auto opened = co_await io::run_on_pool(parts_.loop, [&]() -> Result<void, DropError> {
    auto file = directory_.open_drop(drop.name, longest());
    if (!file) return std::unexpected(file.error());
    drop.file.emplace(std::move(*file));
    return {};
  });
  if (opened || opened.error().kind == DropFault::gone) co_return;
  const DropFault fault = opened.error().kind;
  if (fault == DropFault::broken || fault == DropFault::too_long)
    co_await set_aside(drop, opened.error().text);
  else
    co_await defer(drop, opened.error().text);
}

// More has no place in any message that the limits allow.
std::uint64_t Pickup::longest() const {
  const smtpd::Limits& limits = options_.session->limits;
  return mail::kDropHeader + limits.max_size + kLine * (limits.max_recipients + 2);
}

// Whether it was committed is the sink's to say: at a stop the reply may not come through.
Task<DropOutcome> Pickup::play(Drop& drop) {
  TakingSink sink(parts_.sink, [this, &drop](mail::MailId id) { return take(drop, id); });
  io::MemoryPair pair = io::make_memory_pair(
      parts_.loop,
      {.capacity = kUnderWay, .first_address = {}, .second_address = {}, .uid = drop.file->uid()});
  io::Nursery session(parts_.loop);
  session.spawn(run_session({parts_.loop, sink, parts_.observer, stop_},
                            options_for(*options_.session, drop.name), std::move(pair.first)));
  DropPlayer player(parts_.loop, *drop.file, *pair.second, options_.session->limits.max_recipients,
                    {kNever, &stop_.hard});
  DropOutcome outcome = co_await player.play();
  pair.second.reset();
  co_await session.drained({});
  drop.committed = sink.committed();
  drop.commands = player.commands();
  drop.beginning = player.beginning();
  co_return outcome;
}

Task<Result<void, mail::SinkError>> Pickup::take(Drop& drop, mail::MailId id) {
  auto taken =
      co_await io::run_on_pool(parts_.loop, [&] { return directory_.take(drop.name, *drop.file, id); });
  if (!taken) co_return fail(mail::SinkErrorKind::write_failed, taken.error().text);
  drop.taken = id;
  co_return Result<void, mail::SinkError>{};
}

Task<void> Pickup::settle(Drop& drop, DropOutcome outcome) {
  if (drop.committed) {
    co_await remove(drop);
  } else if (auto* refusal = std::get_if<DropRefused>(&outcome)) {
    co_await refuse(drop, std::move(refusal->reply));
  } else if (auto* fault = std::get_if<DropBroken>(&outcome)) {
    co_await set_aside(drop, std::move(fault->why));
  } else {
    auto* pause = std::get_if<DropDeferred>(&outcome);
    co_await defer(drop, pause != nullptr ? std::move(pause->why) : "the session has ended without a reply");
  }
}

Task<void> Pickup::remove(Drop& drop) {
  auto removed =
      co_await io::run_on_pool(parts_.loop, [&] { return directory_.remove(drop.name, *drop.committed); });
  if (!removed)
    parts_.log.error(
        cat("a drop that is in the spool stays in taken/ until the next start: ", removed.error().text),
        {{"drop", drop.name}, {"id", to_text(*drop.committed)}});
}

Task<void> Pickup::defer(Drop& drop, std::string why) {
  if (drop.taken) {
    auto back =
        co_await io::run_on_pool(parts_.loop, [&] { return directory_.give_back(drop.name, *drop.taken); });
    if (!back) why = cat("it is in taken/ until the next start: ", back.error().text);
  }
  put_off(drop.name);
  if (!stop_.soft.is_requested()) tell_once(drop.name, why);
}

// The sender is told, or, where nobody can be, it is kept for the operator.
Task<void> Pickup::refuse(Drop& drop, mail::Reply reply) {
  std::string why = to_text(reply);
  auto request = co_await notice(drop, std::move(reply));
  if (!request) {
    co_await set_aside(drop, std::move(why));
    co_return;
  }
  const bool is_told = co_await bounce(drop, std::move(*request));
  if (is_told)
    co_await remove(drop);
  else
    co_await defer(drop, "its sender cannot be told now that it was refused");
}

// To the sender that it would have been sent under (`submit`), or anybody could have bounces sent to anybody.
Task<std::optional<mail::BounceRequest>> Pickup::notice(Drop& drop, mail::Reply reply) {
  const smtpd::SessionOptions& session = *options_.session;
  const std::uint32_t uid = drop.file->uid();
  RefusedDrop refused{drop.name, std::move(drop.commands), std::move(drop.beginning), std::move(reply)};
  auto envelope = envelope_of(refused, session.domain);
  if (!envelope) co_return std::nullopt;
  if (session.submitters != nullptr) {
    auto submitter = co_await session.submitters->find(uid, parts_.loop.within(kSubmitterLimit));
    if (!submitter) co_return std::nullopt;
    envelope->sender =
        smtpd::sender_of(uid, *submitter, std::move(envelope->sender), {session.domain, session.hostname});
  }
  co_return refusal_notice(refused, *envelope, options_.bounce, parts_.loop.clock().wall(), random_token(24));
}

// Taken for the bounce as it would have been for the mail: a crash leaves one or the other.
Task<bool> Pickup::bounce(Drop& drop, mail::BounceRequest request) {
  TakingSink sink(parts_.sink, [this, &drop](mail::MailId id) { return take(drop, id); });
  mail::Envelope envelope;
  envelope.recipients.push_back({.address = request.sender, .notify = {.never = true}, .orcpt = {}});
  envelope.smtputf8 = !is_ascii(request.sender);
  auto committed =
      co_await relay::commit_notice(sink.begin(), mail::make_bounce(request), std::move(envelope));
  drop.committed = sink.committed();
  if (committed)
    parts_.log.bounce({.id = to_text(*committed),
                       .about = drop.name,
                       .to = request.sender,
                       .kind = "failed",
                       .recipients = request.recipients.size()});
  co_return committed.has_value();
}

Task<void> Pickup::set_aside(Drop& drop, std::string why) {
  auto moved = co_await io::run_on_pool(parts_.loop, [&] { return directory_.refuse(drop.name); });
  if (!moved) {
    co_await defer(drop, cat(why, "; and it ", moved.error().text));
    co_return;
  }
  parts_.log.error(cat("a drop cannot become mail and is kept in refused/: ", why), {{"drop", drop.name}});
}

}  // namespace hikyaku::pickup
