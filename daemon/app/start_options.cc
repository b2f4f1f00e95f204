// SPDX-License-Identifier: MIT
#include "daemon/app/start_options.h"

#include <getopt.h>

#include "daemon/base/text.h"

namespace hikyaku::app {
namespace {

using Task = StartOptions::Task;

constexpr int kCheck = 256, kCheckPorts = 257, kVersion = 258;
constexpr option kLong[] = {{"help", no_argument, nullptr, 'h'},
                            {"version", no_argument, nullptr, kVersion},
                            {"check", no_argument, nullptr, kCheck},
                            {"check-ports", no_argument, nullptr, kCheckPorts},
                            {nullptr, 0, nullptr, 0}};

std::unexpected<StartError> wrong(std::string_view what) {
  return fail(Exit::usage, cat(what, "; see 'hikyakud --help'"));
}

// Of a letter, which may stand in the middle of a word, getopt keeps the letter; of a long one, nothing.
std::string unknown_option(std::string_view word) {
  const bool is_letter = ::optopt > 0 && ::optopt < kCheck;
  return is_letter ? printable(std::string{'-', static_cast<char>(::optopt)}) : printable(word);
}

}  // namespace

Result<StartOptions, StartError> parse_start_options(std::vector<std::string> arguments) {
  std::string program = "hikyakud";
  std::vector<char*> words = {program.data()};
  for (std::string& argument : arguments) words.push_back(argument.data());
  const auto count = static_cast<int>(words.size());
  words.push_back(nullptr);
  StartOptions options;
  ::optind = 0;  // glibc: from the beginning, whatever was parsed before
  for (;;) {
    // `:` first: getopt prints nothing, and a missing value is told from an unknown option.
    switch (::getopt_long(count, words.data(), ":c:h", kLong, nullptr)) {
      case 'c': options.config_file = ::optarg; break;
      case kCheck: options.task = Task::check; break;
      case kCheckPorts: options.task = Task::check_ports; break;
      case 'h': options.task = Task::print_help; return options;
      case kVersion: options.task = Task::print_version; return options;
      case ':': return wrong("-c needs a file");
      case -1:
        options.ports.assign(words.begin() + ::optind, words.begin() + count);
        if (options.task != Task::check_ports && !options.ports.empty())
          return wrong(cat("'", printable(options.ports.front()), "' was not expected"));
        return options;
      default:
        return wrong(
            cat("there is no option '", unknown_option(words[static_cast<std::size_t>(::optind) - 1]), "'"));
    }
  }
}

std::string_view start_help() {
  return "hikyakud, the local mail relay. Runs in the foreground until SIGTERM; SIGHUP reloads.\n"
         "Usage: hikyakud [-c FILE] [--check]\n"
         "\n"
         "Options:\n"
         "  -c FILE     the configuration [/etc/hikyaku/hikyaku.yaml]\n"
         "  --check     read configuration, credentials and TLS files with the eyes of the daemon's user, "
         "say\n"
         "              what is wrong or probably not meant, and exit\n"
         "  -h, --help  print this and exit\n"
         "  --version   print the version and exit\n";
}

}  // namespace hikyaku::app
