// SPDX-License-Identifier: MIT
#include "daemon/control/metrics_port.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/control/control_retry.h"
#include "daemon/system/accounts.h"

namespace hikyaku::control {
namespace {

constexpr int kPortBacklog = 64;
constexpr std::size_t kAskers = 8;  // at a time; a monitoring system is one

std::unexpected<std::string> cannot_listen(const Endpoint& at) {
  return std::unexpected(cat("`metrics`: cannot listen on ", at.to_text(), ": ", os_error_text(errno)));
}

// Nobody in particular asks: the kernel knows no user at the other end.
ControlServing serving_for(DaemonControl& daemon, ControlTimes times) {
  ControlServing serving;
  serving.rights = [](int) { return Rights{.uid = system::kNameless}; };
  serving.serve = [&daemon](ControlConnection& connection, const Rights& rights) {
    serve_http(connection, rights,
               [&daemon](const ControlRequest& request) { return answer_on_port(request, daemon); });
  };
  serving.at_times = [] {};
  serving.limits = {.connections = kAskers, .others = kAskers, .per_user = kAskers};
  serving.times = times;
  return serving;
}

}  // namespace

ControlAnswer answer_metrics(DaemonControl& daemon) {
  auto text = daemon.metrics();
  if (!text) return no_answer();
  ControlAnswer answer;
  answer.type = "text/plain; version=0.0.4; charset=utf-8";
  answer.body = std::move(*text);
  return answer;
}

// What is wrong with the spool names its directory, and is for operators: `hikyaku status`.
ControlAnswer answer_health(const ControlRequest& request, DaemonControl& daemon) {
  auto why_not = daemon.takes_no_mail();
  if (!why_not) return no_answer();
  if (!why_not->empty() && !request.parameters.contains("live"))
    return control_error(503, cat(*why_not, "; `hikyaku status` says why"));
  return control_json(
      JsonObject()
          .add("health", why_not->empty() ? "ready to take mail" : cat("alive, but ", *why_not))
          .text());
}

ControlAnswer answer_on_port(const ControlRequest& request, DaemonControl& daemon) {
  const bool is_known = request.path == kMetrics || request.path == kHealth;
  if (!is_known) return control_error(404, "there is only /metrics and /healthz here");
  if (request.method != "GET") return control_error(405, "only GET is understood here");
  return request.path == kMetrics ? answer_metrics(daemon) : answer_health(request, daemon);
}

Result<Fd, std::string> open_metrics_port(const Endpoint& at) {
  const sockaddr_storage address = at.to_sockaddr();
  Fd listening(::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listening) return cannot_listen(at);
  const int on = 1;
  ::setsockopt(listening.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(listening.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return cannot_listen(at);
  if (::listen(listening.get(), kPortBacklog) != 0) return cannot_listen(at);
  return listening;
}

Endpoint bound_to(const Fd& listening) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  ::getsockname(listening.get(), reinterpret_cast<sockaddr*>(&address), &length);
  return Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&address)).value_or(Endpoint());
}

MetricsPort::MetricsPort(Fd listening, DaemonControl& daemon, ControlTimes times)
    : server_(std::move(listening), serving_for(daemon, times)) {}

}  // namespace hikyaku::control
