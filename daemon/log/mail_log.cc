// SPDX-License-Identifier: MIT
#include "daemon/log/mail_log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <thread>
#include <utility>

#include "daemon/base/mutex.h"
#include "daemon/base/text.h"
#include "daemon/log/address_mask.h"
#include "daemon/log/journal.h"
#include "daemon/log/postfix_lines.h"

namespace hikyaku::log {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
  static constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::err, spdlog::level::warn,
                                                          spdlog::level::info, spdlog::level::debug};
  return kLevels[static_cast<std::size_t>(level)];
}

// The line is an argument, never a format string, and the pattern adds nothing to it.
MailLog::Sink standard_error() {
  auto logger = std::make_shared<spdlog::logger>("mail", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%v");
  logger->set_level(spdlog::level::trace);
  return [logger](LogLevel level, std::string_view line) {
    logger->log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
  };
}

// The daemon's delays are told to the millisecond: "0.034s".
std::string seconds(Duration duration) {
  auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  std::string rest = std::to_string(1000 + ms % 1000).substr(1);
  return cat(std::to_string(ms / 1000), ".", rest, "s");
}

std::string relay_text(const std::string& smarthost, const std::optional<Endpoint>& address) {
  if (!address) return smarthost.empty() ? "none" : smarthost;
  return cat(smarthost, "[", address->address.to_text(), "]:", std::to_string(address->port));
}

std::string tls_text(const std::optional<TlsInfo>& tls) {
  return tls ? cat(tls->version, ",", tls->cipher, ",", tls->verdict) : "none";
}

std::string_view name_of(Status status) {
  static constexpr std::string_view kNames[] = {"delivered", "deferred", "failed"};
  return kNames[static_cast<std::size_t>(status)];
}

std::vector<Address> addresses(const std::vector<std::string>& texts) {
  std::vector<Address> list;
  for (const std::string& text : texts) list.push_back({text});
  return list;
}

// Fields that say nothing when they are empty are left out.
void add(Line& line, std::string_view name, std::string value) {
  if (!value.empty()) line.fields.push_back({name, std::move(value)});
}

}  // namespace

// The variable is inherited also by programs whose standard error somebody else reads, and stands where only standard
// output is the journal's (systemd.exec(5)).
bool is_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat ours{};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &ours) != 0) return false;
  std::string wanted = cat(std::to_string(ours.st_dev), ":", std::to_string(ours.st_ino));
  return stream == wanted;
}

std::string_view error_prefix() { return is_journal() ? journal_prefix(LogLevel::error) : ""; }

struct MailLog::State {
  const Clock& clock;
  std::atomic<LogLevel> level;
  std::atomic<LogAddresses> addresses;
  std::atomic<MailObserver*> observer{};
  Mutex mutex;
  LogFormat format GUARDED_BY(mutex);
  bool journal;  // never changes
  Sink sink GUARDED_BY(mutex);
  Defer defer GUARDED_BY(mutex){};
  std::thread::id gathering GUARDED_BY(mutex){};  // the thread whose lines are gathered
  std::string gathered GUARDED_BY(mutex){};       // whole lines, joined by LF
  std::unique_ptr<JournalSocket> socket GUARDED_BY(mutex){};
  std::vector<std::string> entries GUARDED_BY(mutex){};  // the gathered lines, where there is a socket

  // One line, or several of Postfix's; without what stands before each.
  std::vector<std::string> messages(const Line& line) const REQUIRES(mutex) {
    if (format == LogFormat::postfix) return to_postfix(line, static_cast<std::uint32_t>(::getpid()));
    if (format == LogFormat::json) return {to_json(line, journal ? "" : to_rfc3339(clock.wall()))};
    return {to_text(line)};
  }
  // The time, or what the journal wants instead.
  std::string before(const Line& line) const REQUIRES(mutex) {
    if (journal) return std::string(journal_prefix(line.level));
    if (format == LogFormat::postfix) return syslog_prefix(clock.wall());
    return format == LogFormat::json ? "" : cat(to_rfc3339(clock.wall()), " ");
  }
  void gather(const Line& line) REQUIRES(mutex) {
    const std::string start = before(line);
    for (const std::string& message : messages(line)) {
      gathered += cat(gathered.empty() ? "" : "\n", start, message);
      if (socket) entries.push_back(to_journal_entry(line, message));
    }
  }
  void write_gathered(LogLevel as = LogLevel::info) REQUIRES(mutex) {
    if (gathered.empty()) return;
    const std::string text = std::exchange(gathered, {});
    const auto with_fields = std::exchange(entries, {});
    if (!socket || !socket->send(with_fields)) sink(as, text);
  }
};

MailLog::MailLog(const Clock& clock, Options options) : MailLog(clock, options, standard_error()) {}

MailLog::MailLog(const Clock& clock, Options options, Sink sink)
    : state_(new State{clock,
                       options.level,
                       options.addresses,
                       {},
                       {},
                       options.format,
                       options.journal,
                       std::move(sink)}) {
  if (options.journal && !options.journal_socket.empty())
    state_->socket = std::make_unique<JournalSocket>(options.journal_socket);
}

MailLog::~MailLog() { write_gathered(); }

void MailLog::gather(Defer defer) {
  write_gathered();
  Lock lock(state_->mutex);
  state_->defer = std::move(defer);
  state_->gathering = std::this_thread::get_id();
}

void MailLog::write_gathered() {
  Lock lock(state_->mutex);
  state_->write_gathered();
}

void MailLog::observe(MailObserver* observer) { state_->observer = observer; }

void MailLog::configure(const Options& options) {
  Lock lock(state_->mutex);
  state_->level = options.level;
  state_->addresses = options.addresses;
  state_->format = options.format;
}

std::string MailLog::shown(std::string text) const {
  return state_->addresses == LogAddresses::masked ? mask_addresses(text) : text;
}

bool MailLog::shows(LogLevel level) const { return level <= state_->level.load(std::memory_order_relaxed); }

void MailLog::write(Line line) {
  if (!shows(line.level)) return;
  if (state_->addresses == LogAddresses::masked) mask_addresses(line);
  Lock lock(state_->mutex);
  const bool waits =
      state_->defer && line.level != LogLevel::error && state_->gathering == std::this_thread::get_id();
  if (!waits) state_->write_gathered();
  if (waits && state_->gathered.empty()) state_->defer([this] { write_gathered(); });
  state_->gather(line);
  if (!waits) state_->write_gathered(line.level);
}

void MailLog::accepted(const Accepted& accepted) {
  if (MailObserver* observer = state_->observer) observer->accepted(accepted);
  Line line{LogLevel::info, "accepted", "", {{"id", accepted.id}, {"from", Address{accepted.from}}}};
  line.fields.push_back({"to", addresses(accepted.to)});
  if (accepted.to.size() > 1) line.fields.push_back({"recipients", std::uint64_t{accepted.to.size()}});
  line.fields.push_back({"size", accepted.size});
  add(line, "client", accepted.client);
  add(line, "helo", accepted.helo);
  add(line, "proto", accepted.proto);
  add(line, "fixed", join(accepted.fixed, ","));
  write(std::move(line));
}

void MailLog::outcome(const Outcome& outcome) {
  if (MailObserver* observer = state_->observer) observer->outcome(outcome);
  LogLevel level = outcome.status == Status::delivered ? LogLevel::info : LogLevel::warning;
  Line line{level, name_of(outcome.status), "", {{"id", outcome.id}, {"from", Address{outcome.from}}}};
  line.fields.push_back({"to", Address{outcome.to}});
  line.fields.push_back({"relay", relay_text(outcome.smarthost, outcome.address)});
  line.fields.push_back({"tls", tls_text(outcome.tls)});
  add(line, "dkim", outcome.signature);
  line.fields.push_back({"delay", seconds(outcome.delay)});
  line.fields.push_back({"status", std::string(name_of(outcome.status))});
  add(line, "dsn", outcome.dsn);
  add(line, "reply", outcome.reply);
  if (!outcome.diagnosis.empty()) line.fields.push_back({"diagnosis", Sentence{outcome.diagnosis}});
  line.ends_mail = outcome.ends_mail;
  line.smarthost = outcome.smarthost;
  write(std::move(line));
}

void MailLog::smarthost(const SmarthostChange& change) {
  if (MailObserver* observer = state_->observer) observer->smarthost(change);
  Line line{change.up ? LogLevel::info : LogLevel::error,
            change.up ? "smarthost up" : "smarthost paused",
            change.diagnosis,
            {{"smarthost", change.smarthost}, {"host", change.host}}};
  line.fields.push_back({"port", std::uint64_t{change.port}});
  add(line, "reply", change.reply);
  if (!change.up) add(line, "next_probe", hikyaku::to_text(change.next_probe));
  if (change.waiting != 0) {
    line.fields.push_back({"waiting", change.waiting});
    add(line, "oldest", hikyaku::to_text(change.oldest));
  }
  write(std::move(line));
}

void MailLog::connection(const Connection& connection) {
  if (MailObserver* observer = state_->observer) observer->connection(connection);
  if (!shows(LogLevel::debug)) return;
  Line line{LogLevel::debug, connection.reason.empty() ? "connected" : "not connected", "", {}};
  line.fields.push_back({"relay", relay_text(connection.smarthost, connection.address)});
  line.fields.push_back({"tls", tls_text(connection.tls)});
  add(line, "auth", connection.mechanism);
  add(line, "reason", std::string(connection.reason));
  write(std::move(line));
}

void MailLog::bounce(const Bounce& bounce) {
  if (MailObserver* observer = state_->observer) observer->bounce(bounce);
  write({LogLevel::info,
         "notice",
         "",
         {{"id", bounce.id},
          {"about", bounce.about},
          {"to", Address{bounce.to}},
          {"kind", bounce.kind},
          {"recipients", std::uint64_t{bounce.recipients}}}});
}

void MailLog::expanded(const Expanded& expanded) {
  write({LogLevel::info,
         "expanded",
         "",
         {{"id", expanded.id},
          {"aliases", addresses(expanded.aliases)},
          {"to", addresses(expanded.to)},
          {"recipients", std::uint64_t{expanded.to.size()}}}});
}

void MailLog::rejected(const Rejected& rejected) {
  if (MailObserver* observer = state_->observer) observer->rejected(rejected);
  Line line{LogLevel::warning, "rejected", "", {{"client", rejected.client}}};
  if (rejected.uid) line.fields.push_back({"uid", std::uint64_t{*rejected.uid}});
  add(line, "helo", rejected.helo);
  line.fields.push_back({"command", rejected.command});
  if (rejected.from) line.fields.push_back({"from", Address{*rejected.from}});
  if (rejected.size != 0) line.fields.push_back({"size", rejected.size});
  line.fields.push_back({"reply", rejected.reply});
  write(std::move(line));
}

void MailLog::steered(const Steered& steered) {
  write({LogLevel::info,
         steered.event,
         "",
         {{"id", steered.id},
          {"from", Address{steered.from}},
          {"to", addresses(steered.to)},
          {"by", steered.by}}});
}

void MailLog::started(std::string_view version, const std::vector<std::string>& listening,
                      std::uint64_t queued, std::string_view spool) {
  write({LogLevel::info,
         "started",
         "",
         {{"version", std::string(version)},
          {"listen", join(listening, ",")},
          {"queued", queued},
          {"spool", std::string(spool)}}});
}

void MailLog::stopping(std::string_view why) { write({LogLevel::info, "stopping", std::string(why), {}}); }
void MailLog::stopped(std::uint64_t queued) { write({LogLevel::info, "stopped", "", {{"queued", queued}}}); }
void MailLog::reloaded() { write({LogLevel::info, "reloaded", "", {}}); }

void MailLog::reload_failed(const std::vector<std::string>& problems) {
  for (const std::string& problem : problems) error(problem);
  write({LogLevel::error, "reload failed", "the configuration is wrong; nothing has changed", {}});
}

void MailLog::error(std::string_view text, const std::vector<Field>& fields) {
  write({LogLevel::error, "", std::string(text), fields});
}
void MailLog::warning(std::string_view text, const std::vector<Field>& fields) {
  write({LogLevel::warning, "", std::string(text), fields});
}
void MailLog::info(std::string_view text, const std::vector<Field>& fields) {
  write({LogLevel::info, "", std::string(text), fields});
}
void MailLog::debug(std::string_view text, const std::vector<Field>& fields) {
  write({LogLevel::debug, "", std::string(text), fields});
}

}  // namespace hikyaku::log
