// SPDX-License-Identifier: MIT
#include "tests/crash/script.h"

namespace hikyaku::test {

std::vector<Script> plain_scripts() {
  std::vector<Script> all;
  all.push_back({"one small mail to its end",
                 {{accept(kSmall)}, {on(Do::progress, 0)}, {on(Do::read, 0)}, {on(Do::finish, 0)}}});
  all.push_back({"several mails share a flush",
                 {{accept(kTiny), accept(kSmall), accept(kTiny), accept(kBig)},
                  {on(Do::finish, 1), on(Do::progress, 0), accept(kSmall)},
                  {on(Do::progress, 0), on(Do::finish, 2), on(Do::progress, 3)},
                  {on(Do::finish, 0), on(Do::progress, 3), {Do::abandon, 0, kSmall}}}});
  all.push_back({"large bodies",
                 {{accept(kLarge)},
                  {accept(kLarge), accept(kSmall)},
                  {on(Do::progress, 0), {Do::abandon, 0, kLarge}},
                  {on(Do::finish, 0)},
                  {on(Do::finish, 1), accept(kLarge)}}});
  all.push_back({"failure of a whole mail and of a part",
                 {{accept(kSmall), accept(kSmall), accept(kTiny)},
                  {on(Do::bounce, 0)},
                  {on(Do::bounce_part, 1), accept(kSmall)},
                  {on(Do::bounce, 2), on(Do::progress, 1)},
                  {on(Do::finish, 3), on(Do::bounce, 1)}}});
  all.push_back({"segments roll over and the oldest goes",
                 {{accept(kBig), accept(kBig), accept(kBig)},
                  {accept(kBig), accept(kBig)},
                  {on(Do::finish, 0), on(Do::finish, 1), on(Do::finish, 2)},
                  {on(Do::finish, 3), on(Do::finish, 4), accept(kBig)},
                  {accept(kBig), accept(kBig)},
                  {on(Do::finish, 6), accept(kTiny)}}});
  all.push_back({"restart",
                 {{accept(kSmall), accept(kLarge)},
                  {on(Do::progress, 0)},
                  {alone(Do::restart)},
                  {on(Do::progress, 0), accept(kSmall)},
                  {on(Do::finish, 1), on(Do::finish, 2)},
                  {alone(Do::restart)},
                  {on(Do::finish, 0), accept(kTiny)}}});
  all.push_back({"kill and start again",
                 {{accept(kSmall), accept(kTiny)},
                  {on(Do::progress, 0), on(Do::finish, 1)},
                  {alone(Do::kill)},
                  {accept(kSmall), on(Do::progress, 0)},
                  {alone(Do::kill)},
                  {on(Do::finish, 0), accept(kTiny)}}});
  all.push_back({"a sender forges records",
                 {{accept(kTiny)},
                  {on(Do::progress, 0)},
                  {{Do::forge, 0, kSmall}},
                  {accept(kTiny), {Do::forge, 0, kSmall}},
                  {{Do::forge, 1, kBig}, on(Do::progress, 0)}}});
  all.push_back({"the medium rots",
                 {{accept(kSmall), accept(kBig), accept(kLarge)},
                  {on(Do::progress, 0), on(Do::progress, 1), on(Do::progress, 2)},
                  {alone(Do::rot, 12'345)},
                  {on(Do::read, 0), on(Do::read, 1), on(Do::read, 2)},
                  {alone(Do::kill)},
                  {alone(Do::rot, 77'777)},
                  {alone(Do::rot, 5'000'000)},
                  {alone(Do::restart)},
                  {accept(kSmall), on(Do::read, 2)}}});
  return all;
}

}  // namespace hikyaku::test
