// SPDX-License-Identifier: MIT
// A place for daemons in this process, on real sockets; they are asked to stop by signals to ourselves.
#pragma once

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "daemon/app/daemon.h"
#include "daemon/base/text.h"
#include "daemon/system/files.h"
#include "daemon/system/loading.h"

namespace hikyaku::app {

inline void tell_ourselves(int number) { ::kill(::getpid(), number); }

// A place for daemons, and the words of those that ran there. The smarthost is a port that nobody has.
struct DaemonRig {
  SystemClock clock;
  io::Loop loop{clock};
  io::Event said{loop};
  std::vector<std::string> lines;
  log::MailLog log{clock,
                   {.level = LogLevel::info, .format = LogFormat::text, .journal = true},
                   [this](LogLevel, std::string_view line) {
                     lines.emplace_back(line);
                     said.notify();
                   }};
  system::TemporaryDirectory place{"hikyaku-test"};
  std::string config_file = place.file("hikyaku.yaml");
  std::function<void(system::Loaded&)> change_loaded;  // before a daemon gets it

  DaemonRig() {
    configure("hostname: one.example.com\ndomain: one.example.com\n");
    for (const char* name : {"spool", "run"}) ::mkdir(place.file(name).c_str(), 0700);
  }

  void configure(std::string_view more) {
    ::unlink(config_file.c_str());
    system::write_new_file(
        config_file,
        cat("user: nobody\nsmarthosts: [{host: 127.0.0.1, port: 1, tls: none}]\n",
            "shutdown_grace: 1h\nlisten: [\"127.0.0.1:0\"]\n", "runtime_directory: ", place.file("run"),
            "\nspool: {directory: ", place.file("spool"), ", segment_size: 1MiB, min_free: 0B}\n", more));
  }

  bool has(std::string_view text) const {
    for (const std::string& line : lines)
      if (line.find(text) != std::string::npos) return true;
    return false;
  }
  Task<void> until_it_says(std::string text) {
    while (!has(text)) {
      auto woken = co_await said.wait(loop.within(20s));
      REQUIRE_MESSAGE(woken == io::Woken::ready, text);
    }
  }

  std::unique_ptr<Daemon> make() {
    auto loaded = system::load_everything(config_file, system::Purpose::run);
    REQUIRE(loaded);
    if (change_loaded) change_loaded(*loaded);
    auto listening = open_listeners(loop, loaded->settings.listen, {});
    REQUIRE(listening);
    address = listening->listeners[0]->local().value();
    return std::make_unique<Daemon>(loop, log, config_file, std::move(*loaded), std::move(*listening));
  }
  Endpoint address;  // of the newest
};

inline Task<void> run_into(Daemon& daemon, std::optional<Exit>& exit) {
  Exit code = co_await daemon.run();
  exit = code;
}

// Runs a daemon, does `work` once it has started, asks it to stop, and gives its exit code.
inline Task<std::optional<Exit>> run_around(DaemonRig& rig, Task<void> work) {
  auto daemon = rig.make();
  std::optional<Exit> exit;
  io::Nursery nursery(rig.loop);
  nursery.spawn(run_into(*daemon, exit));
  co_await rig.until_it_says("started");
  co_await std::move(work);
  tell_ourselves(SIGTERM);
  co_await nursery.drained({});
  co_return exit;
}

}  // namespace hikyaku::app
