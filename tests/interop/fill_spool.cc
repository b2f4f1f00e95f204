// SPDX-License-Identifier: MIT
// fill_spool DIRECTORY COUNT: makes a spool with that many mails in it, in seconds where SMTP would take
// minutes.
#include <cstdio>
#include <string>

#include "daemon/base/error.h"
#include "daemon/base/text.h"
#include "daemon/io/nursery.h"
#include "spool/spool.h"

using namespace hikyaku;

namespace {

constexpr std::uint64_t kAtATime = 500;  // they share their flushes

Task<void> accept(mail::MailSink& sink, std::uint64_t number) {
  mail::Envelope envelope;
  envelope.sender = cat("s", std::to_string(number), "@example.com");
  envelope.recipients.push_back({cat("r", std::to_string(number), "@example.net"), {}, {}});
  auto writer = sink.begin();
  check(writer.has_value(), "the spool takes no mail");
  auto written = co_await (*writer)->write("Subject: one of many\r\n\r\nbody\r\n");
  check(written.has_value(), "a mail cannot be written");
  auto committed = co_await (*writer)->commit(std::move(envelope));
  check(committed.has_value(), "a mail cannot be committed");
}

Task<void> fill(io::Loop& loop, mail::MailSink& sink, std::uint64_t count) {
  io::Nursery nursery(loop);
  for (std::uint64_t done = 0; done < count; done += kAtATime) {
    for (std::uint64_t i = done; i < std::min(count, done + kAtATime); ++i) nursery.spawn(accept(sink, i));
    co_await nursery.drained({});
  }
}

}  // namespace

int main(int argc, char** argv) {
  auto count = argc == 3 ? parse_number(argv[2]) : std::nullopt;
  if (!count) return std::fputs("usage: fill_spool DIRECTORY COUNT\n", stderr), 64;
  SystemClock clock;
  io::Loop loop(clock);
  auto disk = spool::open_disk(argv[1]);
  check(disk.has_value(), "there is no such directory");
  spool::SpoolOptions options{.min_free = {0}, .segment_size = 1_MiB, .memory = 8_MiB};
  auto opened = loop.run(spool::Spool::open(loop, **disk, options));
  check(opened.has_value(), "the spool cannot be opened");
  loop.run(fill(loop, **opened, *count));
  loop.run((*opened)->close());
}
