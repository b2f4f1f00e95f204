// SPDX-License-Identifier: MIT
// `hikyaku spool`: checks a spool, exports its mail, and makes a database ready for a shared one. Changes nothing in a
// spool that is there.
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
#include "daemon/io/resolver.h"
#include "daemon/listing/queue_listing.h"
#include "daemon/listing/queue_reader.h"
#include "daemon/system/files.h"
#include "spool/postgresql/link.h"
#include "spool/postgresql/schema.h"

namespace hikyaku::commands {
namespace {

constexpr std::string_view kSpoolCommand = "hikyaku spool";

struct SpoolCommandOptions {
  SpoolOptions spool;
  bool json = false;
  std::string target;
};

Exit check_it(const SpoolCommandOptions& options) {
  auto access = open_spool(kSpoolCommand, options.spool);
  if (!access) return report(kSpoolCommand, access.error());
  auto found = check_spool(*access->disk);
  if (!found) return report(kSpoolCommand, listing::explain(found.error(), access->directory));
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
  Exporting(spool::View& view, const std::string& path, int directory)
      : view_(view), path_(path), directory_(directory) {}

  Result<ExportReport, StartError> run() {
    const auto ids = view_.ids();
    Progress progress(cat("exporting to ", path_));
    progress.expect(ids.size());
    for (mail::MailId id : ids) {
      progress.count_one();
      auto mail = view_.load(id);
      auto done = mail ? put(*mail) : Result<bool, system::NewFileError>(leave_out(mail.error()));
      if (!done) return std::unexpected(explain(done.error()));
      report_.exported += *done ? 1 : 0;
    }
    if (::syncfs(directory_) != 0) return failed(path_);
    return std::move(report_);
  }

 private:
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

  spool::View& view_;
  const std::string& path_;
  int directory_;
  ExportReport report_;
};

// Writes ID.eml and ID.json, mode 0600, into `directory`, which is created with mode 0700 if it is missing.
// An existing file is never overwritten and ends the export; the mails exported before it are complete and on
// stable storage.
Result<ExportReport, StartError> export_mails(spool::View& view, const std::string& directory) {
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
  auto access = open_spool(kSpoolCommand, options.spool);
  if (!access) return report(kSpoolCommand, access.error());
  auto view = spool::View::open(*access->disk);
  if (!view) return report(kSpoolCommand, listing::explain(view.error(), access->directory));
  auto exported = export_mails(*view, options.target);
  return exported ? print(*exported, options.target) : report(kSpoolCommand, exported.error());
}

Result<bool, StartError> init_shared(const std::string& url) {
  auto address = postgresql::Address::parse(url);
  if (!address) return fail(Exit::usage, cat("the URL ", address.error()));
  auto pq = postgresql::libpq();
  if (!pq) return fail(Exit::os, pq.error());
  SystemClock clock;
  io::Loop loop(clock);
  io::SystemResolver resolver(loop);
  postgresql::Link link(loop, **pq, *address, resolver, {});
  auto made = loop.run(postgresql::init_schema(link));
  if (made) return *made;
  const bool is_away = made.error().kind == postgresql::SchemaErrorKind::unreachable;
  return fail(is_away ? Exit::try_again : Exit::cannot_create,
              cat(address->shown(), ": ", made.error().text));
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

}  // namespace

void add_spool_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<SpoolCommandOptions>();
  CLI::App* spool =
      app.add_subcommand("spool", "check or export the whole spool, whether the daemon runs or not");
  spool->require_subcommand(1);
  add_spool_options(*spool, options->spool);
  CLI::App* check =
      spool->add_subcommand("check", "report what the spool holds and whether all of it is intact");
  check->add_flag("--json", options->json, "print one JSON object");
  CLI::App* leave = spool->add_subcommand("export", "write every queued message as ID.eml and ID.json");
  leave->add_option("DIR", options->target, "created if missing; existing files are never overwritten")
      ->required();
  for (CLI::App* command : {check, leave}) command->fallthrough();
  CLI::App* init = spool->add_subcommand(
      "init", "make a PostgreSQL database ready for a spool that several daemons share (spool.url)");
  init->add_option("URL", options->target, "such as postgresql://hikyaku@db.example.net/mail")->required();
  init->callback([options, &chosen] { chosen = [options] { return init_it(*options); }; });
  check->callback([options, &chosen] { chosen = [options] { return check_it(*options); }; });
  leave->callback([options, &chosen] { chosen = [options] { return export_it(*options); }; });
}

}  // namespace hikyaku::commands
