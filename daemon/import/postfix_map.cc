// SPDX-License-Identifier: MIT
#include <algorithm>

#include "daemon/base/text.h"
#include "daemon/import/imported.h"

namespace hikyaku::importing {
namespace {

constexpr std::string_view kIndexed[] = {"hash", "btree", "lmdb", "cdb", "dbm", "sdbm"};
constexpr std::string_view kAll[] = {"/.*/", "/.+/", "/^.*$/", "/^.+$/", "/^(.*)$/", "/./", "/^/", "//"};

bool is_one_of(std::string_view word, std::span<const std::string_view> known) {
  return std::ranges::find(known, word) != known.end();
}

// What stands between { and } after the type, or up to a blank or comma.
struct Table {
  std::string type;
  std::string name;
};

std::vector<Table> tables_of(std::string_view value) {
  std::vector<Table> tables;
  while (true) {
    while (!value.empty() && (is_blank(value.front()) || value.front() == ',')) value.remove_prefix(1);
    if (value.empty()) return tables;
    std::size_t end = std::min(value.find_first_of(" \t,"), value.size());
    const std::size_t brace = value.substr(0, end).find('{');
    if (brace != value.npos) end = std::min(value.find('}', brace), value.size() - 1) + 1;
    const std::string_view table = value.substr(0, end);
    value.remove_prefix(end);
    const std::size_t colon = table.find(':');
    if (colon == table.npos)
      tables.push_back({"", std::string(table)});
    else
      tables.push_back({std::string(table.substr(0, colon)), std::string(table.substr(colon + 1))});
  }
}

std::string_view in_braces(std::string_view text) {
  const bool is_braced = text.starts_with('{') && text.ends_with('}') && text.size() >= 2;
  return is_braced ? trim(text.substr(1, text.size() - 2)) : text;
}

class MapReader {
 public:
  MapReader(const Place& place, std::string_view parameter, const ReadText& read, Imported& imported)
      : place_(place), parameter_(parameter), read_(read), imported_(imported) {}

  void read(const Table& table) {
    const bool is_pattern = table.type == "regexp" || table.type == "pcre";
    if (table.type == "static") return rows_.push_back({"*", std::string(in_braces(table.name)), place_});
    if (table.type == "inline") return read_inline(in_braces(table.name));
    if (is_pattern || table.type == "texthash" || is_one_of(table.type, kIndexed))
      return read_file(table, is_pattern);
    imported_.remark(place_, parameter_,
                     cat("a table of the type ", printable(table.type, 20),
                         " cannot be read from a file of text, so what it says was left out"));
  }
  std::vector<MapRow> take() { return std::move(rows_); }

 private:
  void read_inline(std::string_view text) {
    for (std::string_view row : split(text, ',')) {
      const std::size_t equals = row.find('=');
      if (equals == row.npos) continue;
      std::string_view key = trim(row.substr(0, equals));
      if (key.starts_with('{')) key.remove_prefix(1);
      std::string_view value = trim(row.substr(equals + 1));
      if (value.ends_with('}')) value.remove_suffix(1);
      rows_.push_back({std::string(trim(key)), std::string(trim(value)), place_});
    }
  }

  void read_file(const Table& table, bool is_pattern) {
    auto text = read_(table.name);
    if (!text) return explain_missing(table, text.error());
    for (const Line& line : logical_lines_of(*text)) {
      auto [key, value] = first_word(line.text);
      const Place place{table.name, line.number};
      if (is_pattern && !is_one_of(key, kAll))
        imported_.remark(place, "", "a pattern; hikyaku has none, so this line was left out");
      else
        rows_.push_back({is_pattern ? "*" : std::string(key), std::string(value), place});
    }
  }

  void explain_missing(const Table& table, const std::string& why) {
    std::string remedy;
    if (is_one_of(table.type, kIndexed))
      remedy = cat("; where only the .db is left, this makes a text of it: postmap -s ", table.type, ":",
                   printable(table.name), " > ", printable(table.name));
    imported_.remark(place_, parameter_, cat(printable(table.name), " ", why, remedy));
  }

  const Place& place_;
  std::string_view parameter_;
  const ReadText& read_;
  Imported& imported_;
  std::vector<MapRow> rows_;
};

}  // namespace

std::vector<MapRow> read_maps(std::string_view value, const Place& place, std::string_view parameter,
                              const ReadText& read, Imported& imported) {
  MapReader reader(place, parameter, read, imported);
  for (const Table& table : tables_of(value)) reader.read(table);
  return reader.take();
}

}  // namespace hikyaku::importing
