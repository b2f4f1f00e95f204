// SPDX-License-Identifier: MIT
// The tables of a shared spool: made by `hikyaku spool init` and by nothing else, and checked at each start, together
// with what the server promises of a commit. DESIGN.md has the picture.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "spool/postgresql/database.h"

namespace hikyaku::postgresql {

// Of the tables, as the table `meta` has it. It grows when an older hikyaku could misread what a newer one has
// written.
inline constexpr std::int64_t kSchemaFormat = 1;

enum class SchemaErrorKind {
  unreachable,  // another time, perhaps
  no_schema,    // `hikyaku spool init` has not been run
  later,        // the tables are of a later hikyaku
  not_durable,  // the server may lose what it has committed
  refused,      // the server's own error: its words
};
using SchemaError = Error<SchemaErrorKind>;

// Makes what is missing; true: there was no spool. Never touches the tables of a later version, and nothing where
// there is a spool.
Task<Result<bool, SchemaError>> init_schema(Database& database);

struct CheckedSchema {
  // With which the content of mail is checked.
  std::uint64_t checksum_key = 0;
  // For the log: what the operator should know of the server, as far as this user of the database may see it.
  std::vector<std::string> notes{};
};
// Neither changes anything nor takes a lock.
Task<Result<CheckedSchema, SchemaError>> check_schema(Database& database);

}  // namespace hikyaku::postgresql
