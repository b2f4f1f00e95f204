// SPDX-License-Identifier: MIT
// One drop, from the directory to wherever it belongs.
#include <numeric>
#include <utility>

#include "daemon/base/random.h"
#include "daemon/base/text.h"
#include "daemon/io/memory_stream.h"
#include "daemon/io/work.h"
#include "daemon/mail/dsn.h"
#include "daemon/mail/smtp_command.h"
#include "daemon/pickup/pickup.h"
#include "daemon/pickup/taking_sink.h"

namespace hikyaku::pickup {
namespace {

constexpr std::size_t kUnderWay = 256 * 1024;  // between player and session
constexpr std::uint64_t kLine = mail::DropCommands::kMaxLine + 2;
constexpr Duration kSubmitterTimeout = 10s;

// A message without a Date gets the time of its submission, however long no daemon ran.
smtpd::SessionOptionsPtr options_for(const smtpd::SessionOptions& all, std::string_view drop) {
  auto options = std::make_shared<smtpd::SessionOptions>(all);
  options->written = mail::drop_time(drop);
  return options;
}

Task<void> run_session(smtpd::SessionContext around, smtpd::SessionOptionsPtr options, io::StreamPtr stream) {
  smtpd::Session session(around, std::move(options), std::move(stream));
  co_await session.run();
}

// ---- a drop that can never become mail, and the bounce that tells its sender so

struct RefusedDrop {
  std::string name;
  std::vector<std::string> commands;  // as in the drop
  std::string beginning;              // of the content
  mail::Reply reply;                  // the refusal
};

mail::Failure failure_of(const mail::Reply& reply, const std::string& hostname) {
  mail::Failure failure;
  failure.kind = mail::FailureKind::message_refused;
  failure.stage = mail::Stage::message;
  failure.concerns = mail::Concerns::message;
  failure.reply = reply;
  failure.smarthost = failure.host = hostname;
  return failure;
}

std::string header_of(const std::string& content) {
  const std::size_t end = content.find("\r\n\r\n");
  return end == content.npos ? content : content.substr(0, end + 2);
}

// The envelope of the well-formed commands; nullopt if MAIL is not well formed.
std::optional<mail::Envelope> envelope_of(const RefusedDrop& drop, std::string_view domain) {
  std::optional<mail::Envelope> envelope;
  for (const std::string& line : drop.commands) {
    auto command = mail::parse_command(line, {domain, envelope && envelope->smtputf8});
    if (auto* mail = std::get_if<mail::command::Mail>(&command)) envelope = std::move(mail->envelope);
    auto* rcpt = std::get_if<mail::command::Rcpt>(&command);
    if (envelope && rcpt != nullptr) envelope->recipients.push_back(std::move(rcpt->recipient));
  }
  return envelope;
}

// The notice to the envelope's sender; nullopt if the sender wants none, or no recipient is to be reported.
std::optional<mail::BounceRequest> refusal_notice(const RefusedDrop& drop, const mail::Envelope& envelope,
                                                  const relay::BouncePolicy& policy, WallTime now,
                                                  std::string token) {
  std::vector<std::size_t> all(envelope.recipients.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  mail::BounceRequest request;
  for (std::size_t place : recipients_to_report(envelope, all, mail::NoticeKind::failure))
    request.recipients.push_back({envelope.recipients[place], failure_of(drop.reply, policy.hostname)});
  if (request.recipients.empty()) return std::nullopt;
  request.hostname = policy.hostname;
  request.domain = policy.domain;
  request.id = drop.name;
  request.token = std::move(token);
  request.sender = envelope.sender;
  request.envid = envelope.envid;
  request.arrival = request.now = now;
  request.original = header_of(drop.beginning);
  return request;
}

void log_bounce(log::MailLog& log, mail::MailId id, const std::string& drop,
                const mail::BounceRequest& notice) {
  const bool is_copy = !notice.postmaster.empty();
  log.bounce({.id = to_text(id),
              .about = drop,
              .to = is_copy ? notice.postmaster : notice.sender,
              .kind = is_copy ? "postmaster" : "failed",
              .recipients = notice.recipients.size()});
}

}  // namespace

struct Pickup::Drop {
  std::string name;
  std::optional<DropFile> file{};
  std::optional<mail::MailId> taken{};      // in taken/, for this mail
  std::optional<mail::MailId> committed{};  // and that is on stable storage
  std::vector<mail::MailId> ids{};          // of all mails that it was taken for
  std::vector<std::string> commands{};
  std::string beginning{};
};

Task<void> settle_taken(io::Loop& loop, const DropDirectory& directory, mail::MailSource& source,
                        log::MailLog& log) {
  auto all = co_await io::run_on_pool(loop, [&] { return directory.taken(); });
  for (const DropDirectory::Taken& one : all) {
    auto is_queued = co_await source.has(one.id);
    if (!is_queued) continue;
    auto settled = co_await io::run_on_pool(loop, [&] {
      return *is_queued ? directory.remove(one.name, one.id) : directory.give_back(one.name, one.id);
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
    let_go(drop);
  }
  busy_.erase(drop.name);
  ended_.notify();
}

bool Pickup::keeps(const mail::QueueEntry& entry) {
  auto kept = kept_.find(entry.id);
  if (kept != kept_.end()) kept->second = entry;
  return kept != kept_.end();
}

void Pickup::let_go(const Drop& drop) {
  for (mail::MailId id : drop.ids) {
    auto kept = kept_.extract(id);
    if (!kept.empty() && kept.mapped() && parts_.on_arrival) parts_.on_arrival(*kept.mapped());
  }
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

// A longer drop cannot be a message that the limits allow.
std::uint64_t Pickup::longest() const {
  const smtpd::Limits& limits = options_.session->limits;
  return mail::kDropHeader + limits.max_size + kLine * (limits.max_recipients + 2);
}

// The sink says whether the mail was committed: at a stop the reply may be lost.
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
  drop.ids.push_back(id);
  kept_[id];
  co_return Result<void, mail::SinkError>{};
}

Task<void> Pickup::settle(Drop& drop, DropOutcome outcome) {
  if (drop.committed) {
    ++counts_.taken;
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
  if (removed)
    parts_.sink.forget_file(*drop.committed);
  else
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

// Notifies the sender; if there is none to notify, keeps the drop for the operator.
Task<void> Pickup::refuse(Drop& drop, mail::Reply reply) {
  std::string why = to_text(reply);
  auto request = co_await notice(drop, std::move(reply));
  if (!request) {
    co_await set_aside(drop, std::move(why));
    co_return;
  }
  const bool is_told = co_await bounce(drop, std::move(*request));
  if (!is_told) {
    co_await defer(drop, "it was refused, and its sender cannot be notified now");
    co_return;
  }
  ++counts_.refused;
  co_await remove(drop);
}

// The notice goes to the sender that `submit` would have set, or any user could have bounces sent to anybody.
Task<std::optional<mail::BounceRequest>> Pickup::notice(Drop& drop, mail::Reply reply) {
  const smtpd::SessionOptions& session = *options_.session;
  const std::uint32_t uid = drop.file->uid();
  RefusedDrop refused{drop.name, std::move(drop.commands), std::move(drop.beginning), std::move(reply)};
  auto envelope = envelope_of(refused, session.domain);
  if (!envelope) co_return std::nullopt;
  envelope->sender = session.masquerade.apply(std::move(envelope->sender));
  if (session.submitters != nullptr) {
    auto submitter = co_await session.submitters->find(uid, parts_.loop.within(kSubmitterTimeout));
    if (!submitter) co_return std::nullopt;
    envelope->sender =
        smtpd::sender_of(uid, *submitter, std::move(envelope->sender), {session.domain, session.hostname});
  }
  co_return refusal_notice(refused, *envelope, options_.bounce, parts_.loop.clock().wall(), random_token(24));
}

// The drop is taken for the bounce as for a mail: a crash leaves one or the other, and at worst a second copy for
// the postmaster.
Task<bool> Pickup::bounce(Drop& drop, mail::BounceRequest request) {
  const bool smtputf8 = !is_ascii(request.sender);
  if (auto copy = relay::copy_for_postmaster(options_.bounce, request)) {
    auto stored = co_await relay::commit_notice(parts_.sink.begin(), mail::make_bounce(*copy),
                                                relay::envelope_of_notice(*copy, smtputf8));
    if (!stored) co_return false;
    log_bounce(parts_.log, *stored, drop.name, *copy);
  }
  TakingSink sink(parts_.sink, [this, &drop](mail::MailId id) { return take(drop, id); });
  auto committed = co_await relay::commit_notice(sink.begin(), mail::make_bounce(request),
                                                 relay::envelope_of_notice(request, smtputf8));
  drop.committed = sink.committed();
  if (committed) log_bounce(parts_.log, *committed, drop.name, request);
  co_return committed.has_value();
}

Task<void> Pickup::set_aside(Drop& drop, std::string why) {
  auto moved = co_await io::run_on_pool(parts_.loop, [&] { return directory_.refuse(drop.name); });
  if (!moved) {
    co_await defer(drop, cat(why, "; and it ", moved.error().text));
    co_return;
  }
  ++counts_.refused;
  parts_.log.error(cat("a drop cannot become mail and is kept in refused/: ", why), {{"drop", drop.name}});
}

}  // namespace hikyaku::pickup
