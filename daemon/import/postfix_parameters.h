// SPDX-License-Identifier: MIT
// A main.cf: its parameters, and the values with $name replaced as Postfix does it (postconf(5)). Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/import/source.h"

namespace hikyaku::importing {

struct Parameter {
  std::string name;
  std::string value;  // as it is written
  Place place;
};

class PostfixParameters {
 public:
  // Of parameters that stand there several times the last counts. `wrong` gets the lines without "=".
  PostfixParameters(std::string_view text, const std::string& file, std::vector<Place>& wrong);

  const std::vector<Parameter>& all() const { return parameters_; }  // in the file's order
  // nullptr: it is not set.
  const Parameter* find(std::string_view name) const;
  // The value with every $name, ${name}, $(name), ${name?text} and ${name:text} replaced; of a parameter that
  // is not set, Postfix's default where an import needs it, else empty. Recursion, and what it makes, are
  // bounded.
  std::string value_of(std::string_view name) const;
  std::string expand(std::string_view text) const;
  bool is_yes(std::string_view name) const { return importing::is_yes(value_of(name)); }
  Place place_of(std::string_view name) const;
  // Whether the value of another parameter uses it.
  bool is_used(std::string_view name) const { return used_.contains(std::string(name)); }

 private:
  std::string value_of(std::string_view name, unsigned depth) const;
  std::string expand(std::string_view text, unsigned depth) const;
  std::string expand_group(std::string_view group, unsigned depth) const;

  std::string file_;
  std::vector<Parameter> parameters_;
  mutable std::map<std::string, bool, std::less<>> used_;
  mutable unsigned names_left_ = 0;  // of what may be replaced while one value is made
};

}  // namespace hikyaku::importing
