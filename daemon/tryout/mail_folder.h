// SPDX-License-Identifier: MIT
// A MailSink for trying things out: each mail becomes two files of a directory, ID.eml as it came and
// ID.json, its envelope. A file is there whole or not at all; the envelope first. Nothing is flushed to
// the disk, so this is no place for mail that matters. Blocks for the time of a write.
#pragma once

#include <memory>
#include <string>

#include "daemon/base/clock.h"
#include "daemon/mail/mail_sink.h"

namespace hikyaku::tryout {

class MailFolder final : public mail::MailSink {
 public:
  // The directory exists. Ids begin with the time, so that those of an earlier run are not met again.
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
