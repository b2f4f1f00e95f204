// SPDX-License-Identifier: MIT
// The spool by itself, with nothing around it, in a new folder under DIRECTORY, which must lie on the disk
// that is to be measured and is left as it was:
//   bench_spool rates DIRECTORY [SECONDS [ROUNDS]]   messages a second beside what the bare disk gives
//   bench_spool start DIRECTORY [COUNT...]           what a start costs with so many messages queued
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/bench/bare_spool.h"
#include "tests/bench/spool_measures.h"

namespace hikyaku::bench {
namespace {

class Folder {
 public:
  explicit Folder(std::string directory) : path_(std::move(directory) + "/bench_spool.XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make " + path_);
    std::filesystem::create_directory(path_ + "/spool");
  }
  Folder(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

int fill(const std::vector<std::string>& words) {
  BareSpool spool(words[1]);
  spool.take(std::stoull(words[2]), 200);
  if (words.size() > 3) spool.defer(std::chrono::seconds(std::stoll(words[3])));
  return 0;
}

int run(const std::vector<std::string>& words) {
  if (words[0] == "fill") return fill(words);
  const Folder folder(words[1]);
  if (words[0] == "rates") {
    measure_rates(folder.path(), words.size() > 2 ? std::stod(words[2]) : 1,
                  words.size() > 3 ? static_cast<unsigned>(std::stoul(words[3])) : 5);
    return 0;
  }
  std::vector<std::uint64_t> counts;
  for (std::size_t i = 2; i < words.size(); ++i) counts.push_back(std::stoull(words[i]));
  if (counts.empty()) counts = {10'000, 100'000, 1'000'000};
  measure_starts(folder.path(), counts);
  return 0;
}

}  // namespace
}  // namespace hikyaku::bench

int main(int count, char** words) {
  const std::vector<std::string> given(words + 1, words + count);
  const bool is_fill = given.size() > 2 && given[0] == "fill";
  if (!is_fill && (given.size() < 2 || (given[0] != "rates" && given[0] != "start")))
    return std::fputs("usage: bench_spool rates|start|fill DIRECTORY [NUMBER...]\n", stderr), 64;
  try {
    return hikyaku::bench::run(given);
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "bench_spool: %s\n", error.what()), 1;
  }
}
