// SPDX-License-Identifier: MIT
// A MailSink for tests and the demo: stores each mail as two files in a directory, ID.eml with the content as
// received and ID.json with the envelope. A file appears complete or not at all, the envelope first. Nothing
// is flushed to disk, so do not use it for mail that matters. Blocks while writing.
#pragma once

#include <memory>
#include <string>

#include "daemon/base/clock.h"
#include "daemon/mail/mail_sink.h"

namespace hikyaku::tryout {

class MailFolder final : public mail::MailSink {
 public:
  // The directory must exist. Ids start from the time, so they do not repeat those of an earlier run.
  MailFolder(std::string directory, const Clock& clock);

  Result<void, mail::SinkError> may_accept(std::uint64_t) override { return {}; }
  Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> begin() override;

  std::string content_file(mail::MailId id) const;
  std::string envelope_file(mail::MailId id) const;

 private:
  class Writer;

  std::string directory_;
  std::uint64_t last_id_;
};

// {"id":…,"sender":…,"recipients":[{"address":…},…],…}, one line.
std::string envelope_json(mail::MailId id, const mail::Envelope& envelope, std::uint64_t size);

}  // namespace hikyaku::tryout
