// SPDX-License-Identifier: MIT
// Which smarthosts have accepted a message with the configuration and credentials that they have now
// (ARCHITECTURE.md, promise 3). While the daemon runs the credentials are compared in memory; after a restart
// with the spool's `proven` file. The file holds a random salt for each smarthost and a slow hash
// (daemon/io/hashes.h) of salt and password, so a copy of the spool does not give the password away.
// Losing it costs nothing but caution. The loop's thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/secret.h"
#include "daemon/io/loop.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::relay {

// One line of the file.
struct ProvenMark {
  std::string salt;
  std::string hash;
  bool operator==(const ProvenMark&) const = default;
};
using ProvenMarks = std::map<std::string, ProvenMark>;  // by the smarthost's name

std::string to_text(const ProvenMarks& marks);
// Returns nullopt for a text that to_text() did not write.
std::optional<ProvenMarks> parse_proven_file(std::string_view text);

class Proven {
 public:
  // Reads the file; with an empty name nothing is kept. A file that cannot be parsed is replaced by an empty
  // one at once: those of version 0.1 hold fast hashes of passwords. Blocks.
  explicit Proven(std::string file);

  // Blocks for the slow hash if the file has a mark for the smarthost, once for each smarthost.
  bool is_proven(const mail::Smarthost& smarthost);
  // The smarthost is proven now. Makes the hash on the pool, then blocks for a small write, once for each
  // smarthost and configuration. Returns when all is on disk; the object outlives the task.
  Task<void> note(io::Loop& loop, mail::Smarthost smarthost);

  // For daemons that share what they have proven. The mark of a smarthost that is proven as it is configured now;
  // nullopt: it is not, or there is no mark yet.
  std::optional<ProvenMark> mark_of(const mail::Smarthost& smarthost) const;
  // Whether another daemon's mark was made for this very configuration. Makes the slow hash on the pool.
  static Task<bool> fits(io::Loop& loop, mail::Smarthost smarthost, ProvenMark mark);
  // It was. Blocks for a small write.
  void adopt(const mail::Smarthost& smarthost, ProvenMark mark);

 private:
  bool fits_mark(const mail::Smarthost& smarthost, const Secret& description);
  void save() const;

  std::string file_;
  ProvenMarks marks_;
  std::map<std::string, Secret> known_;  // what each one was proven with, as far as this run has seen it
};

}  // namespace hikyaku::relay
