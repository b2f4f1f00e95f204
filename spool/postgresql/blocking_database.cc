// SPDX-License-Identifier: MIT
#include "spool/postgresql/blocking_database.h"

#include "daemon/base/text.h"

namespace hikyaku::postgresql {

BlockingDatabase::BlockingDatabase(const Libpq& pq, Address address)
    : address_(std::move(address)),
      loop_(clock_),
      resolver_(loop_),
      link_(loop_, pq, address_, resolver_, {}) {}

Result<std::unique_ptr<BlockingDatabase>, StartError> BlockingDatabase::make(const std::string& url) {
  auto pq = libpq();
  if (!pq) return fail(Exit::os, pq.error());
  auto address = Address::parse(url);
  if (!address) return fail(Exit::usage, cat("the URL ", address.error()));
  return std::unique_ptr<BlockingDatabase>(new BlockingDatabase(**pq, std::move(*address)));
}

Result<std::unique_ptr<BlockingDatabase>, StartError> BlockingDatabase::open(const std::string& url) {
  auto made = make(url);
  if (!made) return made;
  auto checked = (*made)->run(check_schema((*made)->database()));
  if (!checked) return std::unexpected(explain(checked.error(), (*made)->shown()));
  (*made)->checksum_key_ = checked->checksum_key;
  return made;
}

bool is_database_url(std::string_view place) {
  return place.starts_with("postgresql://") || place.starts_with("postgres://");
}

StartError explain(const SchemaError& error, const std::string& shown) {
  auto exit = [&] {
    switch (error.kind) {
      case SchemaErrorKind::unreachable: return Exit::try_again;
      case SchemaErrorKind::no_schema: return Exit::no_input;
      case SchemaErrorKind::later:
      case SchemaErrorKind::not_durable: return Exit::configuration;
      case SchemaErrorKind::refused: break;
    }
    return Exit::cannot_create;
  };
  return {exit(), cat(shown, ": ", error.text)};
}

}  // namespace hikyaku::postgresql
