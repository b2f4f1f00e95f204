// SPDX-License-Identifier: MIT
#include "spool/postgresql/connection.h"

#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::postgresql {
namespace {

constexpr int kBinary = 1;

// libpq's message in one line: the first, which says what is wrong. It never holds a password.
std::string first_line(std::string_view message) {
  std::string_view line = message.substr(0, message.find('\n'));
  return line.empty() ? "the connection was closed" : printable(line);
}

void drop_notice(void*, const char*) {}  // libpq would print it

DatabaseError timed_out(DatabaseErrorKind kind) { return {kind, "the database does not answer"}; }

}  // namespace

// What has been sent up to a Sync, and what of the answer has come.
class Connection::Exchange {
 public:
  Exchange(const Libpq& pq, std::set<const Query*>& prepared, std::size_t statements)
      : pq_(pq), prepared_(prepared), results_(statements) {}

  void expect_prepared(const Query* query) { steps_.push_back({query, 0}); }
  void expect_rows(std::size_t statement) { steps_.push_back({nullptr, statement}); }
  bool has_ended() const { return has_ended_; }

  // False: there is nothing more to come, although the end has not.
  bool take(Received result) {
    if (!result) return ++at_ <= steps_.size() + 1;
    switch (pq_.result_status(result.get())) {
      case PGRES_PIPELINE_SYNC: has_ended_ = true; break;
      case PGRES_COMMAND_OK:
      case PGRES_TUPLES_OK: keep(result.get()); break;
      case PGRES_PIPELINE_ABORTED: break;
      default: note_error(result.get());
    }
    return true;
  }

  Result<Results, DatabaseError> outcome() {
    if (error_) return std::unexpected(*error_);
    return std::move(results_);
  }

 private:
  struct Step {
    const Query* prepares;  // null: it runs
    std::size_t statement;
  };

  void keep(const PGresult* result) {
    if (at_ >= steps_.size()) return;
    const Step& step = steps_[at_];
    if (step.prepares != nullptr) {
      prepared_.insert(step.prepares);
      return;
    }
    for (int row = 0; row < pq_.rows(result); ++row) results_[step.statement].add(values(result, row));
  }

  std::vector<Value> values(const PGresult* result, int row) const {
    std::vector<Value> values;
    for (int column = 0; column < pq_.columns(result); ++column) {
      Value value;
      if (pq_.is_null(result, row, column) == 0)
        value.emplace(pq_.value(result, row, column),
                      static_cast<std::size_t>(pq_.length(result, row, column)));
      values.push_back(std::move(value));
    }
    return values;
  }

  void note_error(const PGresult* result) {
    if (error_) return;
    auto field = [&](int which) {
      const char* text = pq_.error_field(result, which);
      return text == nullptr ? std::string() : printable(text);
    };
    error_ = DatabaseError{DatabaseErrorKind::refused,
                           cat(field(PG_DIAG_MESSAGE_PRIMARY), " (SQLSTATE ", field(PG_DIAG_SQLSTATE), ")")};
  }

  const Libpq& pq_;
  std::set<const Query*>& prepared_;
  std::vector<Step> steps_;
  std::size_t at_ = 0;
  Results results_;
  std::optional<DatabaseError> error_;
  bool has_ended_ = false;
};

Connection::Connection(io::Loop& loop, const Libpq& pq, Connected connected)
    : pq_(pq), loop_(loop), connected_(std::move(connected)), changed_(loop) {}

Task<Result<std::unique_ptr<Connection>, DatabaseError>> Connection::open(io::Loop& loop, const Libpq& pq,
                                                                          Keywords keywords,
                                                                          io::Until until) {
  std::vector<const char*> names, values;
  for (const auto& [name, value] : keywords) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  std::unique_ptr<Connection> connection(
      new Connection(loop, pq, Connected(pq.connect_start(names.data(), values.data(), 0), pq.finish)));
  check(connection->connected_ != nullptr, "out of memory");
  auto established = co_await connection->establish(until);
  if (!established) co_return std::unexpected(established.error());
  co_return connection;
}

// libpq tries the hosts in turn, each with a socket of its own: the watch lasts for one step.
Task<Result<void, DatabaseError>> Connection::establish(io::Until until) {
  pq_.set_notice_processor(connected_.get(), drop_notice, nullptr);
  PostgresPollingStatusType step = PGRES_POLLING_WRITING;
  while (step != PGRES_POLLING_OK) {
    if (step == PGRES_POLLING_FAILED || pq_.status(connected_.get()) == CONNECTION_BAD)
      co_return std::unexpected(failure(DatabaseErrorKind::unreachable));
    watch_socket();
    auto can_go_on = co_await ready(step == PGRES_POLLING_READING, step == PGRES_POLLING_WRITING, until);
    if (!can_go_on) co_return std::unexpected(timed_out(DatabaseErrorKind::unreachable));
    watch_.reset();
    step = pq_.connect_poll(connected_.get());
  }
  const bool is_set =
      pq_.set_nonblocking(connected_.get(), 1) == 0 && pq_.enter_pipeline(connected_.get()) == 1;
  if (!is_set) co_return std::unexpected(failure(DatabaseErrorKind::unreachable));
  watch_socket();
  co_return {};
}

Task<Result<Results, DatabaseError>> Connection::run(const Statements& statements, io::Until until) {
  is_idle_ = false;
  Exchange exchange(pq_, prepared_, statements.size());
  if (!send(statements, exchange)) co_return std::unexpected(failure(DatabaseErrorKind::lost));
  auto received = co_await receive(exchange, until);
  if (!received) co_return std::unexpected(received.error());
  if (on_ring_) hear_rings();
  co_return exchange.outcome();
}

// What comes unasked is a ring, or the end of the connection. libpq has closed its socket then, and the next one that
// anybody opens may have the same number.
void Connection::read_while_idle() {
  is_broken_ = pq_.consume_input(connected_.get()) == 0;
  if (is_broken_)
    watch_.reset();
  else
    hear_rings();
}

void Connection::hear_rings() {
  const int own = pq_.backend(connected_.get());
  bool has_rung = false;
  while (PGnotify* notice = pq_.notifies(connected_.get())) {
    has_rung = has_rung || notice->be_pid != own;
    pq_.free_memory(notice);
  }
  is_idle_ = true;
  watch_->watch(true, false);
  if (has_rung) on_ring_();
}

// Into libpq's buffer; receive() sends it.
bool Connection::send(const Statements& statements, Exchange& exchange) {
  std::set<const Query*> prepares;
  for (std::size_t i = 0; i < statements.size(); ++i) {
    const auto& [query, parameters] = statements[i];
    if (!prepared_.contains(query) && prepares.insert(query).second) {
      if (pq_.send_prepare(connected_.get(), query->name, query->text, 0, nullptr) == 0) return false;
      exchange.expect_prepared(query);
    }
    std::vector<const char*> values;
    std::vector<int> lengths;
    for (const Value& value : parameters) {
      values.push_back(value ? value->data() : nullptr);
      lengths.push_back(value ? static_cast<int>(value->size()) : 0);
    }
    const std::vector<int> formats(parameters.size(), kBinary);
    if (pq_.send_prepared(connected_.get(), query->name, static_cast<int>(parameters.size()), values.data(),
                          lengths.data(), formats.data(), kBinary) == 0)
      return false;
    exchange.expect_rows(i);
  }
  return pq_.sync(connected_.get()) == 1;
}

Task<Result<void, DatabaseError>> Connection::receive(Exchange& exchange, io::Until until) {
  for (;;) {
    const int unsent = pq_.flush(connected_.get());
    if (unsent < 0) co_return std::unexpected(failure(DatabaseErrorKind::lost));
    auto can_go_on = co_await ready(true, unsent == 1, until);
    if (!can_go_on) co_return std::unexpected(timed_out(DatabaseErrorKind::lost));
    if (pq_.consume_input(connected_.get()) == 0) co_return std::unexpected(failure(DatabaseErrorKind::lost));
    while (pq_.is_busy(connected_.get()) == 0) {
      const bool goes_on = exchange.take(Received(pq_.get_result(connected_.get()), pq_.clear));
      if (exchange.has_ended()) co_return {};
      if (!goes_on || pq_.status(connected_.get()) == CONNECTION_BAD)
        co_return std::unexpected(failure(DatabaseErrorKind::lost));
    }
  }
}

Task<bool> Connection::ready(bool reading, bool writing, io::Until until) {
  io::Loop::OutsideWork server(loop_);
  is_ready_ = false;
  watch_->watch(reading, writing);
  while (!is_ready_) {
    auto woken = co_await changed_.wait(until);
    if (woken != io::Woken::ready) co_return false;
  }
  co_return true;
}

void Connection::watch_socket() {
  watch_ = std::make_unique<io::SocketWatch>(loop_, pq_.socket(connected_.get()), [this](bool, bool) {
    is_ready_ = true;
    watch_->watch(false, false);
    if (is_idle_) read_while_idle();
    changed_.notify();
  });
}

DatabaseError Connection::failure(DatabaseErrorKind kind) const {
  return {kind, first_line(pq_.error_message(connected_.get()))};
}

}  // namespace hikyaku::postgresql
