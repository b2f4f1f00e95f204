// SPDX-License-Identifier: MIT
// Stands in for libFuzzer where it is not linked: runs the target over every file of the given directories,
// and over every beginning of it. No file at all is a failure: a test that tries nothing must not pass.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.h"

namespace {

std::vector<std::uint8_t> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void replay(const std::filesystem::path& path) {
  constexpr std::size_t kMostBeginnings = 2000;
  std::vector<std::uint8_t> bytes = read_file(path);
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  for (std::size_t size = 0; size < std::min(bytes.size(), kMostBeginnings); ++size)
    LLVMFuzzerTestOneInput(bytes.data(), size);
}

}  // namespace

int main(int count, char** arguments) {
  std::size_t files = 0;
  for (int i = 1; i < count; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(arguments[i])) {
      if (!entry.is_regular_file()) continue;
      std::printf("%s\n", entry.path().filename().c_str());  // the last one named is the culprit of a crash
      std::fflush(stdout);
      replay(entry.path());
      ++files;
    }
  }
  std::printf("%zu inputs\n", files);
  return files > 0 ? 0 : 1;
}
