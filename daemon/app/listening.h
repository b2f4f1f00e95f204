// SPDX-License-Identifier: MIT
// The sockets on which mail comes in: those handed over by the service manager, or else the addresses of the
// configuration, bound while we may still be root. Also knows which addresses are ours because of them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/base/exit.h"
#include "daemon/base/fd.h"
#include "daemon/config/settings.h"
#include "daemon/io/listener.h"
#include "daemon/log/mail_log.h"

namespace hikyaku::app {

struct Listening {
  std::vector<std::unique_ptr<io::Listener>> listeners;  // at least one
  std::vector<std::string> notes;                        // a default address that this machine lacks
  std::vector<std::string> warnings{};                   // a door that no inherited socket has
};
// `inherited` replace the configuration's addresses if there are any. Errors: unavailable.
Result<Listening, StartError> open_listeners(io::Loop& loop, const config::ListenSettings& settings,
                                             std::vector<Fd> inherited);

// The Unix socket for local programs. In the default runtime directory the socket may be missing, since local
// programs have the ports too: then the result is null. Errors: unavailable (another daemon listens there),
// cannot_create.
Task<Result<std::unique_ptr<io::Listener>, StartError>> open_submit_socket(io::Loop& loop, log::MailLog& log,
                                                                           const config::Settings& settings);
// Whether a process accepts connections on the socket at `path`.
Task<bool> is_unix_socket_served(io::Loop& loop, std::string path);

// The endpoints of our own listeners, none of which may be a smarthost.
class OwnEndpoints {
 public:
  // `is_local` returns whether an address is this machine's: a listener on 0.0.0.0 or :: listens on all of
  // them.
  using IsLocal = std::function<bool(const IpAddress&)>;
  explicit OwnEndpoints(IsLocal is_local);
  OwnEndpoints();  // asks the kernel

  void add(const Endpoint& bound) { bound_.push_back(bound); }
  bool contains(const Endpoint& endpoint) const;

 private:
  IsLocal is_local_;
  std::vector<Endpoint> bound_;
};

}  // namespace hikyaku::app
