// SPDX-License-Identifier: MIT
#include "daemon/config/aliases_file.h"

#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/read_file.h"
#include "daemon/mail/alias_file.h"

namespace hikyaku::config {
namespace {

LoadedAliases refuse_aliases(const std::string& path, std::string text) {
  return {{}, {{path, 0, 0, "", std::move(text)}}};
}

}  // namespace

LoadedAliases load_aliases(const AliasesSettings& settings) {
  auto file = read_file(settings.path);
  if (!file && file.error().kind == FileErrorKind::missing && !settings.is_explicit) return {};
  if (!file) return refuse_aliases(settings.path, cat("the aliases file ", file.error().text));
  if ((file->status.st_mode & S_IWOTH) != 0)
    return refuse_aliases(
        settings.path,
        cat("anybody may write this file, and so have root's mail sent to them; run: chmod o-w ",
            settings.path));
  auto parsed = mail::parse_aliases(file->text);
  LoadedAliases loaded{std::move(parsed.aliases), {}};
  for (mail::AliasProblem& problem : parsed.problems)
    loaded.problems.push_back({settings.path, problem.line, 0, "", std::move(problem.text)});
  return loaded;
}

}  // namespace hikyaku::config
