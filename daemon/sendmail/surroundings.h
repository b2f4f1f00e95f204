// SPDX-License-Identifier: MIT
// What the caller of a set-gid program chooses and must not choose: environment, descriptors, limits, umask.
// Put right once, before anything else is done.
#pragma once

namespace hikyaku::sendmail {

// The environment is emptied; the descriptors 0 to 2 are open (on /dev/null if they were not) and none
// beyond; the soft limit of file sizes is the hard one; no core is dumped; what is created is nobody else's.
void put_surroundings_right();

// Whether standard input was open when the program began. Valid after put_surroundings_right.
bool has_input();

}  // namespace hikyaku::sendmail
