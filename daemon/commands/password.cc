// SPDX-License-Identifier: MIT
#include "daemon/commands/password.h"

#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/read_file.h"

namespace hikyaku::commands {
namespace {

Result<Secret, StartError> usable(std::string_view text, const std::string& where) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (text.empty()) return fail(Exit::usage, cat("there is no password in ", where));
  if (text.find('\n') != text.npos)
    return fail(Exit::usage, cat("there is more than one line in ", where, "; a password is one line"));
  if (text.find('\0') != text.npos)
    return fail(Exit::usage, cat("there is a NUL byte in ", where, "; no server takes such a password"));
  return Secret(std::string(text));
}

Result<Secret, StartError> from_file(const std::string& path) {
  auto file = config::read_file(path);
  if (!file) return fail(Exit::no_input, cat(path, " ", file.error().text));
  const Secret text(std::move(file->text));
  return usable(text.reveal(), path);
}

}  // namespace

Result<Secret, StartError> get_password(system::Terminal& terminal, const std::string& file,
                                        const std::string& question) {
  if (!file.empty() && file != "-") return from_file(file);
  auto typed = terminal.ask_secret(terminal.is_interactive() ? question : "");
  if (!typed) return fail(Exit::no_input, "no password was given");
  return usable(typed->reveal(), terminal.is_interactive() ? "what was typed" : "standard input");
}

}  // namespace hikyaku::commands
