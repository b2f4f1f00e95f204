// SPDX-License-Identifier: MIT
// Disk use by one message that stays while others pass (passing.h), in a new folder below $TMPDIR:
//   crash_passing [--messages N]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string_view>

#include "tests/crash/passing/passing.h"

namespace hikyaku::crash {
namespace {

constexpr std::uint64_t kMessages = 200'000;

class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / "crash_passing.XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make " + path_);
  }
  Folder(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

double kib(std::int64_t bytes) { return static_cast<double>(bytes) / 1024; }

int run(std::uint64_t messages) {
  const Folder folder;
  const auto began = std::chrono::steady_clock::now();
  Passing passing(folder.path());
  passing.pass(messages);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
  std::printf("%llu messages in %.1f s\n", static_cast<unsigned long long>(messages), seconds.count());
  std::printf("at rest log/ was at most %.0f KiB, %.0f KiB below the bound\n", kib(passing.at_rest().bytes),
              -kib(passing.at_rest().excess));
  std::printf("on the way at most %.0f KiB, %.0f KiB below the bound\n", kib(passing.on_the_way().bytes),
              -kib(passing.on_the_way().excess));
  return 0;
}

}  // namespace
}  // namespace hikyaku::crash

int main(int count, char** words) {
  const bool has_number = count == 3 && std::string_view(words[1]) == "--messages";
  if (count != 1 && !has_number) return std::fputs("usage: crash_passing [--messages N]\n", stderr), 64;
  try {
    return hikyaku::crash::run(has_number ? std::strtoull(words[2], nullptr, 10) : hikyaku::crash::kMessages);
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "crash_passing: %s\n", error.what()), 1;
  }
}
