// SPDX-License-Identifier: MIT
// The configuration by environment variables, for containers, where no file is there: HIKYAKU_… of our own, and those
// that people bring along from the image of Postfix that most come from. They become the text of a file, a line a value,
// so that one reader judges both. What is set and not understood is a problem that says which key to use.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/error.h"
#include "daemon/config/problem.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::config {

using Variables = std::map<std::string, std::string>;

// Of this process, those that may concern us.
Variables this_environment();

// $HIKYAKU_RUNTIME_DIRECTORY, which goes with any configuration: an image whose root cannot be written to has it on its
// volume. Otherwise /run/hikyaku.
std::string default_runtime_directory();

// Where a configuration comes from.
struct Source {
  std::string text;                                // YAML
  std::string name;                                // the file
  std::vector<std::string> variables{};            // which has said each line; empty: a file has
  std::optional<mail::Credentials> credentials{};  // of a log-in, used in place of an authinfo file

  // "hikyaku.yaml:3", or the variable. `line` is from 1.
  std::string place(unsigned line) const;
  // With the variables where there are lines of `text`.
  Problems say(Problems problems) const;
};

// nullopt: no variable says where mail goes, so that the environment is no configuration. Blocks if a variable names
// a file.
std::optional<Result<Source, Problems>> source_in(const Variables& variables);

}  // namespace hikyaku::config
