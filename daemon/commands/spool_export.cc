// SPDX-License-Identifier: MIT
#include "daemon/commands/spool_export.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "daemon/base/text.h"
#include "daemon/listing/queue_json.h"
#include "daemon/listing/queue_listing.h"
#include "daemon/system/new_file.h"

namespace hikyaku::commands {
namespace {

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

class Exporting {
 public:
  Exporting(spool::View& view, const std::string& path, int directory)
      : view_(view), path_(path), directory_(directory) {}

  Result<ExportReport, StartError> run() {
    for (mail::MailId id : view_.ids()) {
      auto mail = view_.load(id);
      auto done = mail ? put(*mail) : Result<bool, system::NewFileError>(leave_out(mail.error()));
      if (!done) return std::unexpected(explain(done.error()));
      report_.exported += *done ? 1 : 0;
    }
    if (::syncfs(directory_) != 0) return failed(path_);
    return std::move(report_);
  }

 private:
  // False: its content cannot be had, and nothing of it was left.
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

  // The envelope first: a message without one would be of no use.
  Result<bool, system::NewFileError> put_both(system::NewFile& content, const std::string& name,
                                              std::string_view envelope) {
    auto file = system::NewFile::create(directory_, name);
    if (!file) return std::unexpected(file.error());
    auto done = file->write(envelope);
    if (done) done = file->finish();
    if (!done) return std::unexpected(done.error());
    done = content.finish();
    if (done) return true;
    ::unlinkat(directory_, name.c_str(), 0);  // ours, made just now
    return std::unexpected(done.error());
  }

  // What has ended meanwhile is not missed.
  bool leave_out(const mail::SourceError& error) {
    if (error.kind != SourceErrorKind::unknown_mail) report_.left_out.push_back(error.text);
    return false;
  }

  StartError explain(const system::NewFileError& error) const {
    std::string so_far = cat("; exported before it: ", std::to_string(report_.exported));
    if (error.kind == std::errc::file_exists)
      return {Exit::cannot_create, cat(path_, "/", error.text, ", and nothing is overwritten", so_far)};
    return {Exit::cannot_create, cat(path_, "/", error.text, so_far)};
  }

  spool::View& view_;
  const std::string& path_;
  int directory_;
  ExportReport report_;
};

}  // namespace

Result<ExportReport, StartError> export_mails(spool::View& view, const std::string& directory) {
  auto opened = make_directory(directory);
  if (!opened) return std::unexpected(opened.error());
  return Exporting(view, directory, opened->get()).run();
}

}  // namespace hikyaku::commands
