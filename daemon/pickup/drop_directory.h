// SPDX-License-Identifier: MIT
// The drop directory and the two beside it through which a drop passes: taken/ while its mail is committed,
// refused/ for good (spool/FORMAT.md, "Drop"). Everything goes through descriptors that were opened once.
// Blocks for the disk.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/mail/mail_id.h"
#include "daemon/pickup/drop_file.h"

namespace hikyaku::pickup {

// While sendmail(1) writes a drop, its name has a dot in front.
inline bool is_draft_name(std::string_view name) {
  return name.starts_with('.') && mail::is_drop_name(name.substr(1));
}

class DropDirectory {
 public:
  // Opens the directories of this spool; creates taken/ and refused/ if they are missing. drop/ must exist
  // and be ours, or no drop could be taken out of it: prepare_drop_directory().
  static Result<DropDirectory, DropError> open(const std::string& spool);

  struct Listing {
    std::vector<std::string> drops;   // oldest first
    std::vector<std::string> others;  // names that sendmail(1) does not give, sorted
    bool has_drafts = false;          // that are still being written
  };
  // Also removes drafts whose writer has ended without finishing them.
  Result<Listing, DropError> list() const;
  Result<DropFile, DropError> open_drop(const std::string& name, std::uint64_t most) const {
    return DropFile::open(drop_.get(), name, group_, most);
  }

  // Moves the drop to taken/ for mail `id`; fails if `name` is not `file` any more.
  Result<void, DropError> take(const std::string& name, const DropFile& file, mail::MailId id) const;
  Result<void, DropError> give_back(const std::string& name, mail::MailId id) const;
  // Removes a taken drop; durable.
  Result<void, DropError> remove(const std::string& name, mail::MailId id) const;
  // Moves a drop from drop/ to refused/; durable.
  Result<void, DropError> refuse(const std::string& name) const;

  struct Taken {
    std::string name;
    mail::MailId id;
  };
  // The drops that an earlier run has taken and neither removed nor given back.
  std::vector<Taken> taken() const;
  const std::string& path() const { return path_; }

 private:
  DropDirectory() = default;
  bool is_abandoned(const std::string& name, Fd& locked) const;
  bool remove_if_abandoned(const std::string& name) const;
  Result<void, DropError> flush(const Fd& other) const;

  std::string path_;  // of drop/
  gid_t group_ = 0;
  Fd drop_;
  Fd taken_;
  Fd refused_;
};

}  // namespace hikyaku::pickup
