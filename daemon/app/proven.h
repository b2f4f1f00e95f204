// SPDX-License-Identifier: MIT
// Which smarthosts have accepted a message with the configuration and credentials that they have now. Kept in
// a small file of the spool so that it survives restarts; losing it costs nothing but caution
// (ARCHITECTURE.md, promise 3).
#pragma once

#include <map>
#include <string>

#include "daemon/mail/smarthost.h"

namespace hikyaku::app {

class Proven {
 public:
  // Reads the file. Blocks. An unreadable one is an empty one.
  explicit Proven(std::string file);

  bool is_proven(const mail::Smarthost& smarthost) const;
  // Blocks for a small write, once for each smarthost and configuration.
  void note(const mail::Smarthost& smarthost);

 private:
  std::uint32_t mark_of(const mail::Smarthost& smarthost) const;
  void save() const;

  std::string file_;
  std::uint64_t salt_ = 0;  // the marks tell nothing about a password without it, and little with it
  std::map<std::string, std::uint32_t> marks_;  // by the smarthost's name
};

}  // namespace hikyaku::app
