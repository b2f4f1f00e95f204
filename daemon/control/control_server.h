// SPDX-License-Identifier: MIT
// Accepts connections on a listening socket, the control socket above all, on one thread, and serves each on a
// thread of its own by calling ControlServing::serve. Owns the socket and its threads; stop() ends them all, in any
// state, and must be called before the destructor. The threads have a low priority.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <thread>

#include "daemon/base/fd.h"
#include "daemon/base/mutex.h"
#include "daemon/control/control_connection.h"
#include "daemon/control/control_rights.h"

namespace hikyaku::control {

// Limits the connections that are served at a time: a few for one user, and not all places for all users
// together, so that no user can keep out others or the operator. Not thread-safe by itself.

struct ControlLimits {
  std::size_t connections = 24;  // each has a thread
  std::size_t others = 16;       // of them for users that are not operators
  std::size_t per_user = 4;      // of these
};

class ControlAdmission {
 public:
  explicit ControlAdmission(ControlLimits limits) : limits_(limits) {}

  // Takes a place if there is one; leave() gives it back.
  bool enter(const Rights& rights) {
    if (all_ >= limits_.connections) return false;
    if (!rights.is_operator && (others_ >= limits_.others || of_user(rights.uid) >= limits_.per_user))
      return false;
    ++all_;
    if (rights.is_operator) return true;
    ++others_;
    ++users_[rights.uid];
    return true;
  }

  void leave(const Rights& rights) {
    --all_;
    if (rights.is_operator) return;
    --others_;
    if (--users_[rights.uid] == 0) users_.erase(rights.uid);
  }

  std::size_t size() const { return all_; }

 private:
  std::size_t of_user(std::uint32_t uid) const {
    auto found = users_.find(uid);
    return found == users_.end() ? 0 : found->second;
  }

  ControlLimits limits_;
  std::size_t all_ = 0;
  std::size_t others_ = 0;
  std::map<std::uint32_t, std::size_t> users_;
};

struct ControlServing {
  // Those of whoever is at the other end of the socket; nullopt: it is closed without a word. On the accepting thread.
  std::function<std::optional<Rights>(int fd)> rights;
  // One request, on a thread of its own. Must not throw.
  std::function<void(ControlConnection&, const Rights&)> serve;
  // Called every `interval` while nothing happens, on the accepting thread.
  std::function<void()> at_times;
  std::chrono::milliseconds interval = std::chrono::seconds(10);
  ControlLimits limits;
  ControlTimes times;
};

class ControlServer {
 public:
  // Begins at once.
  ControlServer(Fd listening, ControlServing serving);
  ControlServer(const ControlServer&) = delete;
  ~ControlServer();
  // False if the system could not start the accepting thread.
  bool runs() const { return accepting_.joinable(); }

  // Accepts no more connections, gives those being served `grace` to end, cuts off the others, and returns
  // when no thread is left. Once; not from one of its threads. Blocks.
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
