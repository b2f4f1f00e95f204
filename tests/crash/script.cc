// SPDX-License-Identifier: MIT
#include "tests/crash/script.h"

namespace hikyaku::test {
namespace {

std::vector<Script> make_scripts() {
  std::vector<Script> all = plain_scripts();
  for (auto more : {trouble_scripts, ring_scripts})
    for (Script& script : more()) all.push_back(std::move(script));
  return all;
}

}  // namespace

const std::vector<Script>& scripts() {
  static const std::vector<Script> all = make_scripts();
  return all;
}

Script afterlife(const std::vector<std::size_t>& alive, std::size_t next) {
  static constexpr Do kDeeds[] = {Do::finish, Do::progress, Do::bounce};
  Script script{"afterlife", {{accept(kSmall), accept(kBig)}, {accept(kBig)}, {}}};
  for (std::size_t i = 0; i < alive.size(); ++i) script.turns[i % 2].push_back(on(kDeeds[i % 3], alive[i]));
  script.turns[2] = {on(Do::finish, next), on(Do::finish, next + 1), accept(kBig), accept(kBig),
                     accept(kTiny)};
  return script;
}

}  // namespace hikyaku::test
