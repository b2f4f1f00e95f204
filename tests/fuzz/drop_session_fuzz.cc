// SPDX-License-Identifier: MIT
// The session of sendmail -bs and -bS while the daemon is down, with any bytes for a client: at most one drop
// for each 354, none without an end of its data, each told by a 250 and such that the daemon can read it, and
// the same drops however the bytes are cut.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "daemon/base/fd.h"
#include "daemon/base/text.h"
#include "daemon/mail/drop_format.h"
#include "daemon/sendmail/drop_session.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mails.h"
#include "tests/unit/sendmail/drop_place.h"

using namespace hikyaku;
using namespace hikyaku::sendmail;

namespace {

struct Spoken {
  std::vector<std::string> drops;  // what stands behind each one's header, sorted
  std::string replies;
};

// A socket of packets, each of which is one read().
Fd given(std::string_view input, std::size_t piece) {
  int ends[2];
  check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0, "a socket");
  const Fd writing(ends[0]);
  const int room = 1 << 20;
  ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  for (std::size_t at = 0; at < input.size(); at += piece) {
    const std::string_view packet = input.substr(at, piece);
    check(::send(ends[0], packet.data(), packet.size(), MSG_DONTWAIT) == static_cast<ssize_t>(packet.size()),
          "room");
  }
  return Fd(ends[1]);
}

// One for all: emptied after each conversation.
const test::DropPlace& place() {
  static const test::DropPlace kPlace;
  return kPlace;
}

std::vector<std::string> taken_drops() {
  std::vector<std::string> drops;
  for (const std::string& name : place().names()) {
    const std::string path = cat(place().path(), "/", name);
    std::ifstream file(path, std::ios::binary);
    const std::string all{std::istreambuf_iterator<char>(file), {}};
    check(mail::decode_drop_header(std::string_view(all).substr(0, mail::kDropHeader)).has_value(),
          "a draft was left behind, or a header that none can read");
    drops.push_back(all.substr(mail::kDropHeader));
    std::filesystem::remove(path);
  }
  std::ranges::sort(drops);
  return drops;
}

Spoken run(std::string_view input, std::size_t piece, bool is_batch) {
  DaemonInfo info;
  info.max_size = 2000;
  info.max_recipients = 3;
  auto drop = DropDirectory::open(place().path());
  check(drop.has_value(), "a drop directory");
  Spoken spoken;
  const Fd in = given(input, piece);
  auto hear = [&](std::string_view bytes) { return spoken.replies += bytes, true; };
  DropSession(info, *drop, in.get(), hear, {.is_batch = is_batch, .unasked = {}}).run();
  spoken.drops = taken_drops();
  return spoken;
}

// The daemon reads the commands and stops at the content: exactly one transaction.
void check_drop(std::string_view drop) {
  mail::DropCommands commands;
  while (!drop.empty()) {
    const auto end = drop.find("\r\n");
    check(end != drop.npos, "a command without an end");
    const auto part = commands.next(drop.substr(0, end));
    check(part.has_value(), "a command that the daemon will not take");
    if (*part == mail::DropCommands::Part::content) return;
    drop.remove_prefix(end + 2);
  }
  check(false, "a drop without a content");
}

void check_spoken(std::string_view input, const Spoken& spoken) {
  check(spoken.drops.size() <= test::occurrences(spoken.replies, "\r\n354 "),
        "more drops than were asked for");
  check(spoken.drops.size() <= test::ends_of_data(input), "a drop without the end of its data");
  check(spoken.drops.size() == test::occurrences(spoken.replies, "250 2.0.0 Ok: left"),
        "a drop that was not told");
  std::ranges::for_each(spoken.drops, check_drop);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = test::as_text(data, std::min<std::size_t>(size, 3000));
  const bool is_batch = size % 2 == 0;
  const Spoken whole = run(input, SIZE_MAX, is_batch);
  check_spoken(input, whole);
  const Spoken cut = run(input, std::max<std::size_t>(1 + size % 29, input.size() / 100), is_batch);
  check_spoken(input, cut);
  check(cut.drops == whole.drops, "other drops where the same bytes come in pieces");
  return 0;
}
