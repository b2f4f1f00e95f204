// SPDX-License-Identifier: MIT
// The keys that change a mail as it leaves: `from`, and a smarthost's `rewrite`, `headers` and `received`
// (mail/rewriting.h). What they put into a mail is checked here, so that no value can end a line, a field or
// the header.
#pragma once

#include <string>

#include "daemon/config/schema.h"
#include "daemon/mail/rewriting.h"

namespace hikyaku::config {

// An address alone, in ASCII, with its domain. nullopt if it is none, which has been reported.
std::optional<std::string> own_address(const Value& value);

// `from` is short for two keys of `rewrite`; reports at `value` if one of them is there as well.
void apply_from(const Value& value, const std::string& address, mail::Rewriting& rules);

const Schema<mail::Rewriting>& rewrite_schema();
const Schema<mail::Rewriting>& headers_schema();
Read<mail::Rewriting> received_key();

}  // namespace hikyaku::config
