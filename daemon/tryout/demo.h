// SPDX-License-Identifier: MIT
// `hikyaku demo`: shows a mail's whole journey on one machine, step by step. Starts a smarthost (`hikyaku
// sink`, with TLS and a password) and a hikyakud in a temporary directory, submits one message as an
// application does and one as a script does, and compares what arrives with what was sent. Leaves nothing
// behind. Loop thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemon/base/exit.h"
#include "daemon/base/ip.h"
#include "daemon/io/loop.h"
#include "daemon/io/process.h"
#include "daemon/system/files.h"
#include "daemon/tryout/demo_files.h"

namespace hikyaku::tryout {

struct DemoPrograms {
  std::string hikyaku;
  std::string hikyakud;
  std::string sendmail;
};

class Demo {
 public:
  // Loop and screen must outlive this object.
  Demo(io::Loop& loop, DemoScreen& screen, DemoPrograms programs);

  // Takes at most 30 s; SIGTERM or SIGINT ends it sooner. Returns ok only if both messages arrived intact.
  // Call once.
  Task<Exit> run();

 private:
  using Step = Result<void, StartError>;

  Task<Step> journey();
  Task<Step> start_smarthost();
  Task<Step> start_daemon();
  Task<Step> hand_in();
  Task<Step> hand_in_with_sendmail();
  Task<Step> follow();
  Step compare();
  Step compare_scripts();
  Task<Step> stop(std::unique_ptr<io::Process>& process, std::string name);
  Task<void> end(std::unique_ptr<io::Process> process);
  Task<void> obey_signals(io::Cancel& journey_is_over);

  Step make_place();
  // Reads a program's output up to the first line that contains `wanted`, and returns that line. `shown`:
  // prints all lines read except warnings, which concern the set-up of this machine and not the demo.
  Task<Result<std::string, StartError>> hear(io::Process& process, std::string wanted, bool shown);

  io::Loop& loop_;
  DemoScreen& screen_;
  DemoPrograms programs_;
  system::TemporaryDirectory place_;
  DemoFacts facts_;
  io::Cancel interrupted_;
  io::Until until_;
  std::string password_;
  std::string message_;
  Instant handed_in_;
  std::optional<Endpoint> daemon_address_;
  std::unique_ptr<io::Process> smarthost_;
  std::unique_ptr<io::Process> daemon_;
};

}  // namespace hikyaku::tryout
