// SPDX-License-Identifier: MIT
// What can stand where on the command line of `hikyaku`, taken from the tree of its sub-commands and options: the one
// source of the shells' completion scripts (completion_scripts.h). Nothing is listed here a second time; only what kind of
// word an argument is, is told by its name in the help: ID, FILE, NAME.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace hikyaku::commands {

// The words that can stand for an argument.
struct Candidates {
  enum class Kind : std::uint8_t { none, words, files, mails, smarthosts };
  Kind kind = Kind::none;
  std::vector<std::string> words;  // for `words`
};

struct CompletedOption {
  std::vector<std::string> long_names;   // without "--"
  std::vector<std::string> short_names;  // without "-"
  std::string description;
  bool takes_value = false;
  Candidates value;
};

struct CompletedName {
  std::string name;
  std::string description;
};

struct CompletedCommand {
  std::string path;  // "queue show"; empty: `hikyaku` itself
  std::vector<CompletedName> commands;
  std::vector<CompletedOption> options;  // those of the commands around it, too, where they may stand here
  Candidates argument;
};

// Each command that there is, outer ones first.
std::vector<CompletedCommand> completed_commands(const CLI::App& app);

}  // namespace hikyaku::commands
