// SPDX-License-Identifier: MIT
#include "daemon/setup/config_text.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/yaml.h"

namespace hikyaku::setup {
namespace {

using Lines = std::vector<std::string>;  // each without its end

Lines lines_of(std::string_view text) {
  Lines lines;
  for (std::string_view line : split(text, '\n')) lines.emplace_back(line);
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

std::string text_of(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text += cat(line, "\n");
  return text;
}

bool says_nothing(std::string_view line) {
  line = trim(line);
  return line.empty() || line.starts_with('#');
}

// The lines of a top-level key, from 0; `end` is the one behind them.
struct Block {
  std::string key;
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Comments and empty lines before the next key belong to that.
Result<std::vector<Block>, std::string> blocks_of(const Lines& lines) {
  auto root = config::read_yaml(text_of(lines), "");
  if (!root) return std::unexpected(config::to_text(root.error(), "\n"));
  std::vector<Block> blocks;
  for (std::size_t i = 0; i + 1 < root->items.size(); i += 2)
    blocks.push_back({root->items[i].scalar, root->items[i].place.line - 1, lines.size()});
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    Block& block = blocks[i];
    if (i + 1 < blocks.size()) block.end = blocks[i + 1].begin;
    while (block.end > block.begin + 1 && says_nothing(lines[block.end - 1])) --block.end;
  }
  // A flow mapping, {smarthost: …}, has several keys in a line: that has no lines of its own to be changed.
  for (std::size_t i = 0; i + 1 < blocks.size(); ++i)
    if (blocks[i].begin == blocks[i + 1].begin) return std::unexpected("has several keys in one line");
  return blocks;
}

auto find_block(std::vector<Block>& blocks, std::string_view key) {
  return std::ranges::find(blocks, key, &Block::key);
}

// Where a key goes that is not there. `vacated`: where the key before it has been taken out.
std::size_t place_for(const Lines& lines, std::vector<Block>& blocks, std::string_view before,
                      std::optional<std::size_t> vacated) {
  if (vacated) return *vacated;
  if (auto found = find_block(blocks, before); found != blocks.end()) return found->end;
  return blocks.empty() ? lines.size() : blocks.front().begin;
}

void splice(Lines& lines, std::size_t begin, std::size_t end, const Lines& fresh) {
  auto at = lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(begin),
                        lines.begin() + static_cast<std::ptrdiff_t>(end));
  lines.insert(at, fresh.begin(), fresh.end());
}

// The length of the longest common subsequence of the ends of both, for each pair of positions.
class Common {
 public:
  Common(const Lines& a, const Lines& b) : width_(b.size() + 1), lengths_((a.size() + 1) * width_, 0) {
    for (std::size_t i = a.size(); i-- > 0;)
      for (std::size_t j = b.size(); j-- > 0;)
        lengths_[i * width_ + j] = a[i] == b[j] ? at(i + 1, j + 1) + 1 : std::max(at(i + 1, j), at(i, j + 1));
  }
  std::size_t at(std::size_t i, std::size_t j) const { return lengths_[i * width_ + j]; }

 private:
  std::size_t width_;
  std::vector<std::size_t> lengths_;
};

}  // namespace

Result<std::string, std::string> with_keys(std::string text, const std::vector<KeyText>& keys) {
  Lines lines = lines_of(text);
  std::string before;
  std::optional<std::size_t> vacated;
  for (const KeyText& key : keys) {
    auto blocks = blocks_of(lines);
    if (!blocks) return std::unexpected(std::move(blocks.error()));
    const Lines fresh = lines_of(key.text);
    auto found = find_block(*blocks, key.key);
    const bool is_there = found != blocks->end();
    const std::size_t begin = is_there ? found->begin : place_for(lines, *blocks, before, vacated);
    splice(lines, begin, is_there ? found->end : begin, fresh);
    if (fresh.empty() && is_there) vacated = begin;
    if (!fresh.empty()) before = key.key, vacated.reset();
  }
  return text_of(lines);
}

std::string changed_lines(std::string_view before, std::string_view after) {
  const Lines old = lines_of(before);
  const Lines fresh = lines_of(after);
  const Common common(old, fresh);
  std::string shown;
  for (std::size_t i = 0, j = 0; i < old.size() || j < fresh.size();) {
    if (i < old.size() && j < fresh.size() && old[i] == fresh[j])
      ++i, ++j;
    else if (j == fresh.size() || (i < old.size() && common.at(i + 1, j) >= common.at(i, j + 1)))
      shown += cat("- ", old[i++], "\n");
    else
      shown += cat("+ ", fresh[j++], "\n");
  }
  return shown;
}

}  // namespace hikyaku::setup
