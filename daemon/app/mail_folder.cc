// SPDX-License-Identifier: MIT
#include "daemon/app/mail_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "daemon/app/json.h"
#include "daemon/base/fd.h"
#include "daemon/base/text.h"

namespace hikyaku::app {
namespace {

constexpr std::string_view kUnfinished = ".part";

using Done = Result<void, mail::SinkError>;

std::unexpected<mail::SinkError> failed(const std::string& path) {
  auto kind = errno == ENOSPC ? mail::SinkErrorKind::no_space : mail::SinkErrorKind::write_failed;
  return fail(kind, cat(path, ": ", os_error_text(errno)));
}

// Under another name until it is complete; without finish() nothing is left of it.
class NewFile {
 public:
  explicit NewFile(std::string path)
      : path_(std::move(path)),
        unfinished_(cat(path_, kUnfinished)),
        fd_(::open(unfinished_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {}
  NewFile(const NewFile&) = delete;
  ~NewFile() {
    if (fd_) ::unlink(unfinished_.c_str());
  }

  bool is_open() const { return static_cast<bool>(fd_); }
  Done write(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
      if (written < 0) return failed(unfinished_);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }
  Done finish() {
    if (::rename(unfinished_.c_str(), path_.c_str()) != 0) return failed(path_);
    fd_.reset();
    return {};
  }

 private:
  std::string path_;
  std::string unfinished_;
  Fd fd_;
};

Done write_whole(const std::string& path, std::string_view text) {
  NewFile file(path);
  if (!file.is_open()) return failed(path);
  auto written = file.write(text);
  return written ? file.finish() : written;
}

std::string notify_json(const mail::Notify& notify) {
  std::vector<std::string> words;
  if (notify.never) words.emplace_back("\"NEVER\"");
  if (notify.success) words.emplace_back("\"SUCCESS\"");
  if (notify.failure) words.emplace_back("\"FAILURE\"");
  if (notify.delay) words.emplace_back("\"DELAY\"");
  return cat("[", join(words, ","), "]");
}

std::string recipient_json(const mail::Recipient& recipient) {
  return cat("{\"address\":", json_string(recipient.address), ",\"notify\":", notify_json(recipient.notify),
             ",\"orcpt\":", json_string(recipient.orcpt), "}");
}

}  // namespace

class MailFolder::Writer final : public mail::MailWriter {
 public:
  Writer(MailFolder& folder, mail::MailId id) : folder_(folder), id_(id), content_(folder.content_file(id)) {}

  bool is_open() const { return content_.is_open(); }
  mail::MailId id() const override { return id_; }

  Task<Done> write(std::string_view bytes) override {
    size_ += bytes.size();
    co_return content_.write(bytes);
  }

  Task<Done> commit(mail::Envelope envelope) override {
    auto written = write_whole(folder_.envelope_file(id_), envelope_json(id_, envelope, size_));
    co_return written ? content_.finish() : written;
  }

 private:
  MailFolder& folder_;
  mail::MailId id_;
  NewFile content_;
  std::uint64_t size_ = 0;
};

MailFolder::MailFolder(std::string directory, const Clock& clock)
    : directory_(std::move(directory)),
      last_id_(static_cast<std::uint64_t>(clock.wall().time_since_epoch().count())) {}

Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> MailFolder::begin() {
  auto writer = std::make_unique<Writer>(*this, mail::MailId{++last_id_});
  if (!writer->is_open()) return failed(content_file(writer->id()));
  return writer;
}

std::string MailFolder::content_file(mail::MailId id) const {
  return cat(directory_, "/", mail::to_text(id), ".eml");
}

std::string MailFolder::envelope_file(mail::MailId id) const {
  return cat(directory_, "/", mail::to_text(id), ".json");
}

std::string envelope_json(mail::MailId id, const mail::Envelope& envelope, std::uint64_t size) {
  std::vector<std::string> recipients;
  for (const mail::Recipient& recipient : envelope.recipients)
    recipients.push_back(recipient_json(recipient));
  return cat("{\"id\":\"", mail::to_text(id), "\",\"sender\":", json_string(envelope.sender),
             ",\"recipients\":[", join(recipients, ","), "],\"size\":", std::to_string(size),
             ",\"envid\":", json_string(envelope.envid),
             ",\"smtputf8\":", envelope.smtputf8 ? "true" : "false", "}\n");
}

}  // namespace hikyaku::app
