// SPDX-License-Identifier: MIT
// What the shared spool asks of a database: to run a few statements as one transaction. An interface, so that a
// simulated one in virtual time can stand in for PostgreSQL. Values travel in PostgreSQL's binary form. The loop's
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/base/error.h"
#include "daemon/base/task.h"

namespace hikyaku::postgresql {

using Value = std::optional<std::string>;  // nullopt: NULL

// A bigint: eight bytes, the highest first.
inline Value number(std::int64_t number) {
  std::string bytes(sizeof number, '\0');
  auto rest = static_cast<std::uint64_t>(number);
  for (std::size_t at = bytes.size(); at-- > 0; rest >>= 8) bytes[at] = static_cast<char>(rest & 0xff);
  return bytes;
}
inline Value text(std::string_view bytes) { return std::string(bytes); }

// A constant of statements.h: its address is its identity, and it is prepared once for each connection.
struct Query {
  const char* name;
  const char* text;
};

struct Statement {
  const Query* query = nullptr;
  std::vector<Value> values{};
};
using Statements = std::vector<Statement>;

// What one statement has returned: bigint, boolean, text and bytea only.
class Rows {
 public:
  void add(std::vector<Value> row) { rows_.push_back(std::move(row)); }
  std::size_t size() const { return rows_.size(); }
  bool empty() const { return rows_.empty(); }
  bool is_null(std::size_t row, std::size_t column) const { return !rows_[row][column].has_value(); }
  // 0, false and "" for NULL.
  std::int64_t number(std::size_t row, std::size_t column) const {
    std::uint64_t number = 0;
    for (char byte : bytes(row, column)) number = number << 8 | static_cast<unsigned char>(byte);
    return static_cast<std::int64_t>(number);
  }
  bool flag(std::size_t row, std::size_t column) const { return number(row, column) != 0; }
  std::string_view bytes(std::size_t row, std::size_t column) const {
    const Value& value = rows_[row][column];
    return value ? std::string_view(*value) : std::string_view();
  }
  const Value& value(std::size_t row, std::size_t column) const { return rows_[row][column]; }
  std::string take(std::size_t row, std::size_t column) {
    return std::move(rows_[row][column]).value_or(std::string());
  }

 private:
  std::vector<std::vector<Value>> rows_;
};
using Results = std::vector<Rows>;  // one for each statement

enum class DatabaseErrorKind {
  unreachable,  // there is no connection: nothing has been done
  lost,         // the connection broke: all of it has been done, or nothing
  refused,      // the server's own error: nothing has been done
};
using DatabaseError = Error<DatabaseErrorKind>;

class Database {
 public:
  virtual ~Database() = default;
  // One transaction, committed when it returns results. Suspends; of several callers one after the other.
  virtual Task<Result<Results, DatabaseError>> run(Statements statements) = 0;
};

// A database that tells when another session has rung (statements.h, kRing).
class Bell : public Database {
 public:
  // `on_ring` is called once it has run kListen, until its connection breaks. It may be called from a libuv callback.
  virtual void set_on_ring(std::function<void()> on_ring) = 0;
};

}  // namespace hikyaku::postgresql
