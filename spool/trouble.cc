// SPDX-License-Identifier: MIT
#include "spool/trouble.h"

#include <array>

#include "daemon/base/text.h"

namespace hikyaku::spool {

using mail::SinkError;
using mail::SinkErrorKind;

namespace {

using enum TroubleKind;

constexpr std::uint64_t kMinFreeInodes = 16;  // segments and large bodies; small mail needs none

// Enough digits to see it change.
std::string roughly(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 4> kUnits = {"B", "KiB", "MiB", "GiB"};
  std::size_t unit = 0;
  for (; bytes >= 10 * 1024 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  return cat(std::to_string(bytes), kUnits[unit]);
}

TroubleKind kind_of(const DiskError& error) {
  if (error.kind == std::errc::no_space_on_device) return full;
  if (is_disk_full(error)) return quota;
  if (error.kind == std::errc::read_only_file_system) return read_only;
  if (error.kind == std::errc::no_such_file_or_directory) return gone;
  bool is_of_descriptors =
      error.kind == std::errc::too_many_files_open || error.kind == std::errc::too_many_files_open_in_system;
  return is_of_descriptors ? too_many_files : failing;
}

bool is_matter_of_room(TroubleKind kind) { return kind <= quota; }

std::string what_is_wrong(const Trouble& trouble, std::string_view directory, ByteSize min_free) {
  std::string free = roughly(trouble.space.free_bytes);
  switch (trouble.kind) {
    case below_min_free:
      return cat("the disk of ", directory, " is full: ", free, " are free, less than `spool.min_free`, ",
                 to_text(min_free));
    case no_inodes:
      return cat("the file system of ", directory, " is full: it has ",
                 std::to_string(trouble.space.free_inodes), " free inodes left");
    case full: return cat("the disk of ", directory, " is full (", trouble.error, "; ", free, " are free)");
    case quota:
      return cat("the daemon's user has used up its disk quota in ", directory, " (", trouble.error, ")");
    case read_only: return cat("the file system of ", directory, " is read-only (", trouble.error, ")");
    case gone: return cat("the directory ", directory, " is not in its place (", trouble.error, ")");
    case too_many_files: return cat("no more files can be opened in ", directory, " (", trouble.error, ")");
    case failing: break;
  }
  return cat("the spool in ", directory, " cannot be written (", trouble.error, ")");
}

std::string_view what_to_change(TroubleKind kind) {
  switch (kind) {
    case below_min_free: return "make room on it, or lower `min_free`";
    case no_inodes: return "remove files there that are not needed";
    case full: return "make room on it";
    case quota: return "raise the quota, or make room";
    case read_only: return "find out why (see dmesg), repair it, and mount it writable";
    case gone: return "bring it back";
    case too_many_files: return "raise the daemon's limit (LimitNOFILE= in its unit)";
    case failing: break;
  }
  return "check the disk and its connection (see dmesg)";
}

std::string_view consequence(TroubleKind kind) {
  return is_matter_of_room(kind) ? "until then new mail is refused (452), while queued mail is still sent"
                                 : "until then new mail is refused (451)";
}

}  // namespace

std::optional<Trouble> trouble_with(const DiskSpace& space, ByteSize min_free, std::uint64_t size) {
  if (space.is_read_only) return Trouble{read_only, space, "the file system is read-only"};
  if (space.free_bytes < min_free.bytes || space.free_bytes - min_free.bytes < size)
    return Trouble{below_min_free, space, ""};
  if (space.free_inodes < kMinFreeInodes) return Trouble{no_inodes, space, ""};
  return std::nullopt;
}

Trouble trouble_with(const DiskError& error, const DiskSpace& space) {
  return {kind_of(error), space, error.text};
}

SinkError to_sink_error(const Trouble& trouble) {
  SinkErrorKind kind =
      is_matter_of_room(trouble.kind) ? SinkErrorKind::no_space : SinkErrorKind::write_failed;
  return {kind, trouble.error.empty() ? "the spool's disk is full" : trouble.error};
}

SinkError to_sink_error(const DiskError& error) {
  if (error.kind == std::errc::operation_canceled) return {SinkErrorKind::shutting_down, error.text};
  return to_sink_error(trouble_with(error, {}));
}

std::string describe(const Trouble& trouble, std::string_view directory, ByteSize min_free) {
  return cat(what_is_wrong(trouble, directory, min_free), ": ", what_to_change(trouble.kind), "; ",
             consequence(trouble.kind));
}

}  // namespace hikyaku::spool
