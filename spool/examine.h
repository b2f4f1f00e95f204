// SPDX-License-Identifier: MIT
// What a report says of something that turned out damaged when a spool at work read it, with a copy of the
// file in corrupt/ by then. Blocking: pool only.
#pragma once

#include "spool/damage.h"
#include "spool/quarantine.h"
#include "spool/stored.h"

namespace hikyaku::spool {

DamageReport examine_record(Disk& disk, Quarantine& quarantine, const StoredAt& at);
// `message`: where the record stands that names it.
DamageReport examine_large_body(Disk& disk, Quarantine& quarantine, const StoredAt& message);

}  // namespace hikyaku::spool
