// SPDX-License-Identifier: MIT
// A reader of what is queued, beside the daemons or without any: what commands and the control socket list. Never
// changes anything. Whoever reads through this does not know whether the spool is a directory (view.h) or a database
// (postgresql/database_view.h). Blocking; one thread at a time.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/mail/common_reason.h"
#include "daemon/mail/mail_source.h"
#include "daemon/mail/queue_state.h"
#include "spool/index.h"
#include "spool/view_picture.h"

namespace hikyaku::spool {

struct ViewedMail {
  mail::QueuedMail mail;
  WallTime written;  // its newest state: when it was accepted, or the last PROGRESS; of a state that has
                     // moved with its message, the time of the move
  std::optional<mail::Holder> holder{};  // of a shared spool
};

// What is known of a mail before it is read. Only with facts does it say enough for a list; without them the record
// does.
struct Glance {
  mail::MailId id;
  std::uint64_t size = 0;
  Duration next_wait{0};
  bool held = false;
  Facts facts;
  bool has_facts() const { return facts.arrival != WallTime() && facts.written != WallTime(); }
};

// What a PROGRESS that still stands in the log says.
struct PastProgress {
  WallTime written;
  mail::Progress progress;
};

class QueueView {
 public:
  virtual ~QueueView() = default;

  // Each call tells how it is now; false: how it was when the view was opened, but for mail that has ended since.
  virtual bool is_live() const = 0;
  // For a progress bar; nullopt: that would have to be counted.
  virtual std::optional<std::size_t> expected_mails() const = 0;
  // At most `limit` mails from the first after `id` on, which need not exist, by id. The time does not depend on the
  // length of the queue. None: there are no more.
  virtual Result<std::vector<Glance>, ViewError> page_after(mail::MailId id, std::size_t limit) = 0;
  // What the code of a glance with facts stands for; null if the mail's record must tell.
  virtual mail::CommonReasonPtr reason_of(const Glance& glance) = 0;
  // Of a mail of the last page this is quick.
  virtual Result<ViewedMail, mail::SourceError> load(mail::MailId id) = 0;
  // The states of the mail that the view was opened for, as far as they are still there, oldest first.
  virtual std::vector<PastProgress> history() = 0;

  // Takes the next piece; returns false to stop.
  using Take = std::function<bool(std::string_view)>;
  // The whole content is verified before `take` gets any of it. If it changes after that, the result is
  // `damaged`.
  virtual Result<void, mail::SourceError> read_content(mail::MailId id, const Take& take) = 0;
  virtual Result<void, mail::SourceError> verify_content(mail::MailId id) = 0;
};

}  // namespace hikyaku::spool
