// SPDX-License-Identifier: MIT
// A connection to the shared spool's database for whoever may block: commands, and the threads of the control socket. It
// has an event loop of its own, which runs only while somebody asks, so that in between nothing is open but the
// connection itself, above all no transaction. One thread at a time.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "daemon/base/exit.h"
#include "spool/postgresql/link.h"
#include "spool/postgresql/schema.h"

namespace hikyaku::postgresql {

class BlockingDatabase {
 public:
  // Connects when it is first asked. Errors: the URL is wrong (usage; in words that do not repeat it), or the client
  // library is not there (os).
  static Result<std::unique_ptr<BlockingDatabase>, StartError> make(const std::string& url);
  // The same, and finds a shared spool in it. Errors also: try_again, no_input, configuration.
  static Result<std::unique_ptr<BlockingDatabase>, StartError> open(const std::string& url);
  BlockingDatabase(const BlockingDatabase&) = delete;

  // One transaction, as Database::run().
  Result<Results, DatabaseError> ask(Statements statements) { return run(link_.run(std::move(statements))); }
  template <class T>
  T run(Task<T> task) {
    return loop_.run(std::move(task));
  }

  io::Loop& loop() { return loop_; }
  Database& database() { return link_; }
  std::string shown() const { return address_.shown(); }
  // Of open(): with which content is checked.
  std::uint64_t checksum_key() const { return checksum_key_; }

 private:
  BlockingDatabase(const Libpq& pq, Address address);

  Address address_;
  SystemClock clock_;
  io::Loop loop_;
  io::SystemResolver resolver_;
  Link link_;
  std::uint64_t checksum_key_ = 0;
};

// Whether a command's argument means a database rather than a directory.
bool is_database_url(std::string_view place);

// Why there is no shared spool to be used in a database, or why it cannot be made; `shown` names the database.
StartError explain(const SchemaError& error, const std::string& shown);

}  // namespace hikyaku::postgresql
