// SPDX-License-Identifier: MIT
// The port for metrics over real TCP, and the same requests on the control socket.
#include "daemon/control/metrics_port.h"

#include <sys/socket.h>

#include "tests/unit/commands/control_client.h"
#include "tests/unit/control/control_routes_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::control;

namespace {

Endpoint loopback(std::uint16_t port = 0) { return {IpAddress::parse("127.0.0.1").value(), port}; }

struct PortRig {
  FakeDaemon daemon;
  Endpoint at;
  std::unique_ptr<MetricsPort> port;

  PortRig() {
    auto listening = open_metrics_port(loopback());
    REQUIRE(listening);
    at = bound_to(*listening);
    port = std::make_unique<MetricsPort>(std::move(*listening), daemon,
                                         ControlTimes{.request = std::chrono::milliseconds(500)});
    REQUIRE(port->runs());
  }
  ~PortRig() { port->stop(std::chrono::milliseconds(0)); }

  std::string ask(std::string_view request) const {
    Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_storage address = at.to_sockaddr();
    REQUIRE(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(sockaddr_in)) == 0);
    say(client, request);
    ::shutdown(client.get(), SHUT_WR);
    return read_all(client);
  }
  std::string get(std::string_view target) const {
    return ask(cat("GET ", target, " HTTP/1.1\r\nHost: x\r\n\r\n"));
  }
};

bool is(const std::string& answer, int status) {
  return answer.starts_with(cat("HTTP/1.1 ", std::to_string(status), " "));
}

}  // namespace

TEST_CASE("metrics port: metrics to a request as Prometheus makes it") {
  PortRig rig;
  const std::string answer = rig.ask(
      "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9725\r\nUser-Agent: Prometheus/2.42.0\r\n"
      "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n"
      "Accept-Encoding: gzip\r\nX-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n");
  CHECK(is(answer, 200));
  CHECK(answer.find("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n") != std::string::npos);
  CHECK(body_of(answer) == rig.daemon.metrics_text);
}

TEST_CASE("metrics port: nothing but metrics and health is there, and nothing is changed") {
  PortRig rig;
  for (const char* target : {"/", "/v1/status", "/v1/queue", "/v1/version", "/metrics/", "/healthz/x"})
    CHECK_MESSAGE(is(rig.get(target), 404), target);
  for (const char* target : {"/v1/queue/retry", "/v1/reload", "/v1/queue/remove"})
    CHECK_MESSAGE(
        is(rig.ask(cat("POST ", target, " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")), 404),
        target);
  CHECK(is(rig.ask("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), 405));
  CHECK(rig.daemon.asked.empty());
  CHECK(rig.daemon.retried.empty());
}

TEST_CASE("metrics port: health is about the daemon and the spool, never about smarthosts") {
  PortRig rig;
  rig.daemon.status_report.smarthosts = {{"main", "a.example", 587, true, 0, "down", WallTime()}};
  CHECK(is(rig.get("/healthz"), 200));
  rig.daemon.spool_takes_mail = false;
  CHECK(is(rig.get("/healthz"), 503));
  CHECK(is(rig.get("/healthz?live=1"), 200));
  rig.daemon.answers = false;
  CHECK(is(rig.get("/healthz?live=1"), 503));
  CHECK(is(rig.get("/metrics"), 503));
}

TEST_CASE("metrics port: an address that is taken is told with its reason") {
  PortRig rig;
  auto second = open_metrics_port(rig.at);
  REQUIRE_FALSE(second);
  CHECK(second.error() == cat("`metrics`: cannot listen on ", rig.at.to_text(), ": Address already in use"));
}

TEST_CASE("control routes: metrics are for operators, health is for anyone") {
  RoutesRig rig;
  CHECK(rig.get("/metrics").body == rig.daemon.metrics_text);
  CHECK(rig.get("/metrics", {}, kOne).status == 403);
  CHECK(rig.post("/metrics").status == 404);
  CHECK(rig.get("/healthz", {}, kOne).status == 200);
  rig.daemon.spool_takes_mail = false;
  CHECK(rig.get("/healthz", {}, kOne).status == 503);
  CHECK(rig.get("/healthz", {{"live", "1"}}, kOne).status == 200);
}
