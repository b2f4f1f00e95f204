// SPDX-License-Identifier: MIT
#include "daemon/app/listening.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/io/socket_stream.h"
#include "daemon/system/directories.h"
#include "daemon/system/port_owner.h"

namespace hikyaku::app {
namespace {

constexpr std::uint16_t kLowestFreePort = 1024;
constexpr unsigned kAnyone = 0666;  // the kernel says who has connected
constexpr Duration kProbeTimeout = 1s;

std::string explain(const IoError& error, const Endpoint& at) {
  if (error.kind == IoErrorKind::address_in_use)
    return cat(error.text, ": ", system::explain_taken_port(at, system::find_port_owner(at)));
  if (error.kind == IoErrorKind::access_denied && at.port < kLowestFreePort)
    return cat(error.text,
               "; ports below 1024 take root (see `user`), a systemd socket unit, or another `listen`");
  return error.text;
}

void warn_of_doors_without_socket(const config::ListenSettings& settings, Listening& result) {
  for (const config::Door& door : settings.doors)
    if (std::ranges::none_of(result.listeners, [&](auto& listener) { return listener->local() == door.at; }))
      result.warnings.push_back(
          cat("`listen` says what is offered at ", door.at.to_text(),
              ", but no socket of the service manager has this address, so nobody gets it: write the same "
              "address into hikyaku.socket"));
}

Result<Listening, StartError> adopt_all(io::Loop& loop, const config::ListenSettings& settings,
                                        std::vector<Fd> sockets) {
  Listening result;
  for (Fd& socket : sockets) {
    auto listener = io::Listener::adopt(loop, std::move(socket));
    if (!listener)
      return fail(Exit::unavailable, cat("a socket that the service manager handed over cannot be used: ",
                                         listener.error().text));
    result.listeners.push_back(std::move(*listener));
  }
  warn_of_doors_without_socket(settings, result);
  return result;
}

// Only an address of our own can be bound. Unlike getifaddrs(3) this needs no netlink, which the service's
// sandbox forbids.
bool is_address_of_this_machine(const IpAddress& address) {
  sockaddr_storage place = Endpoint{address, 0}.to_sockaddr();
  Fd probe(::socket(place.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return probe && ::bind(probe.get(), reinterpret_cast<sockaddr*>(&place), sizeof place) == 0;
}

}  // namespace

Result<Listening, StartError> open_listeners(io::Loop& loop, const config::ListenSettings& settings,
                                             std::vector<Fd> inherited) {
  if (!inherited.empty()) return adopt_all(loop, settings, std::move(inherited));
  Listening result;
  for (const Endpoint& at : settings.endpoints) {
    auto listener = io::Listener::listen_tcp(loop, at);
    if (listener) {
      result.listeners.push_back(std::move(*listener));
    } else if (!settings.is_explicit && listener.error().kind == IoErrorKind::unreachable) {
      result.notes.push_back(cat("not listening on ", at.to_text(), ": this machine does not have it"));
    } else {
      return fail(Exit::unavailable, explain(listener.error(), at));
    }
  }
  if (result.listeners.empty()) return fail(Exit::unavailable, "this machine has no address to listen on");
  return result;
}

Task<bool> is_unix_socket_served(io::Loop& loop, std::string path) {
  auto answer = co_await io::connect_unix(loop, std::move(path), loop.within(kProbeTimeout));
  co_return answer.has_value();
}

Task<Result<std::unique_ptr<io::Listener>, StartError>> open_submit_socket(io::Loop& loop, log::MailLog& log,
                                                                           const config::Settings& settings) {
  const bool is_default = settings.runtime_directory == config::Settings().runtime_directory;
  const std::string path = system::submit_socket_in(settings.runtime_directory);
  const bool is_served = co_await is_unix_socket_served(loop, path);
  if (is_served) co_return fail(Exit::unavailable, cat(path, ": another hikyakud listens there"));
  auto listener = io::Listener::listen_unix(loop, path, kAnyone);
  if (listener) co_return std::move(*listener);
  if (!is_default) co_return fail(Exit::cannot_create, listener.error().text);
  log.warning(
      cat(listener.error().text, "; local programs can use the ports only (see `runtime_directory`)"));
  co_return nullptr;
}

OwnEndpoints::OwnEndpoints(IsLocal is_local) : is_local_(std::move(is_local)) {}
OwnEndpoints::OwnEndpoints() : OwnEndpoints(is_address_of_this_machine) {}

bool OwnEndpoints::contains(const Endpoint& endpoint) const {
  return std::ranges::any_of(bound_, [&](const Endpoint& bound) {
    if (bound.port != endpoint.port) return false;
    if (bound.address == endpoint.address) return true;
    bool covers = bound.address.is_unspecified() && bound.address.is_v6() == endpoint.address.is_v6();
    return covers && is_local_(endpoint.address);
  });
}

}  // namespace hikyaku::app
