// SPDX-License-Identifier: MIT
// `hikyaku queue hold|release|remove|bounce`: asks the daemon, and says what became of each mail. What cannot be
// taken back (remove, bounce) is asked about first where it is about more than one mail. Blocks.
#pragma once

#include <string>
#include <string_view>

#include "daemon/commands/daemon_answers.h"

namespace hikyaku::commands {

struct SteeringVerb {
  std::string_view name;    // of the sub-command, and of the request
  std::string_view done;    // "3 mails held"
  std::string_view during;  // "holding mail"
  std::string_view description;
  bool is_final = false;  // cannot be taken back
};
inline constexpr SteeringVerb kSteeringVerbs[] = {
    {"hold", "held", "holding mail", "keep mail from being sent until it is released"},
    {"release", "released", "releasing mail", "let held mail be sent again, at once"},
    {"remove", "removed", "removing mail", "end mail without sending it; nobody is told", true},
    {"bounce", "returned", "returning mail", "return mail to its sender, with a notice", true},
};

// Prints what was done, as JSON the daemon's answer. Returns ok only if each mail is now as wanted; try_again if one is
// being sent, no_input if one is not there.
Exit steer_queue(const std::string& socket, const SteeringVerb& verb, const MailSelection& selection,
                 bool is_confirmed, Form form);

}  // namespace hikyaku::commands
