// SPDX-License-Identifier: MIT
// The mail log: one line for each event, with named fields, on standard error (the journal, a container's
// log, a terminal). Foreign bytes are made printable and cut to a length here and nowhere else; they are
// never a format string; there is no field for a body or a secret. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/ip.h"
#include "daemon/base/log_level.h"
#include "daemon/log/line.h"

namespace hikyaku::log {

// A message is on stable storage and has been acknowledged.
struct Accepted {
  std::string id;
  std::string from;             // without brackets; empty: the null sender
  std::vector<std::string> to;  // the log has the first ten, and their number
  std::uint64_t size = 0;
  std::string client;  // "127.0.0.1:40512", "unix uid=1000"
  std::string helo;
  std::string proto;               // of the Received line: "ESMTP", "ESMTPS"
  std::vector<std::string> fixed;  // what was added or repaired: "date", "message-id"
};

enum class Status : std::uint8_t { delivered, deferred, failed };

struct TlsInfo {
  std::string version;  // "TLSv1.3"
  std::string cipher;
  std::string verdict;                         // "verified", "pinned", "unverified: self-signed"
  std::optional<WallTime> certificate_ends{};  // for observers; not in the line
};

// The result of an attempt for one recipient.
struct Outcome {
  std::string id;
  std::string from;
  std::string to;
  std::string smarthost;            // its configured name; empty: none was reached
  std::optional<Endpoint> address;  // the one connected to
  std::optional<TlsInfo> tls;
  std::string signature{};  // "example.com/hk202612", or why there is none; empty: there are no keys
  Duration delay{0};        // since arrival
  Status status = Status::delivered;
  std::string dsn;            // "2.0.0"
  std::string reply;          // the smarthost's exact reply, lines joined with LF; or our own words
  std::string diagnosis;      // what to do about it, as a Sentence; or empty
  bool ends_mail = false;     // no recipient is left: the mail leaves the queue
  std::string_view reason{};  // the failure's stable name, for observers; not in the line
};

// The state of a smarthost has changed; logged once for each change, not for each message.
struct SmarthostChange {
  std::string smarthost;
  std::string host;
  std::uint16_t port = 0;
  bool up = false;
  std::string diagnosis;      // plain words: what is wrong and what to change
  std::string reply;          // what the peer or the system said exactly
  Duration next_probe{0};     // when down
  std::uint64_t waiting = 0;  // messages
  Duration oldest{0};         // the age of the oldest
  // For observers; not in the line:
  Instant at{};
  std::optional<Instant> since{};  // when this pause began, however often it is logged
};

// A connection to a smarthost was opened, or could not be. Told at `debug`: what it means for mail has lines of its own.
struct Connection {
  std::string smarthost;
  std::optional<Endpoint> address;  // nullopt: it was not reached
  std::optional<TlsInfo> tls;
  std::string mechanism;       // logged in with; empty: not logged in
  std::string_view reason{};   // the failure's stable name; empty: opened
  bool login_refused = false;  // by a reply
};

// A bounce or delay notice has been queued as a message of its own.
struct Bounce {
  std::string id;     // the notice's
  std::string about;  // the id of the mail it is about
  std::string to;     // its recipient: the sender of that mail, or the postmaster
  std::string kind;   // "failed", "delayed", "relayed"; "postmaster": that one's copy
  std::size_t recipients = 0;
};

// A command or a message was refused by smtpd.
struct Rejected {
  std::string client;                // "127.0.0.1:40512", "unix uid=1000"
  std::optional<std::uint32_t> uid;  // over the Unix socket
  std::string helo;
  std::string command;
  std::optional<std::string> from;  // of MAIL, if there was one; empty: the null sender
  std::uint64_t size = 0;           // of the message, as declared or as it came; 0: not known
  std::string reply;
};

// Recipients of a message have been replaced by those in the aliases file.
struct Expanded {
  std::string id;
  std::vector<std::string> aliases;  // the addresses as the client gave them
  std::vector<std::string> to;       // all recipients after that
};

// An operator has decided about a queued mail.
struct Steered {
  std::string_view event;  // "held", "released", "removed"
  std::string id;
  std::string from;
  std::vector<std::string> to;  // who had not got it
  std::string by;               // the user's name
};

struct Options {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
  // Lines begin with "<6>", the journal's priority, and carry no time or host: the journal keeps its own.
  bool journal = false;
  // Where the journal takes entries with fields, kJournalSocket; lines go to standard error only where it does not.
  // Empty: they always do.
  std::string journal_socket{};
  LogAddresses addresses = LogAddresses::plain;
};

inline constexpr const char* kJournalSocket = "/run/systemd/journal/socket";

// Whether standard error is the journal's: the one that $JOURNAL_STREAM names.
bool is_journal();
// The prefix of an error on standard error that is not written by MailLog: its priority for the journal, or
// nothing.
std::string_view error_prefix();

// Hears of what becomes of mail whatever the log's level is, for those who count. May be called by any thread
// that logs, and must be quick.
class MailObserver {
 public:
  virtual ~MailObserver() = default;
  virtual void accepted(const Accepted& accepted) = 0;
  virtual void outcome(const Outcome& outcome) = 0;
  virtual void smarthost(const SmarthostChange& change) = 0;
  virtual void connection(const Connection& connection) = 0;
  virtual void bounce(const Bounce& bounce) = 0;
  virtual void rejected(const Rejected& rejected) = 0;
};

class MailLog {
 public:
  // Gets finished lines, without line end. Must be thread-safe.
  using Sink = std::function<void(LogLevel, std::string_view line)>;

  // To standard error.
  MailLog(const Clock& clock, Options options);
  // For tests.
  MailLog(const Clock& clock, Options options, Sink sink);
  ~MailLog();
  MailLog(const MailLog&) = delete;
  MailLog& operator=(const MailLog&) = delete;

  // From now on the calling thread's lines are gathered, and written together by the function that `defer`
  // gets: a loop calls it at the end of its turn. Errors, and lines of other threads, do not wait, and take
  // along what has been gathered. With nullptr each line is written by itself again.
  using Defer = std::function<void(std::function<void()>)>;
  void gather(Defer defer);

  // One, or nullptr; it outlives the log or is taken away before its end.
  void observe(MailObserver* observer);

  // At a reload. Whether lines are for the journal stays as it is.
  void configure(const Options& options);
  // A text about mail as it may be shown where the log's rules hold: with addresses masked if they are here.
  std::string shown(std::string text) const;

  void accepted(const Accepted& accepted);
  void outcome(const Outcome& outcome);
  void smarthost(const SmarthostChange& change);
  void connection(const Connection& connection);
  void bounce(const Bounce& bounce);
  void expanded(const Expanded& expanded);
  void rejected(const Rejected& rejected);
  void steered(const Steered& steered);
  void started(std::string_view version, const std::vector<std::string>& listening, std::uint64_t queued,
               std::string_view spool);
  void stopping(std::string_view why);
  void stopped(std::uint64_t queued);
  void reloaded();
  void reload_failed(const std::vector<std::string>& problems);

  // Anything else, in one Sentence.
  void error(std::string_view text, const std::vector<Field>& fields = {});
  void warning(std::string_view text, const std::vector<Field>& fields = {});
  void info(std::string_view text, const std::vector<Field>& fields = {});
  void debug(std::string_view text, const std::vector<Field>& fields = {});

  bool shows(LogLevel level) const;

 private:
  struct State;
  void write(Line line);
  void write_gathered();
  std::unique_ptr<State> state_;
};

}  // namespace hikyaku::log
