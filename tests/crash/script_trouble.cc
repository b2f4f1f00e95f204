// SPDX-License-Identifier: MIT
#include <cerrno>

#include "tests/crash/script.h"

namespace hikyaku::test {

std::vector<Script> trouble_scripts() {
  std::vector<Script> all;
  all.push_back({"a flush fails",
                 {{accept(kSmall)},
                  {fail_step({DiskStep::flush})},
                  {accept(kSmall), on(Do::progress, 0)},
                  {accept(kTiny)},
                  {fail_step({DiskStep::flush})},
                  {on(Do::finish, 1)},
                  {on(Do::finish, 2), accept(kSmall)}}});
  all.push_back({"a segment breaks in which nothing lives",
                 {{accept(kSmall)},
                  {on(Do::finish, 0)},
                  {fail_step({DiskStep::write})},
                  {accept(kSmall)},
                  {on(Do::finish, 1), accept(kSmall)}}});
  all.push_back({"a write fails, others are short",
                 {{accept(kSmall)},
                  {fail_step({DiskStep::write})},
                  {accept(kSmall), on(Do::progress, 0)},
                  {alone(Do::short_writes, 7)},
                  {accept(kBig), accept(kSmall)},
                  {on(Do::finish, 0), accept(kTiny)}}});
  all.push_back({"the disk is full for a while",
                 {{accept(kSmall), accept(kSmall)},
                  {alone(Do::fill_disk, 1000)},
                  {accept(kBig), on(Do::progress, 0)},
                  {accept(kLarge), on(Do::finish, 1)},
                  {alone(Do::heal)},
                  {accept(kSmall)},
                  {on(Do::finish, 0)}}});
  all.push_back({"mail bounces on a full disk, and when there is room again",
                 {{accept(kBig), accept(kBig), accept(kSmall), accept(kSmall)},
                  {alone(Do::fill_disk, 1000)},
                  {on(Do::bounce, 0), on(Do::bounce_part, 1)},
                  {accept(kBig), on(Do::bounce, 2), accept(kBig)},
                  {on(Do::bounce, 3), on(Do::finish, 1)},
                  {on(Do::bounce, 0), on(Do::bounce, 2), on(Do::bounce, 3)},
                  {alone(Do::heal)},
                  {on(Do::bounce, 0), on(Do::bounce, 2), on(Do::bounce, 3)}}});
  all.push_back({"mail bounces while the quota is used up",
                 {{accept(kBig), accept(kBig), accept(kSmall)},
                  {fail_step({DiskStep::allocate, 1, 9, static_cast<std::errc>(EDQUOT)})},
                  {accept(kBig), accept(kBig), on(Do::bounce, 0)},
                  {on(Do::bounce, 1), on(Do::bounce_part, 2)},
                  {alone(Do::heal)},
                  {on(Do::bounce, 0), on(Do::bounce, 1), on(Do::finish, 2)}}});
  all.push_back({"read-only for a while",
                 {{accept(kSmall), accept(kSmall)},
                  {alone(Do::read_only)},
                  {accept(kBig), on(Do::progress, 0)},
                  {accept(kLarge), on(Do::finish, 1)},
                  {alone(Do::heal)},
                  {accept(kBig), on(Do::progress, 0)},
                  {on(Do::finish, 0), on(Do::finish, 5)}}});
  all.push_back({"no inode for a while",
                 {{accept(kSmall), accept(kLarge)},
                  {alone(Do::use_up_inodes, 0)},
                  {accept(kBig), on(Do::progress, 0), accept(kLarge)},
                  {on(Do::finish, 1), accept(kBig)},
                  {on(Do::progress, 0), accept(kBig)},
                  {alone(Do::heal)},
                  {accept(kLarge), accept(kBig), accept(kBig)},
                  {accept(kBig), accept(kBig), on(Do::finish, 0)}}});
  all.push_back({"the quota is used up, the file is too big",
                 {{accept(kSmall), accept(kBig), accept(kBig)},
                  {fail_step({DiskStep::write, 2, 4, std::errc::no_space_on_device})},
                  {accept(kBig), on(Do::progress, 0), accept(kLarge)},
                  {alone(Do::heal)},
                  {accept(kBig), on(Do::progress, 0), on(Do::finish, 1)},
                  {fail_step({DiskStep::write, 1, 5, std::errc::file_too_large})},
                  {accept(kSmall), accept(kBig), on(Do::finish, 2)},
                  {on(Do::progress, 0), accept(kSmall)},
                  {alone(Do::heal)},
                  {accept(kLarge), accept(kBig), on(Do::finish, 0)}}});
  all.push_back({"nothing can be read for a while",
                 {{accept(kSmall), accept(kBig), accept(kLarge)},
                  {alone(Do::restart)},
                  {fail_step({DiskStep::read, 1, 5})},
                  {on(Do::read, 0), on(Do::read, 1), on(Do::read, 2), accept(kSmall)},
                  {alone(Do::heal)},
                  {on(Do::read, 0), on(Do::read, 1), on(Do::read, 2)},
                  {fail_step({DiskStep::read, 2, 2})},
                  {alone(Do::kill)},
                  {fail_step({DiskStep::read, 3, 3})},
                  {alone(Do::kill)},
                  {fail_step({DiskStep::read, 1, 9})},
                  {alone(Do::kill)},
                  {on(Do::read, 1), on(Do::finish, 0)}}});
  for (std::size_t which : {0U, 1U})
    all.push_back({which == 0 ? "log/ is removed" : "large/ is removed",
                   {{accept(kSmall), accept(kBig), accept(kLarge)},
                    {on(Do::progress, 0)},
                    {alone(Do::vanish, which)},
                    {on(Do::progress, 0), on(Do::finish, 1), accept(kLarge), accept(kBig)},
                    {alone(Do::heal)},
                    {accept(kSmall), accept(kLarge)},
                    {accept(kBig), on(Do::finish, 5), on(Do::finish, 2)},
                    {on(Do::progress, 6)}}});
  return all;
}

}  // namespace hikyaku::test
