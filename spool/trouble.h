// SPDX-License-Identifier: MIT
// What keeps the spool from taking new mail: as a value, as a client's refusal, and in words for the log,
// `hikyaku status` and the service manager. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/bytes.h"
#include "daemon/mail/mail_sink.h"
#include "spool/disk.h"

namespace hikyaku::spool {

enum class TroubleKind : std::uint8_t {
  below_min_free,  // in bytes
  no_inodes,
  full,            // ENOSPC in spite of that
  quota,           // EDQUOT
  read_only,       // mounted so, or EROFS
  gone,            // the directory was moved or removed
  too_many_files,  // EMFILE, ENFILE
  failing,         // anything else, like EIO
};

struct Trouble {
  TroubleKind kind = TroubleKind::failing;
  DiskSpace space;    // as far as it is known
  std::string error;  // operation, path and the system's words, where a call has failed
};

// nullopt: there is room for a message of `size` bytes (0: unknown) beyond `min_free`.
std::optional<Trouble> trouble_with(const DiskSpace& space, ByteSize min_free, std::uint64_t size);
Trouble trouble_with(const DiskError& error, const DiskSpace& space);

// no_space where it is a matter of room.
mail::SinkError to_sink_error(const Trouble& trouble);
// The same of a call that failed; shutting_down for errc::operation_canceled.
mail::SinkError to_sink_error(const DiskError& error);

// What is wrong with the spool in `directory`, what to do, and what is refused until then: one line.
std::string describe(const Trouble& trouble, std::string_view directory, ByteSize min_free);

}  // namespace hikyaku::spool
