// SPDX-License-Identifier: MIT
// Changes the text of a configuration file that a person has written: whole top-level keys are put in, replaced or
// taken out, and every other line stays, comments included. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/error.h"

namespace hikyaku::setup {

struct KeyText {
  std::string key;
  std::string text;  // "from: me@example.com\n", or several lines; empty: the key is taken out
};

// A key that is there is changed in its place. A new one comes where the one before it in `keys` was taken out, or
// behind that one, or else before the first key of the file, or at its end. Fails, with what is wrong, if the text
// cannot be read as YAML.
Result<std::string, std::string> with_keys(std::string text, const std::vector<KeyText>& keys);

// The lines that have gone, with "- ", and those that are new, with "+ ", in the order of the files; nothing of
// what stayed. Empty if the texts are the same.
std::string changed_lines(std::string_view before, std::string_view after);

}  // namespace hikyaku::setup
