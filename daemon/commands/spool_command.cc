// SPDX-License-Identifier: MIT
// `hikyaku spool`: what a spool holds and whether it is whole, and a way out of it. Changes nothing in it.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "daemon/base/text.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/output.h"
#include "daemon/commands/spool_access.h"
#include "daemon/commands/spool_check.h"
#include "daemon/commands/spool_export.h"
#include "daemon/listing/view_trouble.h"

namespace hikyaku::commands {
namespace {

constexpr std::string_view kCommand = "hikyaku spool";

struct Words {
  SpoolWords spool;
  bool json = false;
  std::string target;
};

Exit check_it(const Words& words) {
  auto access = open_spool(kCommand, words.spool);
  if (!access) return report(kCommand, access.error());
  auto found = check_spool(*access->disk);
  if (!found) return report(kCommand, listing::explain(found.error(), access->directory));
  Output output(STDOUT_FILENO);
  output.print(words.json ? to_json(*found) + '\n' : to_text(*found));
  return output.finish(found->damage.empty() ? Exit::ok : Exit::damaged, kCommand);
}

Exit print(const ExportReport& exported, const std::string& target) {
  Output output(STDOUT_FILENO);
  output.print(cat("exported to ", target, ": ", std::to_string(exported.exported), "\n"));
  for (const std::string& line : exported.left_out) (void)report(kCommand, {Exit::damaged, line});
  return output.finish(exported.left_out.empty() ? Exit::ok : Exit::damaged, kCommand);
}

Exit export_it(const Words& words) {
  auto access = open_spool(kCommand, words.spool);
  if (!access) return report(kCommand, access.error());
  auto view = spool::View::open(*access->disk);
  if (!view) return report(kCommand, listing::explain(view.error(), access->directory));
  auto exported = export_mails(*view, words.target);
  return exported ? print(*exported, words.target) : report(kCommand, exported.error());
}

}  // namespace

void add_spool_command(CLI::App& app, Action& chosen) {
  auto words = std::make_shared<Words>();
  CLI::App* spool = app.add_subcommand("spool", "the spool as a whole, with the daemon running or not");
  spool->require_subcommand(1);
  add_spool_options(*spool, words->spool);
  CLI::App* check = spool->add_subcommand("check", "what is in it, and whether all of it is intact");
  check->add_flag("--json", words->json, "one object");
  CLI::App* leave = spool->add_subcommand("export", "every queued message as ID.eml and ID.json");
  leave->add_option("DIR", words->target, "made where it is missing; nothing in it is overwritten")
      ->required();
  for (CLI::App* command : {check, leave}) command->fallthrough();
  check->callback([words, &chosen] { chosen = [words] { return check_it(*words); }; });
  leave->callback([words, &chosen] { chosen = [words] { return export_it(*words); }; });
}

}  // namespace hikyaku::commands
