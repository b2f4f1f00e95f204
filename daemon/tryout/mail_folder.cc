// SPDX-License-Identifier: MIT
#include "daemon/tryout/mail_folder.h"

#include <fcntl.h>

#include <utility>

#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/mail/envelope.h"
#include "daemon/system/files.h"

namespace hikyaku::tryout {
namespace {

using Done = Result<void, mail::SinkError>;

std::unexpected<mail::SinkError> failed(const system::NewFileError& error) {
  bool is_full = error.kind == std::errc::no_space_on_device;
  return fail(is_full ? mail::SinkErrorKind::no_space : mail::SinkErrorKind::write_failed, error.text);
}

Done as_done(const Result<void, system::NewFileError>& done) {
  if (!done) return failed(done.error());
  return {};
}

Done write_whole(const std::string& path, std::string_view text) {
  auto file = system::NewFile::create(AT_FDCWD, path);
  if (!file) return failed(file.error());
  auto written = as_done(file->write(text));
  return written ? as_done(file->finish()) : written;
}

}  // namespace

class MailFolder::Writer final : public mail::MailWriter {
 public:
  Writer(MailFolder& folder, mail::MailId id, system::NewFile content)
      : folder_(folder), id_(id), content_(std::move(content)) {}

  mail::MailId id() const override { return id_; }

  Task<Done> write(std::string_view bytes) override {
    size_ += bytes.size();
    co_return as_done(content_.write(bytes));
  }

  Task<Done> commit(mail::Envelope envelope) override {
    auto written = write_whole(folder_.envelope_file(id_), envelope_json(id_, envelope, size_));
    co_return written ? as_done(content_.finish()) : written;
  }

 private:
  MailFolder& folder_;
  mail::MailId id_;
  system::NewFile content_;
  std::uint64_t size_ = 0;
};

MailFolder::MailFolder(std::string directory, const Clock& clock)
    : directory_(std::move(directory)),
      last_id_(static_cast<std::uint64_t>(clock.wall().time_since_epoch().count())) {}

Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> MailFolder::begin() {
  mail::MailId id{++last_id_};
  auto content = system::NewFile::create(AT_FDCWD, content_file(id));
  if (!content) return failed(content.error());
  return std::make_unique<Writer>(*this, id, std::move(*content));
}

std::string MailFolder::content_file(mail::MailId id) const {
  return cat(directory_, "/", mail::to_text(id), ".eml");
}

std::string MailFolder::envelope_file(mail::MailId id) const {
  return cat(directory_, "/", mail::to_text(id), ".json");
}

std::string envelope_json(mail::MailId id, const mail::Envelope& envelope, std::uint64_t size) {
  JsonList recipients;
  for (const mail::Recipient& recipient : envelope.recipients) {
    JsonObject one = JsonObject().add("address", recipient.address);
    recipients.add(one.append(mail::dsn_json(recipient)));
  }
  JsonObject json;
  json.add("id", mail::to_text(id)).add("size", size).add("sender", envelope.sender);
  return json.add("recipients", recipients).append(mail::parameters_json(envelope)).text() + '\n';
}

}  // namespace hikyaku::tryout
