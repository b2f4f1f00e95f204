// SPDX-License-Identifier: MIT
// Stores a mail in the drop directory, from which the daemon fetches it (spool/FORMAT.md, "Drop"): a draft
// under a name that begins with a dot is completed, flushed, renamed and flushed again. An uncommitted draft
// is removed.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>

#include "daemon/base/fd.h"
#include "daemon/sendmail/content.h"
#include "daemon/sendmail/exit.h"

namespace hikyaku::sendmail {

class DropDirectory {
 public:
  // Does not follow a link at the end of the path. Fails unless `path` is a directory where a group may
  // create files but not remove those of others (mode 1730); files are never written anywhere else.
  // `min_free`: bytes of its disk that drafts must leave free.
  static Result<DropDirectory, Failure> open(const std::string& path, std::uint64_t min_free = 0);

  int fd() const { return fd_.get(); }
  gid_t group() const { return group_; }
  const std::string& path() const { return path_; }
  Result<void, Failure> has_room() const;

 private:
  DropDirectory(Fd fd, gid_t group, std::string path, std::uint64_t min_free)
      : fd_(std::move(fd)), group_(group), path_(std::move(path)), min_free_(min_free) {}
  Fd fd_;  // O_PATH: the group may not list the directory
  gid_t group_;
  std::string path_;
  std::uint64_t min_free_;
};

// A mail being written. At most three exist at a time. A signal that ends the program also removes the draft.
class Draft {
 public:
  // `commands`: MAIL and RCPT, each line with CR LF. `directory` must outlive the draft. Fails with
  // `temporary`.
  static Result<std::unique_ptr<Draft>, Failure> begin(const DropDirectory& directory,
                                                       std::string_view commands);
  ~Draft();
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  Result<void, Failure> append(std::string_view content);
  Result<void, Failure> append_all(Content& content);
  // The content appended so far; valid while the draft exists.
  FileContent content() const { return {fd_.get(), content_at_, size_ - content_at_}; }
  // Once this has returned without an error the mail is durable. Call once.
  Result<void, Failure> commit();

 private:
  explicit Draft(const DropDirectory& directory) : directory_(directory) {}

  Result<void, Failure> create();
  bool lock();
  Result<void, Failure> give_to_group();
  Result<void, Failure> write(std::string_view bytes, std::uint64_t at);
  Result<void, Failure> write_header();
  Result<void, Failure> publish();
  std::unexpected<Failure> cannot(std::string_view what) const;  // by errno

  const DropDirectory& directory_;
  Fd fd_;
  std::string name_;  // including the dot; empty: nothing to remove
  std::uint64_t content_at_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t next_look_ = 0;  // size at which free space is checked again
};

}  // namespace hikyaku::sendmail
