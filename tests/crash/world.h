// SPDX-License-Identifier: MIT
// What the crash tests know of every mail that they have given to the spool: what was acknowledged, what was
// only submitted, and so what a recovered spool must hold, may hold and must not hold. Survives power cuts;
// copied where one past has several futures. It never looks at the disk.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/bytes.h"
#include "daemon/mail/envelope.h"
#include "daemon/mail/mail_id.h"
#include "daemon/mail/mail_source.h"
#include "daemon/mail/progress.h"
#include "spool/segment.h"

namespace hikyaku::test {

struct Mail {
  mail::MailId id;
  mail::Envelope envelope;
  std::shared_ptr<const std::string> content;
  bool is_submitted = false;             // commit() was called
  bool is_acknowledged = false;          // and has returned its value, or a recovery has found it
  bool is_finish_submitted = false;      // finish() was called
  bool is_finished = false;              // and has returned its value
  bool is_gone = false;                  // a recovery has not found it, so nothing may find it again
  bool is_doubtful = false;              // the medium has spoilt something since: it may be missing, or older
  std::vector<mail::Progress> progress;  // as submitted, the initial one first
  std::size_t settled = 0;               // the newest of them that must not be lost
  std::optional<std::size_t> bounce;     // the mail that tells of its failure, once somebody has relied on it

  bool must_exist() const { return is_acknowledged && !is_finish_submitted && !is_gone; }
  bool may_exist() const { return is_submitted && !is_finished && !is_gone; }
};

// A mail as a spool gives it back.
struct FoundMail {
  mail::QueuedMail mail;
  std::string content;
};

class World {
 public:
  // A new mail of about `size` bytes with its own envelope; from <> if it is a bounce. Returns its index.
  std::size_t invent(std::size_t size, bool is_bounce);
  // The spool has named it. Ids grow for ever, across everything.
  void name(std::size_t index, mail::MailId id);
  Mail& at(std::size_t index) { return mails_[index]; }
  std::size_t size() const { return mails_.size(); }
  // The indices of those that must exist, oldest first.
  std::vector<std::size_t> alive() const;
  // The nth thing that becomes of the mail; `failed`: its first recipient has failed. Its
  // reason takes about `size` bytes.
  mail::Progress next_progress(std::size_t index, std::size_t size, bool failed) const;

  // The medium has spoilt something: the mails there are may be missing, or stand as they were before, but
  // what is delivered is still what was accepted; and whatever is accepted from now on is kept.
  void expect_damage();
  bool is_damaged() const { return is_damaged_; }
  bool is_doubtful(mail::MailId id);

  // Of segments to come, as the operator wants it.
  ByteSize segment_size() const { return segment_size_; }
  void set_segment_size(ByteSize size) { segment_size_ = size; }
  // What these mails take in the log: a MESSAGE each (without the content if that has a file
  // of its own), and its newest PROGRESS.
  std::uint64_t live_bytes(const std::vector<mail::QueueEntry>& queue,
                           const std::vector<std::string>& large_files);

  // Complains about everything that must not be so.
  void compare(const std::vector<FoundMail>& found);
  // What was found is durable, what was not found has ended: the state from which the next cut is judged.
  void settle(const std::vector<FoundMail>& found);

  void complain(std::string what) { complaints_.push_back(std::move(what)); }
  const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  Mail* by_id(mail::MailId id);
  void compare_content(const Mail& mail, const FoundMail& found);
  void compare_state(const Mail& mail, const FoundMail& found);
  void compare_one(const FoundMail& found);
  void compare_missing(const Mail& mail);
  void compare_failed(const Mail& mail, bool is_found, const std::vector<FoundMail>& found);
  std::string text_of(const Mail& mail) const;

  std::vector<Mail> mails_;
  mail::MailId highest_;
  ByteSize segment_size_ = spool::kMinSegment;
  bool is_damaged_ = false;
  std::vector<std::string> complaints_;
};

}  // namespace hikyaku::test
