// SPDX-License-Identifier: MIT
// The content of one message on its way in. It is kept in memory while the budget allows, and moves to a file
// of its own (large_body.h) when it grows over the log's limit, when the budget is used up, or when others
// wait for memory and it has not grown for a second: then the budget asks, between two pieces, and the file
// is written while the client is still sending. Never holds more than its reservation. Loop thread. Unless
// keep_file() was called, the destructor removes the file.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "spool/core.h"
#include "spool/large_body.h"

namespace hikyaku::spool {

class IncomingBody final : public Lender, public std::enable_shared_from_this<IncomingBody> {
 public:
  IncomingBody(Core& core, mail::MailId id);
  ~IncomingBody() override;

  // Suspends until the bytes are here, in memory or with the kernel.
  Task<Result<void, mail::SinkError>> write(std::string_view bytes);
  // No write() after this. Suspends until no write to the file is under way, and the budget will not ask for
  // the memory any more.
  Task<Result<void, mail::SinkError>> end();

  // After end(). Without a file: the content, and the memory counted for it.
  bool has_file() const { return large_.has_value(); }
  std::string take_content() { return std::move(content_); }
  Reservation take_memory() { return std::move(memory_); }
  // With a file: writes the rest, and returns when content and name are on stable storage.
  Task<Result<void, DiskError>> finish_file();
  const LargeBodyWriter& file() const { return *large_; }
  void keep_file() { keeps_file_ = true; }

 private:
  Task<Result<void, mail::SinkError>> begin();
  bool gather(std::string_view bytes);
  bool may_gather(std::size_t size);
  Task<Result<void, DiskError>> write_out(std::string_view bytes);
  void give_back() override;
  static Task<void> spill(std::shared_ptr<IncomingBody> self);
  Task<void> undisturbed();

  Core& core_;
  mail::MailId id_;
  std::string content_;  // all of it, or, where there is a file, what has not been written yet; its capacity
                         // is never more than memory_
  std::optional<LargeBodyWriter> large_;
  std::optional<DiskError> failed_;  // when it was written because others waited
  bool is_writing_ = false;          // out of content_
  bool has_ended_ = false;
  bool keeps_file_ = false;
  io::Event written_;
};

}  // namespace hikyaku::spool
