// SPDX-License-Identifier: MIT
// The aliases file as it lies on the disk. What it means is mail/alias_file.h's affair.
#pragma once

#include "daemon/config/problem.h"
#include "daemon/config/settings.h"
#include "daemon/mail/aliases.h"

namespace hikyaku::config {

struct LoadedAliases {
  mail::Aliases aliases;  // what could be understood
  Problems problems;      // with file and line
};

// A missing file has no aliases; where the configuration names it, that is a problem. One that anybody may
// write is not read: whoever writes it gets root's mail. Blocks.
LoadedAliases load_aliases(const AliasesSettings& settings);

}  // namespace hikyaku::config
