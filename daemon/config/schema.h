// SPDX-License-Identifier: MIT
// Tables of keys: each key of a mapping with the function that checks its value and puts it into a struct, and
// the one that shows what is there, for `hikyaku config show`. The functions below make both for members of T;
// they report a wrong value and keep the default.
#pragma once

#include <algorithm>
#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/config/value.h"
#include "daemon/config/yaml_text.h"

namespace hikyaku::config {

template <class T>
struct Key;
template <class T>
using Schema = std::vector<Key<T>>;

// The value in a T, as it would be written. A null node: not set. nullopt: another key says it.
template <class T>
using Show = std::function<std::optional<YamlNode>(const T&)>;

template <class T, class M>
Show<T> showing(M T::* member) {
  return [member](const T& from) { return std::optional(to_node(from.*member)); };
}

// Checks a value and puts it into a T; shows it.
template <class T>
class Read {
 public:
  template <class Function>
    requires std::invocable<const Function&, const Value&, T&>
  Read(Function function) : function_(std::move(function)) {}
  Read(std::function<void(const Value&, T&)> function, Show<T> show, std::vector<std::string> keys = {})
      : function_(std::move(function)), show_(std::move(show)), keys_(std::move(keys)) {}

  void operator()(const Value& value, T& into) const { function_(value, into); }
  // Of a key that has no way to be shown: nullopt.
  std::optional<YamlNode> show(const T& from) const { return show_ ? show_(from) : std::nullopt; }
  bool can_show() const { return show_ != nullptr; }
  // The same for the T that is `member` of an O.
  template <class O>
  Read<O> in(T O::* member) const {
    Show<O> shown;
    if (show_) shown = [member, show = show_](const O& from) { return show(from.*member); };
    return {[member, function = function_](const Value& value, O& into) { function(value, into.*member); },
            std::move(shown), keys_};
  }
  // Of the mapping, as keys_of() has them; none if the value is no mapping.
  const std::vector<std::string>& keys() const { return keys_; }

 private:
  std::function<void(const Value&, T&)> function_;
  Show<T> show_;
  std::vector<std::string> keys_;
};

template <class T>
struct Key {
  std::string name;
  Read<T> read;
};

// All keys that have a value of their own, those in mappings with their path: "spool.directory".
template <class T>
std::vector<std::string> keys_of(const Schema<T>& schema) {
  std::vector<std::string> keys;
  for (const Key<T>& key : schema) {
    if (key.read.keys().empty()) keys.push_back(key.name);
    for (const std::string& inner : key.read.keys()) keys.push_back(key.name + "." + inner);
  }
  return keys;
}

// Reports which key was probably meant, or else which keys there are.
void report_unknown_key(const Value::Member& member, const std::vector<std::string>& known);
// Reports a value that is neither a mapping nor empty.
bool is_map_or_empty(const Value& value);

// Reads a mapping by its table. An empty value (`limits:` with everything below it commented out) counts as
// an empty mapping.
template <class T>
void read_map(const Value& value, const Schema<T>& schema, T& into) {
  if (!is_map_or_empty(value)) return;
  std::vector<std::string> known;
  for (const Key<T>& key : schema) known.push_back(key.name);
  for (const Value::Member& member : value.members()) {
    auto key =
        std::find_if(schema.begin(), schema.end(), [&](const Key<T>& k) { return k.name == member.name; });
    if (key == schema.end())
      report_unknown_key(member, known);
    else
      key->read(member.value, into);
  }
}

// All keys but those that others say, in the table's order.
template <class T>
YamlNode show_map(const Schema<T>& schema, const T& from) {
  YamlNode map = map_node();
  for (const Key<T>& key : schema)
    if (auto value = key.read.show(from)) add_member(map, key.name, std::move(*value));
  return map;
}

// What `read` checks, and `member` holds as it is.
template <class T, class M>
Read<T> custom(void (*read)(const Value&, T&), M T::* member) {
  return {read, showing(member)};
}
template <class T>
Read<T> custom(void (*read)(const Value&, T&), std::optional<YamlNode> (*show)(const T&)) {
  return {read, show};
}
// Short for other keys, which are shown instead.
template <class T>
Read<T> short_for_others(void (*read)(const Value&, T&)) {
  return {read, [](const T&) { return std::optional<YamlNode>(); }};
}
// A mapping that `read` reads by `schema` into `member`.
template <class T, class M>
Read<T> custom_section(void (*read)(const Value&, T&), M T::* member, const Schema<M>& schema) {
  return {read, [member, &schema](const T& from) { return std::optional(show_map(schema, from.*member)); },
          keys_of(schema)};
}

// Reads into a part of T.
template <class T, class M>
Read<T> within(M T::* member, Read<M> read) {
  return read.in(member);
}

template <class T, class M>
Read<T> section(M T::* member, const Schema<M>& schema) {
  return {[member, &schema](const Value& value, T& into) { read_map(value, schema, into.*member); },
          [member, &schema](const T& from) { return std::optional(show_map(schema, from.*member)); },
          keys_of(schema)};
}

// A key of a later version; reports that this version does not have it yet.
template <class T>
Read<T> not_available() {
  return [](const Value& value, T&) {
    value.problem("this version of hikyaku does not have this key yet; remove it");
  };
}

namespace detail {
template <class T, class M>
void put(std::optional<M> found, M T::* member, T& into) {
  if (found) into.*member = std::move(*found);
}
}  // namespace detail

template <class T>
Read<T> text(std::string T::* member, std::string_view expected) {
  return {[=](const Value& value, T& into) { detail::put(value.as_text(expected), member, into); },
          showing(member)};
}

template <class T>
Read<T> path(std::string T::* member) {
  return {[=](const Value& value, T& into) { detail::put(value.as_path(), member, into); }, showing(member)};
}

template <class T>
Read<T> boolean(bool T::* member) {
  return {[=](const Value& value, T& into) { detail::put(value.as_bool(), member, into); }, showing(member)};
}

template <class T>
Read<T> count(std::uint32_t T::* member, std::uint32_t least, std::uint32_t most) {
  return {[=](const Value& value, T& into) { detail::put(value.as_count(least, most), member, into); },
          showing(member)};
}

template <class T>
Read<T> size(ByteSize T::* member, ByteSize least, ByteSize most) {
  return {[=](const Value& value, T& into) { detail::put(value.as_size(least, most), member, into); },
          showing(member)};
}

template <class T>
Read<T> duration(Duration T::* member, Duration least, Duration most) {
  return {[=](const Value& value, T& into) { detail::put(value.as_duration(least, most), member, into); },
          showing(member)};
}

// Null is the empty text.
template <class T>
Read<T> address_or_null(std::string T::* member) {
  return {[=](const Value& value, T& into) {
            detail::put(value.is_null() ? std::string() : value.as_address(), member, into);
          },
          showing(member)};
}

// A list, or one pattern. Empty if the list is.
template <class T>
Read<T> patterns(mail::AddressPatterns T::* member) {
  return {[=](const Value& value, T& into) {
            (into.*member).clear();
            for (const Value& element : value.elements())
              if (auto pattern = element.as_pattern()) (into.*member).push_back(std::move(*pattern));
          },
          showing(member)};
}

// The words of a choice, each with what it means.
template <class E>
using Choices = std::vector<std::pair<std::string, E>>;

// nullopt: the value is none of the words, and that has been reported.
template <class E>
std::optional<E> chosen(const Value& value, const Choices<E>& choices) {
  std::vector<std::string> words;
  for (const auto& [word, meaning] : choices) words.push_back(word);
  auto index = value.as_choice(words);
  return index ? std::optional(choices[*index].second) : std::nullopt;
}

// The word for a meaning; a null node if there is none.
template <class E>
YamlNode word_node(const Choices<E>& choices, E meaning) {
  for (const auto& [word, each] : choices)
    if (each == meaning) return to_node(word);
  return {};
}

template <class T, class E>
Read<T> choice(E T::* member, const Choices<E>& choices) {
  return {
      [member, choices](const Value& value, T& into) { detail::put(chosen(value, choices), member, into); },
      [member, choices](const T& from) { return std::optional(word_node(choices, from.*member)); }};
}

}  // namespace hikyaku::config
