// SPDX-License-Identifier: MIT
// Takes connections on the control socket: one thread that accepts, one for each connection that is served.
// What it serves is somebody else's (`Serve`). Owns the socket and its threads; stop() ends them all, in any
// state, and has been called when it goes. These threads yield to the rest of the machine.
#pragma once

#include <functional>
#include <list>
#include <string>
#include <thread>

#include "daemon/base/fd.h"
#include "daemon/base/mutex.h"
#include "daemon/control/control_admission.h"
#include "daemon/control/control_connection.h"
#include "daemon/control/control_rights.h"

namespace hikyaku::control {

struct ControlServing {
  // Whether the caller may do everything. On the accepting thread.
  std::function<Rights(const Caller&)> rights;
  // One request, on a thread of its own. Must not throw.
  std::function<void(ControlConnection&, const Rights&)> serve;
  // Now and then, on the accepting thread.
  std::function<void()> at_times;
  std::chrono::milliseconds interval = std::chrono::seconds(10);
  ControlLimits limits;
  ControlTimes times;
};

class ControlServer {
 public:
  // `listening` is a listening Unix socket. Begins at once.
  ControlServer(Fd listening, ControlServing serving);
  ControlServer(const ControlServer&) = delete;
  ~ControlServer();
  // False: the machine gives us no thread for it.
  bool runs() const { return accepting_.joinable(); }

  // Takes nothing new, gives what is being served `grace` to end, cuts off the rest, and returns when no
  // thread is left. Once; not from one of its threads. Blocks.
  void stop(std::chrono::milliseconds grace);

 private:
  struct Client {
    Client(Fd socket, ControlTimes times, Rights whose)
        : connection(std::move(socket), times), rights(whose) {}
    ControlConnection connection;
    Rights rights;
    std::thread thread;
    bool has_left = false;  // its thread is at its end
  };

  void accept_all();
  bool wait_for_caller();
  void admit(Fd socket);
  void begin(std::list<Client>::iterator client) REQUIRES(mutex_);
  void serve(Client& client);
  void sweep();

  Fd listening_;
  Fd stopping_;  // an eventfd: readable once we stop
  ControlServing serving_;
  Mutex mutex_;
  Condition left_;
  ControlAdmission admission_ GUARDED_BY(mutex_);
  std::list<Client> clients_ GUARDED_BY(mutex_);
  std::thread accepting_;
};

}  // namespace hikyaku::control
