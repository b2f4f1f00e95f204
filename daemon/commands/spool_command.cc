// SPDX-License-Identifier: MIT
// `hikyaku spool`: checks a spool, exports its mail, makes a database ready for a shared one, and moves a whole queue
// into it or back. Nothing but the move changes a spool that is there.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <memory>

#include "daemon/base/text.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/daemon_paths.h"
#include "daemon/commands/output.h"
#include "daemon/commands/progress.h"
#include "daemon/commands/spool_check.h"
#include "daemon/commands/spool_move.h"
#include "daemon/config/hostname.h"
#include "daemon/io/resolver.h"
#include "daemon/listing/queue_listing.h"
#include "daemon/listing/queue_reader.h"
#include "daemon/system/accounts.h"
#include "daemon/system/files.h"
#include "spool/postgresql/database_view.h"

namespace hikyaku::commands {
namespace {

constexpr std::string_view kSpoolCommand = "hikyaku spool";
constexpr std::size_t kPageOfExport = 256;

struct SpoolCommandOptions {
  SpoolOptions spool;
  bool json = false;
  std::string target;
  std::vector<std::string> places;  // of a move: from, to
};

Result<CheckReport, StartError> check(const SpoolPlace& place) {
  if (place.fleet) {
    auto view = postgresql::DatabaseView::open(*place.fleet);
    if (!view) return std::unexpected(view.error());
    auto found = check_shared(**view);
    if (!found) return std::unexpected(listing::explain(found.error(), place.shown()));
    return found.value();
  }
  auto disk = open_disk(place.directory);
  if (!disk) return std::unexpected(disk.error());
  auto found = check_spool(**disk);
  if (!found) return std::unexpected(listing::explain(found.error(), place.directory));
  return found.value();
}

Exit check_it(const SpoolCommandOptions& options) {
  auto place = find_spool(kSpoolCommand, options.spool);
  if (!place) return report(kSpoolCommand, place.error());
  auto found = check(*place);
  if (!found) return io::SystemResolver::leave(report(kSpoolCommand, found.error()));
  Output output(STDOUT_FILENO);
  options.json ? output.print(to_json(*found) + '\n') : output.print_lines(to_text(*found));
  return output.finish(found->damage.empty() ? Exit::ok : Exit::damaged, kSpoolCommand);
}

using mail::SourceErrorKind;

std::unexpected<StartError> failed(const std::string& path) {
  return fail(Exit::cannot_create, cat(path, ": ", os_error_text(errno)));
}

Result<Fd, StartError> make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failed(path);
  Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return failed(path);
  return directory;
}

struct ExportReport {
  std::uint64_t exported = 0;
  std::vector<std::string> left_out;  // a line for each mail that is damaged or cannot be read
};

class Exporting {
 public:
  Exporting(spool::QueueView& view, const std::string& path, int directory)
      : view_(view), path_(path), directory_(directory) {}

  Result<ExportReport, StartError> run() {
    Progress progress(cat("exporting to ", path_));
    if (view_.expected_mails()) progress.expect(*view_.expected_mails());
    for (mail::MailId after;;) {
      auto page = view_.page_after(after, kPageOfExport);
      if (!page) return std::unexpected(listing::explain(page.error(), path_));
      if (page->empty()) break;
      for (const spool::Glance& glance : *page) {
        progress.count_one();
        if (auto done = put(glance.id); !done) return std::unexpected(done.error());
      }
      after = page->back().id;
    }
    if (::syncfs(directory_) != 0) return failed(path_);
    return std::move(report_);
  }

 private:
  Result<void, StartError> put(mail::MailId id) {
    auto mail = view_.load(id);
    auto done = mail ? put(*mail) : Result<bool, system::NewFileError>(leave_out(mail.error()));
    if (!done) return std::unexpected(explain(done.error()));
    report_.exported += *done ? 1 : 0;
    return {};
  }

  // Returns false if the content cannot be read; the incomplete file is removed.
  Result<bool, system::NewFileError> put(const spool::ViewedMail& mail) {
    std::string name = to_text(mail.mail.id);
    auto content = system::NewFile::create(directory_, cat(name, ".eml"));
    if (!content) return std::unexpected(content.error());
    Result<void, system::NewFileError> written;
    auto read = view_.read_content(mail.mail.id, [&](std::string_view piece) {
      written = content->write(piece);
      return written.has_value();
    });
    if (!written) return std::unexpected(written.error());
    if (!read) return leave_out(read.error());
    return put_both(*content, cat(name, ".json"),
                    listing::full_json(mail, listing::state_of(mail, {}, true), std::nullopt).text() + '\n');
  }

  // The envelope first: a message without its envelope would be useless.
  Result<bool, system::NewFileError> put_both(system::NewFile& content, const std::string& name,
                                              std::string_view envelope) {
    auto file = system::NewFile::create(directory_, name);
    if (!file) return std::unexpected(file.error());
    auto done = file->write(envelope);
    if (done) done = file->finish();
    if (!done) return std::unexpected(done.error());
    done = content.finish();
    if (done) return true;
    ::unlinkat(directory_, name.c_str(), 0);  // created just above
    return std::unexpected(done.error());
  }

  // A mail that has ended meanwhile is not reported.
  bool leave_out(const mail::SourceError& error) {
    if (error.kind != SourceErrorKind::unknown_mail) report_.left_out.push_back(error.text);
    return false;
  }

  StartError explain(const system::NewFileError& error) const {
    std::string so_far = cat("; exported so far: ", std::to_string(report_.exported));
    if (error.kind == std::errc::file_exists)
      return {Exit::cannot_create,
              cat(path_, "/", error.text, "; existing files are never overwritten", so_far)};
    return {Exit::cannot_create, cat(path_, "/", error.text, so_far)};
  }

  spool::QueueView& view_;
  const std::string& path_;
  int directory_;
  ExportReport report_;
};

// Writes ID.eml and ID.json, mode 0600, into `directory`, which is created with mode 0700 if it is missing.
// An existing file is never overwritten and ends the export; the mails exported before it are complete and on
// stable storage.
Result<ExportReport, StartError> export_mails(spool::QueueView& view, const std::string& directory) {
  auto opened = make_directory(directory);
  if (!opened) return std::unexpected(opened.error());
  return Exporting(view, directory, opened->get()).run();
}

Exit print(const ExportReport& exported, const std::string& target) {
  Output output(STDOUT_FILENO);
  output.print(cat("exported ", std::to_string(exported.exported),
                   exported.exported == 1 ? " mail to " : " mails to ", target, "\n"));
  for (const std::string& line : exported.left_out) (void)report(kSpoolCommand, {Exit::damaged, line});
  return output.finish(exported.left_out.empty() ? Exit::ok : Exit::damaged, kSpoolCommand);
}

Exit export_it(const SpoolCommandOptions& options) {
  auto place = find_spool(kSpoolCommand, options.spool);
  if (!place) return report(kSpoolCommand, place.error());
  auto view = open_view(*place);
  if (!view) return io::SystemResolver::leave(report(kSpoolCommand, view.error()));
  auto exported = export_mails(**view, options.target);
  return exported ? print(*exported, options.target) : report(kSpoolCommand, exported.error());
}

Result<bool, StartError> init_shared(const std::string& url) {
  auto database = postgresql::BlockingDatabase::make(url);
  if (!database) return std::unexpected(database.error());
  auto made = (*database)->run(postgresql::init_schema((*database)->database()));
  if (made) return *made;
  return std::unexpected(postgresql::explain(made.error(), (*database)->shown()));
}

Exit init_it(const SpoolCommandOptions& options) {
  auto made = init_shared(options.target);
  if (!made) return io::SystemResolver::leave(report(kSpoolCommand, made.error()));
  Output output(STDOUT_FILENO);
  output.print(
      *made ? "the database is ready for a shared spool; now set spool.url in each daemon's configuration\n"
            : "the database has a shared spool already; nothing has changed\n");
  return output.finish(Exit::ok, kSpoolCommand);
}

struct MovePlaces {
  std::string directory;
  std::string url;
  bool is_into_database = false;
};

Result<MovePlaces, StartError> places_of(const std::vector<std::string>& places) {
  const bool from_database = postgresql::is_database_url(places[0]);
  const bool to_database = postgresql::is_database_url(places[1]);
  if (from_database == to_database)
    return fail(Exit::usage,
                "give a directory and the URL of a database, in the order in which the mail is to move");
  return to_database ? MovePlaces{places[0], places[1], true} : MovePlaces{places[1], places[0], false};
}

// What is written into the directory must be the daemon's, whoever moves.
Result<void, StartError> become_owner(const std::string& directory) {
  struct stat status{};
  if (::stat(directory.c_str(), &status) != 0)
    return fail(Exit::no_input, cat(directory, ": ", os_error_text(errno),
                                    errno == ENOENT ? "; make it first, for the daemon's user" : ""));
  const bool is_needed = ::geteuid() == 0 && status.st_uid != 0;
  if (!is_needed) return {};
  return system::become(
      {system::find_local_user(status.st_uid, system::WithGroups::no).name, status.st_uid, status.st_gid});
}

// As the configuration has it for this URL; another fleet's has the defaults.
postgresql::SharedPlace fleet_at(const std::string& url, const SpoolOptions& options) {
  auto paths = find_daemon(options.config);
  if (paths && paths->fleet && paths->fleet->url == url) return *paths->fleet;
  return {.url = url, .node = config::default_hostname()};
}

Exit tell(const MoveReport& moved, Output& output) {
  const std::uint64_t all = moved.moved + moved.moved_before;
  output.print(cat(
      "moved ", std::to_string(all), all == 1 ? " mail" : " mails",
      moved.moved_before > 0 ? cat(", ", std::to_string(moved.moved_before), " of them before") : "", "\n"));
  Exit exit = Exit::ok;
  for (const std::string& line : moved.left)
    exit = report(kSpoolCommand, {Exit::damaged, cat(line, "; it stays")});
  if (!moved.why_not_all.empty()) exit = report(kSpoolCommand, {Exit::try_again, moved.why_not_all});
  return exit;
}

Exit move_it(const SpoolCommandOptions& options) {
  auto places = places_of(options.places);
  if (!places) return report(kSpoolCommand, places.error());
  const postgresql::SharedPlace fleet = fleet_at(places->url, options.spool);
  auto ready = become_owner(places->directory);
  if (!ready) return report(kSpoolCommand, ready.error());
  Output output(STDOUT_FILENO);
  auto tell_id = [&](mail::MailId old, mail::MailId id) {
    output.print(cat(to_text(old), " is now ", to_text(id), "\n"));
  };
  auto moved = places->is_into_database ? move_into_database(places->directory, fleet, tell_id)
                                        : move_into_directory(fleet, places->directory, tell_id);
  if (!moved)
    return io::SystemResolver::leave(output.finish(report(kSpoolCommand, moved.error()), kSpoolCommand));
  return output.finish(tell(*moved, output), kSpoolCommand);
}

}  // namespace

void add_spool_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<SpoolCommandOptions>();
  CLI::App* spool =
      app.add_subcommand("spool", "check or export the whole spool, whether the daemon runs or not");
  spool->require_subcommand(1);
  add_spool_options(*spool, options->spool);
  CLI::App* check =
      spool->add_subcommand("check", "report what the spool holds and whether all of it is intact");
  check->add_option("SPOOL", options->spool.directory,
                    "a directory, or the URL of a shared one; default: as configured");
  check->add_flag("--json", options->json, "print one JSON object");
  CLI::App* leave = spool->add_subcommand("export", "write every queued message as ID.eml and ID.json");
  leave->add_option("DIR", options->target, "created if missing; existing files are never overwritten")
      ->required();
  for (CLI::App* command : {check, leave}) command->fallthrough();
  CLI::App* init = spool->add_subcommand(
      "init", "make a PostgreSQL database ready for a spool that several daemons share (spool.url)");
  init->add_option("URL", options->target, "such as postgresql://hikyaku@db.example.net/mail")->required();
  CLI::App* move = spool->add_subcommand(
      "move",
      "bring all mail of a directory into the database of a shared spool, or back; no daemon may run on it");
  move->add_option("PLACE", options->places, "from and to: a directory and a URL, or a URL and a directory")
      ->type_name("DIR URL | URL DIR")
      ->expected(2)
      ->required();
  move->footer("After an interruption run it again: each mail is then in one place.");
  move->fallthrough();
  move->callback([options, &chosen] { chosen = [options] { return move_it(*options); }; });
  init->callback([options, &chosen] { chosen = [options] { return init_it(*options); }; });
  check->callback([options, &chosen] { chosen = [options] { return check_it(*options); }; });
  leave->callback([options, &chosen] { chosen = [options] { return export_it(*options); }; });
}

}  // namespace hikyaku::commands
