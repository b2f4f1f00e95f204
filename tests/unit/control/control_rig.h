// SPDX-License-Identifier: MIT
// A control service on a real socket, over a spool, with a daemon that is none.
#pragma once

#include <memory>
#include <string>

#include "daemon/control/control_service.h"
#include "tests/support/spool_rig.h"
#include "tests/unit/control/fake_daemon.h"

namespace hikyaku::control {

struct ControlRig : test::SpoolRig {
  SystemClock real;
  test::FakeDaemon daemon;
  std::string path = place.file("control.sock");
  std::unique_ptr<ControlService> service;

  explicit ControlRig(ControlTimes times = {}) {
    auto socket = open_control_socket(path, {"no such group", "no such group"});
    REQUIRE(socket);
    ControlOptions options{
        .path = path, .spool_directory = directory(), .group = "no such group", .times = times};
    service =
        std::make_unique<ControlService>(std::move(options), std::move(socket->listening), daemon, real);
    REQUIRE(service->runs());
  }
  ~ControlRig() { service->stop(std::chrono::milliseconds(0)); }
};

}  // namespace hikyaku::control
