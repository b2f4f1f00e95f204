// SPDX-License-Identifier: MIT
// Recovery of a spool whose files have been tampered with: the input is a list of edits of a small, valid
// one. Whatever they are, opening it succeeds (unless it looks like a later format or the disk is full),
// nothing is found that is none of the mails it held, none of them is changed, and a second start finds the
// same.
#include <algorithm>
#include <array>
#include <string>

#include "daemon/base/checksum.h"
#include "spool/codec.h"
#include "spool/start.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/given_mail.h"

using namespace hikyaku;
using namespace hikyaku::spool;
using test::ImageKind;
using test::MemoryDisk;
using test::SpoolImage;

namespace {

const std::array kNames = {"log/0000000000000029",         "log/000000000000002a",
                           "log/000000000000002b",         "log/000000000000002c",
                           "log/0000000000000000",         "log/ffffffffffffffff",
                           "log/000000000000002a.new",     "log/000000000000002a.stray",
                           "log/000000000000002a.bad",     "log/other",
                           "large/00000000000003ed",       "large/00000000000003ee",
                           "large/ffffffffffffffff",       "large/other",
                           "corrupt/log-000000000000002a", "log/lost"};

constexpr std::uint64_t kHuge = 1 << 20;  // a longer file only takes longer

class Tamperer {
 public:
  Tamperer(std::string_view input, MemoryDisk& disk) : in_(input), disk_(disk) {}

  void run() {
    while (!in_.is_at_end()) edit();
  }

 private:
  void edit() {
    std::uint8_t what = in_.u8();
    std::string path = name();
    switch (what % 11) {
      case 0: return write(path, in_.u16(), std::string(1, static_cast<char>(in_.u8())));
      case 1: return flip(path, in_.u32());
      case 2: return write(path, in_.u16(), std::string(in_.raw(in_.u8())));
      case 3: return write(path, in_.u16(), bytes(name()).substr(0, in_.u16()));
      case 4: return copy_inside(path, in_.u16(), in_.u16(), in_.u16());
      case 5: return disk_.put(path, bytes(path).substr(0, in_.u16()));
      case 6: return disk_.remove(path);
      case 7: return swap(path, name());
      case 8: return disk_.put(path, bytes(name()));
      case 9: return sign(path, in_.u16(), in_.u8());
      case 10: return fill(path);
    }
  }

  std::string name() { return kNames[in_.u8() % kNames.size()]; }

  std::string bytes(const std::string& path) const {
    auto paths = disk_.paths();
    return std::ranges::binary_search(paths, path) ? disk_.bytes(path) : std::string();
  }

  void write(const std::string& path, std::size_t offset, const std::string& what) {
    std::string content = bytes(path);
    if (offset > content.size()) return;
    content.resize(std::max(content.size(), offset + what.size()));
    disk_.put(path, content.replace(offset, what.size(), what));
  }
  void flip(const std::string& path, std::size_t bit) {
    std::string content = bytes(path);
    if (content.empty()) return;
    bit %= content.size() * 8;
    content[bit / 8] ^= static_cast<char>(1U << (bit % 8));
    disk_.put(path, content);
  }
  void copy_inside(const std::string& path, std::size_t from, std::size_t to, std::size_t length) {
    std::string content = bytes(path);
    if (from <= content.size()) write(path, to, content.substr(from, length));
  }
  void swap(const std::string& a, const std::string& b) {
    std::string content = bytes(a);
    disk_.put(a, bytes(b));
    disk_.put(b, content);
  }
  // One byte of a segment's header, with the checksum made right: what another daemon might have written. Not
  // the version: a later one may stop us.
  void sign(const std::string& path, std::size_t offset, std::uint8_t value) {
    std::string content = bytes(path);
    if (content.size() < kSegmentHeader) return;
    content[12 + offset % (kSegmentHeader - 8 - 12)] = static_cast<char>(value);
    std::string_view fields = std::string_view(content).substr(0, kSegmentHeader - 8);
    content.replace(kSegmentHeader - 8, 8, Encoder().u64(checksum(fields, 0)).bytes());
    if (decode_segment_header(content).header.size > kHuge) return;
    disk_.put(path, content);
  }
  // Takes the file away and puts a directory there, or fills the disk.
  void fill(const std::string& path) {
    disk_.remove(path);
    if (in_.u8() % 2 == 0)
      (void)disk_.make_directory(path);
    else
      disk_.set_full(true);
  }

  Decoder in_;
  MemoryDisk& disk_;
};

SpoolOptions options() {
  return {.min_free = {0},
          .segment_size = {SpoolImage::kSize},
          .memory = {1 << 20},
          .committer = CommitterMode::inline_on_loop};
}

std::vector<test::Given> recover_and_check(MemoryDisk& disk, const SpoolImage& image) {
  auto started = start(disk, options(), WallTime(std::chrono::seconds(1'790'002'000)));
  bool is_full = disk.space()->free_bytes == 0;
  check(started || is_full || started.error().kind == SpoolErrorKind::wrong_format, "recovery failed");
  if (!started) return {};
  const Index& index = started->recovered.index;
  std::vector<test::Given> given;
  for (const test::ImageMail& mail : image.mails) given.push_back(test::give(disk, index, mail));
  check(std::ranges::find(given, test::Given::wrong) == given.end(), "a mail is changed");
  auto missing = static_cast<std::size_t>(std::ranges::count(given, test::Given::nothing));
  check(index.size() == given.size() - missing, "a mail is invented");
  for (const DamageReport& report : started->recovered.reports)
    check(to_line(report).find('\n') == std::string::npos, "a report of several lines");
  return given;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const SpoolImage images[] = {SpoolImage(ImageKind::closed), SpoolImage(ImageKind::killed),
                                      SpoolImage(ImageKind::recycled)};
  if (size == 0) return 0;
  const SpoolImage& image = images[data[0] % 3];
  MemoryDisk disk(image.disk);
  Tamperer(test::as_text(data + 1, size - 1), disk).run();
  auto first = recover_and_check(disk, image);
  if (first.empty()) return 0;
  auto second = recover_and_check(disk, image);
  check(second.empty() || second == first, "the second start finds something else");
  return 0;
}
