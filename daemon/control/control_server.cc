// SPDX-License-Identifier: MIT
#include "daemon/control/control_server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include "daemon/base/error.h"
#include "daemon/control/control_request.h"

namespace hikyaku::control {
namespace {

constexpr int kWithoutDescriptors = 100;  // milliseconds until the next try after running out of them
constexpr int kNiceness = 5;

// The loop handles all signals. A new thread inherits the signal mask.
template <class Run>
std::thread quiet_thread(Run run) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread;
  try {
    thread = std::thread(std::move(run));
  } catch (const std::system_error&) {  // too many: the service manager's TasksMax
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

void yield_to_others() { ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNiceness); }

void refuse(const Fd& socket, std::string_view why) {
  std::string answer = whole_answer(control_error(503, why));
  ::send(socket.get(), answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace

ControlServer::ControlServer(Fd listening, ControlServing serving)
    : listening_(std::move(listening)),
      stopping_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      serving_(std::move(serving)),
      admission_(serving_.limits),
      accepting_(quiet_thread([this] { accept_all(); })) {}

ControlServer::~ControlServer() {
  check(!accepting_.joinable(), "a control server is stopped before its end");
}

void ControlServer::accept_all() {
  yield_to_others();
  while (wait_for_caller()) {
    sweep();
    Fd socket(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket) {
      admit(std::move(socket));
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
      pollfd stop{stopping_.get(), POLLIN, 0};
      ::poll(&stop, 1, kWithoutDescriptors);
    }
  }
}

// Returns false at a stop.
bool ControlServer::wait_for_caller() {
  for (;;) {
    std::array<pollfd, 2> waiting = {pollfd{stopping_.get(), POLLIN, 0}, pollfd{listening_.get(), POLLIN, 0}};
    int ready = ::poll(waiting.data(), waiting.size(), static_cast<int>(serving_.interval.count()));
    if (waiting[0].revents != 0) return false;
    if (ready > 0) return true;
    if (ready < 0) continue;
    sweep();
    serving_.at_times();
  }
}

void ControlServer::admit(Fd socket) {
  auto rights = serving_.rights(socket.get());
  if (!rights) return;
  Lock lock(mutex_);
  bool is_welcome = admission_.enter(*rights);
  if (is_welcome) {
    clients_.emplace_back(std::move(socket), serving_.times, *rights);
    return begin(std::prev(clients_.end()));
  }
  lock.unlock();
  refuse(socket, "too many connections at a time; try again");
}

// The lock is held: the client's thread does not end before its place is complete.
void ControlServer::begin(std::list<Client>::iterator client) {
  client->thread = quiet_thread([this, client] { serve(*client); });
  if (client->thread.joinable()) return;
  admission_.leave(client->rights);
  clients_.erase(client);
}

void ControlServer::serve(Client& client) {
  yield_to_others();
  serving_.serve(client.connection, client.rights);
  client.connection.shut_down();
  Lock lock(mutex_);
  admission_.leave(client.rights);
  client.has_left = true;
  left_.notify_all();
}

void ControlServer::sweep() {
  std::list<Client> gone;
  Lock lock(mutex_);
  for (auto client = clients_.begin(); client != clients_.end();) {
    auto next = std::next(client);
    if (client->has_left) {
      client->thread.join();
      gone.splice(gone.end(), clients_, client);
    }
    client = next;
  }
}

void ControlServer::stop(std::chrono::milliseconds grace) {
  std::uint64_t one = 1;
  check(::write(stopping_.get(), &one, sizeof one) == sizeof one, "an eventfd takes its first number");
  if (accepting_.joinable()) accepting_.join();
  listening_.reset();
  const auto until = std::chrono::steady_clock::now() + grace;
  {
    Lock lock(mutex_);
    while (admission_.size() != 0 && left_.wait_until(lock, until)) continue;
    for (const Client& client : clients_) client.connection.shut_down();
    while (admission_.size() != 0) left_.wait(lock);
  }
  sweep();
  Lock lock(mutex_);
  check(clients_.empty(), "nobody is served any more");
}

}  // namespace hikyaku::control
