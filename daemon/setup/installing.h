// SPDX-License-Identifier: MIT
// Writes what setup has made: credentials first, then the configuration that needs them; of what was there a copy
// is kept that nobody else can read. Whatever interrupts it, each file is the old one or the new one, and no
// password can be read by others at any time. Blocks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/setup/authinfo_store.h"
#include "daemon/setup/plan.h"

namespace hikyaku::setup {

// What there is now, read once. Errors: configuration (it cannot be read), no_permission (we may not write it).
Result<Existing, StartError> find_existing(const std::string& config_file);

// Returns lines for people: what was written, and where the copies are. The configuration is not touched if it has
// changed since `existing` was read. Errors: cannot_create, configuration, try_again.
Result<std::vector<std::string>, StartError> install(const Existing& existing, const std::string& text,
                                                     const AuthinfoStore& store, const Answers& answers);
// The same with any number of entries of authinfo. The copies are called FILE.before-OCCASION.
Result<std::vector<std::string>, StartError> install(const Existing& existing, const std::string& text,
                                                     const AuthinfoStore& store,
                                                     const config::Authinfo& entries,
                                                     std::string_view occasion);

}  // namespace hikyaku::setup
