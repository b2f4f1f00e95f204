// SPDX-License-Identifier: MIT
// One value of the configuration while it is read: a node, its path, and the report. Each as_…() returns
// the value, or reports what is allowed instead and returns nullopt. A report never repeats the value
// itself, which may be a misplaced password.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/bytes.h"
#include "daemon/base/clock.h"
#include "daemon/config/problem.h"
#include "daemon/config/yaml.h"
#include "daemon/mail/address_pattern.h"

namespace hikyaku::config {

struct Report {
  std::string file;
  Problems problems;
};

// A view: lives no longer than its node and report.
class Value {
 public:
  Value(const YamlNode& node, std::string key, Report& report)
      : node_(node), key_(std::move(key)), report_(report) {}

  void problem(std::string text) const;
  bool is_null() const { return node_.kind == YamlNode::Kind::null; }
  bool is_map() const { return node_.kind == YamlNode::Kind::map; }
  bool is_list() const { return node_.kind == YamlNode::Kind::sequence; }
  // Whether this is a map with such a key; reports nothing.
  bool has(std::string_view key) const;
  // The bare text of a scalar; nullopt, without a report, for anything else.
  std::optional<std::string_view> text() const;

  std::optional<std::string> as_text(std::string_view expected) const;  // not empty, no control characters
  std::optional<std::string> as_path() const;                           // absolute
  std::optional<bool> as_bool() const;
  std::optional<std::uint32_t> as_count(std::uint32_t least, std::uint32_t most) const;
  std::optional<double> as_factor(double least, double most) const;
  std::optional<ByteSize> as_size(ByteSize least, ByteSize most) const;
  std::optional<Duration> as_duration(Duration least, Duration most) const;
  std::optional<std::string> as_address() const;  // of mail, with a domain, without brackets
  std::optional<mail::AddressPattern> as_pattern() const;
  std::optional<std::size_t> as_choice(const std::vector<std::string>& choices) const;  // its index

  // The elements of a list, or the value itself as the only one.
  std::vector<Value> elements() const;

  struct Member;
  // Of a map: the members whose key is a scalar and not a repetition; the others are reported.
  std::vector<Member> members() const;

 private:
  const YamlNode& node_;
  std::string key_;  // "smarthosts[1].tls"; empty: the document
  Report& report_;
};

struct Value::Member {
  std::string name;
  Value key;    // to report about the key
  Value value;  // to read
};

}  // namespace hikyaku::config
