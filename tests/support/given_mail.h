// SPDX-License-Identifier: MIT
// What a recovered spool gives for a mail of which the truth is known.
#pragma once

#include "spool/index.h"
#include "tests/support/disk/spool_image.h"

namespace hikyaku::test {

enum class Given {
  nothing,  // it is not in the index
  damaged,  // it is, but reading it finds damage
  older,    // right, in an older state
  right,    // right, in its newest state
  wrong,    // anything else: never
};
Given give(spool::Disk& disk, const spool::Index& index, const ImageMail& mail);

}  // namespace hikyaku::test
